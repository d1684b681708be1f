"""Port Prober: handshakes with services, as their clients make them; nothing that is seen is believed or kept.

pyOpenSSL, since the standard library cannot ask for a staple, and shows the chain that was served from Python 3.13 on.
No session is ever resumed: a resumed one shows the certificate of the first.
"""

import errno
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from cryptography.hazmat.bindings.openssl.binding import Binding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from OpenSSL import SSL, crypto

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.base.errors import printable
from certkeeper.base.value import dataclass
from certkeeper.service.endpoint import Endpoint, is_address
from certkeeper.service.handshake import Contact, Handshake, KeyFamily, Look, Staple, Trouble, Unseen
from certkeeper.service.starttls import MOST, Exactly, Line, Need, NoTls, Send, Until, dialogue

PATIENCE = 10.0
"""Seconds for one handshake. A mail server that greets late on purpose (postscreen) takes six."""
AT_ONCE = 64
_MOST_ADDRESSES = 16
_PIECE = 16384
# Up to TLS 1.2 the cipher suites say which kind of certificate a client takes, from then on the signatures do.
_CIPHERS = {KeyFamily.RSA: b"aRSA:@SECLEVEL=0", KeyFamily.ECDSA: b"aECDSA:@SECLEVEL=0"}
_SIGNATURES = {
    KeyFamily.RSA: b"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    b"RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA1",
    KeyFamily.ECDSA: b"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA1",
}


class _Deadline(Exception):
    """The time for one handshake is over."""


class Prober:
    """Implements the port Prober. `ca_bundle` is a PEM file of the roots that chains are compared with."""

    def __init__(self, *, patience: float = PATIENCE, ca_bundle: str | None = None) -> None:
        self._patience = patience
        self._ca_bundle = ca_bundle

    def look(self, targets: Sequence[Contact]) -> tuple[Look, ...]:
        """A handshake with every address of every target, many at once; in the order of the targets."""
        if not targets:
            return ()
        contexts = {(item.family, item.endpoint.alpn): None for item in targets}
        made = {key: self._context(*key) for key in contexts}
        with ThreadPoolExecutor(min(AT_ONCE, 2 * len(targets) + 1)) as pool:
            hosts = list(dict.fromkeys(item.endpoint.connect_to for item in targets))
            found = dict(zip(hosts, pool.map(_addresses, hosts), strict=True))
            jobs = [
                pool.submit(self._one, target, address, made[target.family, target.endpoint.alpn])
                for target in targets
                for address in _of(found[target.endpoint.connect_to], target)
            ]
            return tuple(job.result() for job in jobs)

    def _one(self, target: Contact, address: "_Address | Unseen", context: SSL.Context) -> Look:
        if isinstance(address, Unseen):
            return address
        began = time.monotonic()
        try:
            with socket.socket(address.family, socket.SOCK_STREAM) as connection:
                talk = _Talk(connection, began + self._patience)
                return talk.look(target, address, context, began)
        except NoTls as error:
            return Unseen(target, address.text, Trouble.NO_TLS, str(error))
        except (TimeoutError, _Deadline):
            return Unseen(target, address.text, Trouble.TIMEOUT, f"no answer within {self._patience:.0f} s")
        except SSL.Error as error:
            return Unseen(target, address.text, *_refusal(target.family, error))
        except OSError as error:
            if (starved := out_of_descriptors(str(target.endpoint), error)) is not None:
                raise starved from error
            reason = (error.strerror or str(error) or type(error).__name__).lower()
            return Unseen(target, address.text, _kind(error), printable(reason, 120))

    def _context(self, family: KeyFamily, alpn: str) -> SSL.Context:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        # Whatever a server still speaks is to be looked at; what it shows is judged later.
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        if family is not KeyFamily.ANY:
            _take_only(context, family)
        if alpn:
            context.set_alpn_protos([alpn.encode()])
        if self._ca_bundle:
            context.load_verify_locations(self._ca_bundle)
        else:
            context.set_default_verify_paths()
        context.set_verify(SSL.VERIFY_PEER, _noted)
        context.set_ocsp_client_callback(_stapled)
        return context


def _take_only(context: SSL.Context, family: KeyFamily) -> None:
    """Certificates with keys of that kind."""
    context.set_cipher_list(_CIPHERS[family])
    # What cryptography binds for pyOpenSSL has the function, and pyOpenSSL has no method for it.
    handle = context._context  # noqa: SLF001 - as above
    if Binding.lib.SSL_CTX_set1_sigalgs_list(handle, _SIGNATURES[family]) != 1:
        raise SSL.Error([("", "", f"this OpenSSL cannot be told to take {family.value} certificates alone")])


@dataclass(frozen=True, slots=True)
class _Address:
    family: socket.AddressFamily
    text: str


@dataclass(slots=True)
class _Notes:
    """What OpenSSL says while it works on one connection."""

    untrusted: str = ""
    staple: Staple | None = None
    unknown_issuer: bool = False


def _noted(connection: SSL.Connection, certificate: crypto.X509, number: int, depth: int, good: int) -> bool:
    """Go on whatever is wrong with the chain, and remember the first thing."""
    del certificate, good
    notes = connection.get_app_data()
    if number and not notes.untrusted:
        notes.unknown_issuer = number in _NOBODY_KNOWS
        notes.untrusted = f"{_ERRORS.get(number, f'OpenSSL error {number}')} (certificate {depth} of the chain)"
    return True


