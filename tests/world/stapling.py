"""An OCSP responder in memory for the certificates of a simulated CA, and runs that keep its responses."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import unquote

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from builders.certificates import intermediate, root
from builders.fakes import FakeClock
from builders.plans import spec, zone
from certkeeper.apply.conversation import Conversation
from certkeeper.apply.staplecare import Care, asked_for, look_over, put_beside
from certkeeper.apply.stapling import look
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange, Request, Response, TransportError
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.ocsp.fetch import RESPONSE_TYPE
from certkeeper.ocsp.freshness import Asked
from certkeeper.ocsp.request import issued
from certkeeper.ocsp.response import verified
from world.simulation import OCSP_URL, Simulation

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


class Responder:
    """Implements the port Http. `age` is how long ago a response was signed. `odd` is sent in its place."""

    def __init__(self, clock: FakeClock) -> None:
        self.status, self.age, self.life = GOOD, timedelta(hours=1), timedelta(days=8)
        self.odd: Response | None = None
        self.down = False
        self.wrong_signer = False
        self.asked = 0
        self._clock = clock

    def send(self, request: Request) -> Response:
        self.asked += 1
        if self.down:
            raise TransportError("ocsp.test: connection refused")
        if self.odd is not None:
            return self.odd
        encoded = request.url.removeprefix(f"{OCSP_URL}/")
        der = request.body or base64.b64decode(unquote(encoded))
        return Response(200, self._clock.now(), (("content-type", RESPONSE_TYPE),), self._signed(der))

    def _signed(self, der: bytes) -> bytes:
        asked = ocsp.load_der_ocsp_request(der)
        at = self._clock.now().replace(microsecond=0) - self.age
        signer = root() if self.wrong_signer else intermediate()
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            self.status,
            at,
            at + self.life,
            at if self.status is REVOKED else None,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        return builder.sign(signer.key, SHA256()).public_bytes(Encoding.DER)


class Stapled:
    """A world whose CA has a responder, and what its runs remember."""

    def __init__(self, *specs: CertSpec, seed: int = 0) -> None:
        self.specs = [replace(item, ocsp_fetch=True) for item in specs or (spec("a.example.org"),)]
        self.world = Simulation(self.specs, [zone("example.org")], seed=seed)
        self.responder = Responder(self.world.clock)
        self.world.internet.responder = self.responder
        self.world.ca.manners.ocsp_url = OCSP_URL
        self.asked: dict[Alias, Asked] = {}

    @property
    def alias(self) -> Alias:
        return self.specs[0].alias

    def live(self) -> bytes:
        return self.world.store.live[self.alias].files.cert

    def must_staple(self) -> bool:
        return parse_leaf(self.live()).must_staple

    def held(self) -> bytes | None:
        files = self.world.staples.read(self.alias)
        return files.staple if files is not None else None

    def refresh(self) -> Sequence[Care]:
        """A run's part that refreshes responses, as the command line has it carried out."""
        world, now = self.world, self.world.clock.now()
        cares = [
            look_over(item, look(item.alias, world.staples.read(item.alias), now), self.asked.get(item.alias), now)
            for item in self.specs
            if item.alias in world.store.live
        ]
        asked = self._carry(asked_for(cares, "test"))
        return self._carry(put_beside(asked, world.configuration.settings, world.events.append))

    def _carry(self, exchange: Exchange[tuple[Care, ...]]) -> tuple[Care, ...]:
        cares = Conversation(exchange, executor=self.world.executor, clock=self.world.clock).run()
        self.asked |= {care.spec.alias: care.asked for care in cares if care.asked is not None}
        return cares

    def proven(self) -> bool:
        """What is there is about the live certificate, signed by its issuer, and good; as of when it was signed."""
        files = self.world.staples.read(self.alias)
        if files is None or files.staple is None:
            return True
        at = ocsp.load_der_ocsp_response(files.staple).this_update_utc
        return verified(files.staple, issued(files.cert, files.chain), at).status.value == "good"
