"""An OCSP responder for a CA whose key the test has: it signs what it is told to say, when it is asked."""

import base64
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import ocsp

from bed.serving import OwnServer, Serving

DAY = timedelta(days=1)


class OcspResponder(Serving):
    """`status` counts for certificates that `statuses` does not name by their serial number. `http` other than 200 is
    sent as it is. `age` is how long ago responses were signed, `life` for how long they are good.
    """

    def __init__(self) -> None:
        self.reset()
        self._issuer: tuple[x509.Certificate, CertificateIssuerPrivateKeyTypes] | None = None
        self.serve(_Handler)

    def reset(self) -> None:
        """All is well, and nobody asked yet."""
        self.status = ocsp.OCSPCertStatus.GOOD
        self.statuses: dict[int, ocsp.OCSPCertStatus] = {}
        self.http = 200
        self.age, self.life = timedelta(hours=1), 10 * DAY
        self.asked: list[int] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def speaks_for(self, pair: Callable[[], tuple[str, str]]) -> None:
        """Certificate and private key of the issuer, in PEM."""
        certificate, key = pair()
        loaded = load_pem_private_key(key.encode(), None)
        self._issuer = (
            x509.load_pem_x509_certificate(certificate.encode()),
            loaded,  # type: ignore[assignment]
        )

    def answer(self, request: bytes) -> bytes:
        assert self._issuer is not None
        certificate, key = self._issuer
        asked = ocsp.load_der_ocsp_request(request)
        self.asked.append(asked.serial_number)
        status = self.statuses.get(asked.serial_number, self.status)
        at = datetime.now(tz=UTC).replace(microsecond=0) - self.age
        revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            status,
            at,
            at + self.life,
            at if revoked else None,
            x509.ReasonFlags.superseded if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, certificate)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


class OpensslResponder(Serving):
    """The same, with `openssl ocsp` that says what its index has. Certificates that are not in it yet are good: CAs
    enter them before they give them out. `signer` is who signs, the issuer where it is None.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.connections = 0
        self.reset()
        (folder / "index.txt.attr").write_text("unique_subject = no\n", encoding="utf-8")
        self.serve(_Handler)

    def reset(self) -> None:
        """All certificates are good, and the issuer signs."""
        self.http = 200
        self.revoked: set[int] = set()
        self.asked: list[int] = []
        self.signer: tuple[x509.Certificate, CertificateIssuerPrivateKeyTypes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def speaks_for(self, pair: Callable[[], tuple[str, str]]) -> None:
        """Certificate and private key of the issuer, in PEM."""
        certificate, key = pair()
        (self._folder / "ca.pem").write_text(certificate, encoding="ascii")
        (self._folder / "ca.key").write_text(key, encoding="ascii")

    def answer(self, request: bytes) -> bytes:
        asked = ocsp.load_der_ocsp_request(request).serial_number
        self.asked.append(asked)
        named = "ca"
        if self.signer is not None:
            named = "delegate"
            certificate, key = self.signer
            plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (self._folder / "delegate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
            (self._folder / "delegate.key").write_bytes(plain)
        (self._folder / "index.txt").write_text(self._line(asked), encoding="ascii")
        (self._folder / "request").write_bytes(request)
        words = f"-index index.txt -CA ca.pem -rsigner {named}.pem -rkey {named}.key -ndays 7 -reqin request"
        subprocess.run(
            ["openssl", "ocsp", *words.split(), "-respout", "response"],
            cwd=self._folder,
            check=True,
            capture_output=True,
            env={**os.environ, "OPENSSL_CONF": os.devnull},
        )
        return (self._folder / "response").read_bytes()

    def _line(self, serial: int) -> str:
        digits = f"{serial:X}"
        digits = digits.zfill(len(digits) + len(digits) % 2)
        ends, taken_back = (f"{datetime.now(tz=UTC) + days * DAY:%y%m%d%H%M%SZ}" for days in (80, -1))
        state, when = ("R", f"{taken_back},superseded") if serial in self.revoked else ("V", "")
        return f"{state}\t{ends}\t{when}\t{digits}\tunknown\t/CN=a\n"


class _Handler(BaseHTTPRequestHandler):
    server: OwnServer[OcspResponder | OpensslResponder]
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.server.owner.connections += 1
        super().setup()

    def do_GET(self) -> None:
        self._say(base64.b64decode(unquote(self.path.removeprefix("/"))))

    def do_POST(self) -> None:
        self._say(self.rfile.read(int(self.headers["content-length"])))

    def _say(self, request: bytes) -> None:
        owner = self.server.owner
        body = owner.answer(request)
        self.send_response(owner.http)
        self.send_header("content-type", "application/ocsp-response" if owner.http == 200 else "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nobody reads it."""