_NOBODY_KNOWS = frozenset({2, 20, 21})
_ERRORS = {
    2: "its issuer is not known",
    9: "not valid yet",
    10: "expired",
    18: "signed by itself",
    19: "ends at a root that is not trusted here",
    20: "its issuer is not known",
    21: "the chain was not sent",
    24: "its issuer is no CA",
    62: "another name",
}


def _stapled(connection: SSL.Connection, octets: bytes, data: object) -> bool:
    del data
    if octets:
        connection.get_app_data().staple = _staple(octets)
    return True


def _staple(octets: bytes) -> Staple:
    try:
        response = ocsp.load_der_ocsp_response(octets)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Staple(response.response_status.name.lower())
        return Staple(response.certificate_status.name.lower(), response.this_update_utc, response.next_update_utc)
    except (ValueError, TypeError) as error:
        return Staple(f"unreadable: {printable(str(error), 80)}")


class _Talk:
    """One connection, with one bound for all of it."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until
        self._read = b""

    def look(self, target: Contact, address: _Address, context: SSL.Context, began: float) -> Handshake:
        endpoint = target.endpoint
        self._wait()
        self._connection.connect((address.text, endpoint.port))
        self._prelude(endpoint)
        tls, notes = SSL.Connection(context, self._connection), _Notes()
        tls.set_app_data(notes)
        if not endpoint.by_address:
            tls.set_tlsext_host_name(endpoint.name.encode())
        tls.request_ocsp()
        tls.set_connect_state()
        self._connection.settimeout(0)
        self._shake(tls)
        chain = tls.get_peer_cert_chain(as_cryptography=True) or ()
        seen = Handshake(
            target,
            address.text,
            tuple(item.public_bytes(Encoding.DER) for item in chain),
            tls.get_protocol_version_name(),
            notes.untrusted,
            notes.staple,
            time.monotonic() - began,
            notes.unknown_issuer,
        )
        with suppress(SSL.Error, OSError):
            tls.shutdown()
        return seen

    def _shake(self, tls: SSL.Connection) -> None:
        poll = select.poll()
        while True:
            try:
                tls.do_handshake()
            except SSL.WantReadError:
                wanted = select.POLLIN
            except SSL.WantWriteError:
                wanted = select.POLLOUT
            else:
                return
            poll.register(self._connection, wanted)
            if not poll.poll(max(0.0, self._until - time.monotonic()) * 1000):
                raise _Deadline

    def _prelude(self, endpoint: Endpoint) -> None:
        steps = dialogue(endpoint.protocol, endpoint.name)
        answer: bytes | None = None
        with suppress(StopIteration):
            while True:
                need = steps.send(answer) if answer is not None else next(steps)
                answer = self._perform(need)
        if self._read:
            # What comes before the handshake could be anybody's, and must not count as said inside it.
            raise NoTls("plain text after the server's word that TLS may begin")

    def _perform(self, need: Need) -> bytes:
        match need:
            case Send(data):
                self._wait()
                self._connection.sendall(data)
                return b""
            case Line():
                return self._taken(lambda read: read.find(b"\n") + 1)
            case Exactly(octets):
                return self._taken(lambda read: octets if len(read) >= octets else 0)
            case Until(pattern):
                return self._taken(lambda read: found.end() if (found := pattern.search(read)) else 0)

    def _taken(self, enough: Callable[[bytes], int]) -> bytes:
        """The first octets that were read, as many as `enough` says; 0 means more are needed."""
        while not (end := enough(self._read)):
            if len(self._read) > MOST:
                raise NoTls(f"more than {MOST} octets without an end")
            self._wait()
            piece = self._connection.recv(_PIECE)
            if not piece:
                raise NoTls("the server closed the connection before TLS")
            self._read += piece
        taken, self._read = self._read[:end], self._read[end:]
        return taken

    def _wait(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise _Deadline
        self._connection.settimeout(left)


def _addresses(host: str) -> "tuple[_Address, ...] | str":
    """All addresses of a host, IPv6 and IPv4; or why there are none."""
    if is_address(host):
        return (_Address(socket.AF_INET6 if ":" in host else socket.AF_INET, host),)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return printable((error.strerror or str(error)).lower(), 120)
    unique = dict.fromkeys(_Address(family, str(address[0])) for family, _, _, _, address in found)
    return tuple(unique)[:_MOST_ADDRESSES]


def _of(found: "tuple[_Address, ...] | str", target: Contact) -> "Iterable[_Address | Unseen]":
    if isinstance(found, str):
        return (Unseen(target, "", Trouble.UNRESOLVED, found),)
    return found


def _refusal(family: KeyFamily, error: SSL.Error) -> tuple[Trouble, str]:
    said = ", ".join(_words(error)) or "the server ended the handshake"
    if family is not KeyFamily.ANY and "handshake failure" in said:
        return Trouble.NO_SUCH_KEY, f"no {family.value} certificate"
    return Trouble.REFUSED, printable(said, 120)


def _words(error: SSL.Error) -> Iterator[str]:
    for entry in error.args[0] if error.args and isinstance(error.args[0], list) else ():
        yield str(entry[-1])
    if error.args and not isinstance(error.args[0], list):
        yield str(error.args[-1]).lower()


def _kind(error: OSError) -> Trouble:
    return Trouble.REFUSED if error.errno in {errno.ECONNRESET, errno.EPIPE} else Trouble.UNREACHABLE
