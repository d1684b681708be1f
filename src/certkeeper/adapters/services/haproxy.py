"""haproxy takes new certificates while it runs: its runtime API, on a unix socket of level admin.

It changes what is in memory only; the files have to be there already, for its next start.
"""

import base64
import os
import pwd
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from certkeeper.adapters.files import read_file
from certkeeper.apply.deployports import Placement
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.service.target import Form

_PATIENCE = 10.0
"""Seconds for one command."""
_OCSP = ".ocsp"
_TAKEN = ("Transaction created for certificate", "Transaction updated")
_MOST = 1 << 16
_PIECE = 1 << 14
_CREDENTIALS = struct.Struct("3i")


class NotUpdated(CertkeeperError):
    """There is no such socket, somebody else listens there, or haproxy refuses."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


def combined(changed: Sequence[Placement]) -> Mapping[str, bytes]:
    """What has changed, by the paths that haproxy's configuration names: each file holds certificate and key, and
    beside it there may be the OCSP response, under the same name with `.ocsp` behind it.

    Raises:
        NotUpdated: a certificate is in no such file.
        FileTrouble: a file cannot be read.
    """
    found: dict[str, bytes] = {}
    for placement in changed:
        paths = [path for path, form in placement.files.items() if form in {Form.FULLCHAIN_KEY, Form.KEY_FULLCHAIN}]
        if not paths:
            raise NotUpdated(f"{placement.target}: {placement.alias.text}: its key is not in one file with its chain")
        paths += [path for path, form in placement.files.items() if form is Form.OCSP]
        found |= {path: read_file(path) for path in paths}
    return found


def update(path: str, user: str, certificates: Mapping[str, bytes]) -> None:
    """Replace these certificates, each in one transaction. `user` is who may listen there beside root and us.

    Raises:
        NotUpdated: some may have been taken; no transaction of ours is left open.
    """
    responses = {name: content for name, content in certificates.items() if name.endswith(_OCSP)}
    for name, content in certificates.items():
        if name in responses:
            continue
        # One that somebody else has open refuses ours, and is not ours to abort.
        _told(path, user, _setting(name, content), *_TAKEN)
        try:
            if response := responses.get(f"{name}{_OCSP}"):
                _told(path, user, _setting(f"{name}{_OCSP}", base64.b64encode(response)), *_TAKEN)
            _told(path, user, f"commit ssl cert {name}\n".encode(), "Success!")
        except NotUpdated:
            _said(path, user, f"abort ssl cert {name}\n".encode())
            raise


def _setting(name: str, content: bytes) -> bytes:
    if any(char.isspace() or char in "\\;#\"'" for char in name):
        raise NotUpdated(f"{printable(name)}: haproxy's commands have no way to write such a path")
    # An empty line ends what is sent.
    lines = [line for line in content.splitlines() if line.strip()]
    return b"set ssl cert %s <<\n%s\n\n" % (name.encode(), b"\n".join(lines))


def _told(path: str, user: str, command: bytes, *wanted: str) -> None:
    said = _said(path, user, command)
    if not any(words in said for words in wanted):
        raise NotUpdated(f"{path}: haproxy answered {printable(said, 300)!r}")


def _said(path: str, user: str, command: bytes) -> str:
    """The whole answer to one command; haproxy closes the connection behind it."""
    until = time.monotonic() + _PATIENCE
    said = b""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            line.connect(path)
            _meant(line, path, user)
            line.sendall(command)
            while (left := until - time.monotonic()) > 0 and len(said) < _MOST:
                line.settimeout(left)
                if not (piece := line.recv(_PIECE)):
                    break
                said += piece
    except OSError as error:
        reason = (error.strerror or str(error) or "no answer").lower()
        raise NotUpdated(f"{path}: {reason}") from error
    return said.decode("utf-8", "replace")


def _meant(line: socket.socket, path: str, user: str) -> None:
    """Who began to listen there is root, we, or haproxy's user: what is sent is a private key."""
    _, uid, _ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    trusted = {0, os.geteuid()}
    with suppress(KeyError):
        trusted |= {pwd.getpwnam(user).pw_uid} if user else set()
    if uid not in trusted:
        raise NotUpdated(f"{path}: user {uid} listens there")
