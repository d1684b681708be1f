"""A machine of its own for one afternoon: Debian's servers on their own ports, with their own files.

A network namespace has its addresses, another one the CAs; what is written below /etc, /var, /run and /usr/local is
written beside the real folders (overlayfs) and is gone afterwards. Let's Encrypt's two directories are Pebbles.
"""

import contextlib
import http.client
import os
import select
import ssl
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import trustme

from bed import binaries
from bed.namespace import Namespace
from bed.pebble import Pebble

ADDRESS, NAME_SERVER = "192.0.2.25", "192.0.2.53"
CAS = {"acme-v02.api.letsencrypt.org": "198.51.100.80", "acme-staging-v02.api.letsencrypt.org": "198.51.100.81"}
_LINK = "198.51.100.1"
"""The machine's own address on the way to them."""
_PROGRAMS = ("nginx", "postfix", "dovecot", "prosodyctl", "pdns_server", "pdnsutil", "sqlite3", "unshare", "mount")
_MARK = "-- that was"
_OVERLAID = ("etc", "var", "usr/local")
_LONGEST = 120.0


class _Front(ThreadingHTTPServer):
    """The CA under the name and at the path that the world knows it by."""

    daemon_threads = True

    def __init__(self, address: str, context: ssl.SSLContext, upstream: Pebble) -> None:
        super().__init__((address, 443), _FrontHandler)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.upstream = urlsplit(upstream.directory_url)
        self.trust = ssl.create_default_context(cafile=str(upstream.ca_bundle))

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _FrontHandler(BaseHTTPRequestHandler):
    server: _Front
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = "/dir" if self.path == "/directory" else self.path
        up = self.server.upstream
        there = http.client.HTTPSConnection(up.hostname or "", up.port, context=self.server.trust, timeout=30)
        with contextlib.closing(there):
            there.request(self.command, path, body or None, dict(self.headers))
            reply = there.getresponse()
            content = reply.read()
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_HEAD = _pass_on  # noqa: N815 - names of the base class

    def log_message(self, *_: object) -> None:
        """Standard error belongs to the tests."""


class Afternoon:
    """`type` runs a command in one and the same shell of root's, and returns what it printed and its exit code."""

    def __init__(self, folder: Path, zone: str, programs: Mapping[str, str]) -> None:
        """It is called mail.ZONE. `programs` are scripts by name, which are put into /usr/local/bin."""
        for program in _PROGRAMS:
            binaries.require(program)
        self.folder = folder
        self._stack = ExitStack()
        with ExitStack() as stack:
            self._namespace = stack.enter_context(Namespace())
            self._world = stack.enter_context(Namespace())
            self._connect()
            authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
            self._trust = [authority.cert_pem.bytes()]
            for name, address in CAS.items():
                pebble = self._world.call(Pebble, folder / name, dns_server=(NAME_SERVER, 53))
                stack.callback(pebble.stop)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                authority.issue_cert(name, key_type=trustme.KeyType.ECDSA).configure_cert(context)
                front = self._world.call(_Front, address, context, pebble)
                stack.callback(front.server_close)
                stack.callback(front.shutdown)
                self._world.call(threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True).start)
                if "staging" not in name:
                    self._trust.append(self._world.call(pebble.root_pem).encode())
            self._shell = self._started()
            stack.callback(self._end)
            self._set_up(zone, programs)
            self._stack = stack.pop_all()

    def _connect(self) -> None:
        """The CAs are elsewhere: all of the machine's ports are its own."""
        here, there = self._namespace, self._world
        for namespace, words in (
            (here, f"link add world type veth peer name machine netns {there.name}"),
            *((here, f"addr add {address}/32 dev lo") for address in (ADDRESS, NAME_SERVER)),
            (here, f"addr add {_LINK}/24 dev world"),
            (here, "link set world up"),
            *((there, f"addr add {address}/24 dev machine") for address in CAS.values()),
            (there, "link set machine up"),
            (there, f"route add default via {_LINK}"),
        ):
            subprocess.run([*namespace.prefix, "ip", *words.split()], check=True, capture_output=True)

    def _started(self) -> "subprocess.Popen[bytes]":
        prefix = [*self._namespace.prefix, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        return subprocess.Popen(
            [*prefix, "bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, "HOME": "/root", "TERM": "dumb", "COLUMNS": "80"},
            cwd="/",
        )

    def _set_up(self, zone: str, programs: Mapping[str, str]) -> None:
        self.done("mount -t tmpfs -o mode=755 tmpfs /mnt")
        for place in _OVERLAID:
            upper = f"/mnt/{place.replace('/', '-')}"
            options = f"lowerdir=/{place},upperdir={upper}/u,workdir={upper}/w"
            self.done(f"mkdir -p {upper}/u {upper}/w && mount -t overlay overlay -o {options} /{place}")
        self.done("mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/lock && chmod 1777 /run/lock")
        for name, text in programs.items():
            self.write(f"/usr/local/bin/{name}", text, mode=0o755)
        hosts = "".join(f"{address} {name}\n" for name, address in CAS.items())
        self.write("/etc/hosts", f"127.0.0.1 localhost\n{ADDRESS} mail.{zone} mail\n{hosts}")
        self.done("rm -f /etc/resolv.conf && hostname -F /dev/null 2>/dev/null; true")
        self.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.write("/etc/mailname", f"mail.{zone}\n")
        for trusted in self._trust:
            self.write("/etc/ssl/certs/ca-certificates.crt", trusted.decode(), append=True)

    def write(self, path: str, text: str, *, mode: int = 0o644, append: bool = False) -> None:
        """A file of the machine's."""
        sign = ">>" if append else ">"
        self.done(f"cat {sign}{path} <<'END OF FILE'\n{text}\nEND OF FILE\nchmod {mode:o} {path}")

    def type(self, command: str) -> tuple[str, int]:
        """Standard output and standard error as a terminal shows them; nothing can be typed into the command."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{{ {command}\n}} </dev/null 2>&1\nprintf '\\n{_MARK} %s\\n' $?\n".encode())
        self._shell.stdin.flush()
        return self._read(command)

    def done(self, command: str) -> str:
        """The same for a command that has to succeed."""
        printed, code = self.type(command)
        assert code == 0, f"$ {command}\n{printed}\nexit code {code}"
        return printed

    def _read(self, command: str) -> tuple[str, int]:
        assert self._shell.stdout is not None
        out, said = self._shell.stdout.fileno(), b""
        end = time.monotonic() + _LONGEST
        mark = f"\n{_MARK} ".encode()
        while not (mark in said and said.endswith(b"\n")):
            ready, _, _ = select.select([out], [], [], max(0.0, end - time.monotonic()))
            chunk = os.read(out, 65536) if ready else b""
            assert chunk, f"$ {command}\n{said.decode(errors='replace')}\nno end within {_LONGEST} s"
            said += chunk
        text, _, code = said.rpartition(mark)
        return text.decode(errors="replace"), int(code)

    def _end(self) -> None:
        """The namespace of processes ends with its first one, and takes all daemons along."""
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        try:
            self._shell.wait(10)
        except subprocess.TimeoutExpired:
            self._shell.kill()
            self._shell.wait()
        finally:
            if self._shell.stdout is not None:
                self._shell.stdout.close()

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
