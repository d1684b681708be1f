"""An OCSP responder for a CA whose key the test has: it signs what it is told to say, when it is asked."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
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


class _Handler(BaseHTTPRequestHandler):
    server: OwnServer[OcspResponder]
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
