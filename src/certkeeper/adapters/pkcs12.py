"""PKCS#12 (RFC 7292): key and chain in one file, for services that want it so."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12, serialize_key_and_certificates
from cryptography.x509 import Certificate, load_pem_x509_certificates

from certkeeper.adapters.files import FileMissing, FileTrouble, read_file
from certkeeper.adapters.keys import Private
from certkeeper.adapters.writers import Writers
from certkeeper.base.errors import CertkeeperError

_LONGEST = 1024


def bundle(privkey: bytes, fullchain: bytes, friendly_name: str, password: bytes) -> bytes:
    """Key and chain (PEM) in one; other octets each time, since it is salted. An empty password locks nothing.

    Raises:
        CertkeeperError: it is no key, or no chain.
    """
    key, chain = _parts(privkey, fullchain)
    lock: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    return serialize_key_and_certificates(friendly_name.encode(), key, chain[0], chain[1:], lock)


def holds(octets: bytes, privkey: bytes, fullchain: bytes, password: bytes) -> bool:
    """Whether it is a bundle of that key and chain that opens with that password, and not without one."""
    key, chain = _parts(privkey, fullchain)
    try:
        found = load_pkcs12(octets, password or None)
    except ValueError:
        return False
    inside = [found.cert, *found.additional_certs]
    same_chain = [item.certificate for item in inside if item is not None] == list(chain)
    return isinstance(found.key, Private) and same_chain and _plain(found.key) == _plain(key)


def password_of(path: str) -> bytes:
    """The first line of that file, without its end; empty where none is named.

    Raises:
        FileTrouble: it cannot be read, holds no password, or root would follow somebody else in it.
    """
    if not path:
        return b""
    for writer in Writers().of_path(path):
        if writer.root_refuses():
            through = "" if writer.place == path else f", through {writer.place}"
            raise FileTrouble(
                f"{path}: {writer.who} can change it{through}, and so decide what keys are locked with", hint=writer.fix
            )
    try:
        found = read_file(path).partition(b"\n")[0].removesuffix(b"\r")
    except FileMissing as error:
        raise FileMissing(str(error), hint="write the password into it, or take password_file away") from error
    if not found or len(found) > _LONGEST:
        trouble = "too long" if found else "empty"
        raise FileTrouble(f"{path}: its first line is {trouble}, and has to be a password", hint="write one into it")
    return found


def _parts(privkey: bytes, fullchain: bytes) -> tuple[Private, Sequence[Certificate]]:
    try:
        key = load_pem_private_key(privkey, None, unsafe_skip_rsa_key_validation=True)
        chain = load_pem_x509_certificates(fullchain)
    except (ValueError, TypeError):
        # Without its cause, which might quote the key.
        raise CertkeeperError("PKCS#12: its key or chain cannot be read") from None
    if not isinstance(key, Private):
        raise CertkeeperError("PKCS#12: cannot hold a key of that kind")
    return key, chain


def _plain(key: Private) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
