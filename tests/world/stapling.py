"""An OCSP responder in memory for the certificates of a simulated CA, and runs that keep its responses."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar, cast
from urllib.parse import unquote

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from builders.certificates import intermediate, root
from builders.fakes import FakeClock, SeededExecutor
from builders.plans import settings, spec, zone
from certkeeper.adapters.asked import parse, render
from certkeeper.apply.conversation import Conversation
from certkeeper.apply.staplecare import Care
from certkeeper.apply.stapling import StapleLook, look
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange, Request, Response, TransportError
from certkeeper.cli.compose import Machine
from certkeeper.cli.stapling import answers_had, looked_over, put
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.ocsp.fetch import RESPONSE_TYPE
from certkeeper.ocsp.freshness import Asked
from certkeeper.ocsp.request import issued
from certkeeper.ocsp.response import verified
from certkeeper.service.kinds import BUILT_IN, built_in
from world.kills import Killed
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


_T = TypeVar("_T")


class Doom:
    """Ends the process just before (`2n`) or just after (`2n + 1`) the n-th thing that is done."""

    def __init__(self, moment: int) -> None:
        self._at, self._after = divmod(moment, 2)
        self._number = 0

    def __call__(self, act: Callable[[], _T]) -> _T:
        mine, self._number = self._number == self._at, self._number + 1
        if mine and not self._after:
            raise Killed
        done = act()
        if mine:
            raise Killed
        return done


NEVER = Doom(-1)


class Memory:
    """ocsp.json."""

    def __init__(self) -> None:
        self.doom = NEVER
        self.content = b""

    def read(self) -> Mapping[Alias, Asked]:
        return parse(self.content)

    def write(self, asked: Mapping[Alias, Asked]) -> None:
        def written() -> None:
            self.content = render(asked)

        self.doom(written)


class Looks:
    """What is beside live certificates; each look is a new one."""

    def __init__(self, world: Simulation) -> None:
        self._staples = world.staples

    def look(self, alias: Alias, now: datetime) -> StapleLook:
        return look(alias, self._staples.read(alias), now)


class Host:
    """What the command line's part of a run needs of a Machine."""

    def __init__(self, world: Simulation) -> None:
        self._world = world
        self.asked = Memory()
        self.staple_looks, self.clock = Looks(world), world.clock
        self.settings = world.configuration.settings

    def converse(self, exchange: Exchange[_T]) -> _T:
        return Conversation(exchange, executor=self._world.executor, clock=self.clock).run()


class Stapled:
    """A world whose CA has a responder, and what its runs remember."""

    def __init__(self, *specs: CertSpec, seed: int = 0) -> None:
        self.specs = [replace(item, ocsp_fetch=True) for item in specs or (spec("a.example.org"),)]
        page = replace(settings(), targets={name: built_in(name) for name in BUILT_IN})
        self.world = Simulation(self.specs, [zone("example.org")], seed=seed, settings_=page)
        self.responder = Responder(self.world.clock)
        self.world.internet.responder = self.responder
        self.world.ca.manners.ocsp_url = OCSP_URL
        self.host = Host(self.world)

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
        """The part of a run that refreshes responses."""
        machine, store = cast("Machine", self.host), self.world.store
        lineages = {item.alias: store.lineage(item.alias) for item in self.specs}
        named = [item for item in self.specs if (leaf := lineages[item.alias].leaf) is not None and leaf.ocsp_url]
        staples = answers_had(machine, looked_over(machine, named, self.host.asked.read()))
        return put(machine, staples, self.world.events.append).cares

    def refresh_until(self, moment: int, seed: int = 0) -> bool:
        """The same until it is killed; False where it ended before."""
        usual = self.world.executor
        doom = self.host.asked.doom = Doom(moment)
        mortal = SeededExecutor(lambda step: doom(lambda: usual.perform(step)), self.world.clock, seed)
        self.world.executor = mortal
        try:
            self.refresh()
        except Killed:
            self.world.journal.die()
            self.world.claims.held.clear()
            return True
        finally:
            usual.performed += mortal.performed
            self.world.executor, self.host.asked.doom = usual, NEVER
        return False

    def proven(self) -> bool:
        """What is there is about the live certificate, signed by its issuer, and good; as of when it was signed."""
        files = self.world.staples.read(self.alias)
        if files is None or files.staple is None:
            return True
        at = ocsp.load_der_ocsp_response(files.staple).this_update_utc
        return verified(files.staple, issued(files.cert, files.chain), at).status.value == "good"
