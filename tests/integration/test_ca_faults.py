"""Every step of an issuance, every kind of fault, once and always, at a real CA behind a proxy.

Each time: a certificate or one clear error with a hint, nothing left in DNS, and no second order for the same work,
neither in this run nor in the next one, once the CA is well again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from pathlib import Path

import pytest

from bed.faults import Answer, Asked, Fault, FaultyPebble, HangUp, OldNonce, Rewrite, Stall
from bed.world import World
from builders.certificates import Wish, new_key, version_files
from builders.page import Done, Page, assert_clean_dns
from builders.quick import run_quickly
from certkeeper.adapters.http import MAX_BODY
from certkeeper.base.names import Identifier

pytestmark = pytest.mark.real

STEPS = {
    "directory": "/dir",
    "newNonce": "/nonce-plz",
    "newAccount": "/sign-me-up",
    "newOrder": "/order-plz",
    "authorization": "/authZ",
    "challenge": "/chalZ",
    "order": "/my-order",
    "finalize": "/finalize-order",
    "certificate": "/certZ",
}
ARI = "/draft-ietf-acme-ari-03"
HTML = b"<html><title>down for maintenance</title></html>"
PROBLEM = b'{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "slow down"}'
LATER = timedelta(days=2)
"""By then every wait that was imposed is over."""


def busy(status: int, retry_after: str) -> Callable[[], Fault]:
    return lambda: Answer(status, PROBLEM, {"Content-Type": "application/problem+json", "Retry-After": retry_after})


def busy_until(status: int, seconds: int) -> Callable[[], Fault]:
    """The other form of Retry-After."""

    def made() -> Fault:
        date = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=seconds), usegmt=True)
        return Answer(status, PROBLEM, {"Content-Type": "application/problem+json", "Retry-After": date})

    return made


def foreign_chain(_: bytes) -> bytes:
    return version_files(new_key(), Wish(identifiers=(Identifier.parse("example.org"),))).fullchain


FAULTS: dict[str, Callable[[], Fault]] = {
    "429 for seconds": busy(429, "2"),
    "429 until a date": busy_until(429, 3),
    "429 for an hour": busy(429, "3600"),
    "429 for nonsense": busy(429, "soon; or -7"),
    "503 for seconds": busy(503, "2"),
    "503 until a date": busy_until(503, 3),
    "503 for an hour": busy(503, "3600"),
    "500 in HTML": lambda: Answer(500, HTML, {"Content-Type": "text/html"}),
    "404 in HTML": lambda: Answer(404, HTML, {"Content-Type": "text/html"}),
    "reset before": HangUp,
    "reset after": lambda: HangUp(passed_on=True),
    "old nonce": OldNonce,
    "no nonce": lambda: Rewrite(without=("Replay-Nonce",)),
    "stalled": Stall,
    "cut JSON": lambda: Rewrite(lambda body: body[: len(body) // 2]),
    "wrong type": lambda: Rewrite(headers={"Content-Type": "text/html"}),
    "HTML instead": lambda: Rewrite(lambda _: HTML, {"Content-Type": "text/html"}),
    "HTML without the CA": lambda: Answer(200, HTML, {"Content-Type": "text/html"}),
    "redirect to http": lambda: Answer(302, b"", {"Location": "http://localhost:9/elsewhere"}),
    "redirect to another host": lambda: Answer(307, b"", {"Location": "https://elsewhere.invalid/acme"}),
    "huge": lambda: Rewrite(lambda body: body + bytes(MAX_BODY)),
    "foreign chain": lambda: Rewrite(foreign_chain),
}
REJECTED = {"foreign chain", "cut JSON", "HTML instead", "HTML without the CA"}
"""As a certificate these are kept for people to look at, and their order is done with."""
LOST = {"reset after", "stalled", "huge"}
"""The CA carried the request out, and nothing of its answer came."""


@dataclass(frozen=True, slots=True)
class Case:
    step: str
    fault: str
    always: bool

    def __str__(self) -> str:
        return f"{self.step}, {self.fault}, {'always' if self.always else 'once'}"


PRODUCT = [
    Case(step, fault, always)
    for step in STEPS
    for fault in FAULTS
    for always in (False, True)
    # a chain is no answer to anything else, and only POSTs and newNonce bring nonces
    if (fault != "foreign chain" or step == "certificate") and not (fault == "old nonce" and step == "directory")
]
# One of each fault, each step more than once: what runs everywhere.
REPRESENTATIVE = [
    Case("directory", "redirect to http", True),
    Case("newNonce", "no nonce", True),
    Case("newAccount", "reset after", False),
    Case("newOrder", "reset after", False),
    Case("newOrder", "429 for an hour", True),
    Case("newOrder", "cut JSON", False),
    Case("authorization", "HTML instead", True),
    Case("authorization", "huge", True),
    Case("challenge", "reset after", False),
    Case("challenge", "503 until a date", True),
    Case("order", "old nonce", False),
    Case("order", "redirect to another host", True),
    Case("finalize", "reset after", False),
    Case("finalize", "404 in HTML", True),
    Case("certificate", "foreign chain", True),
    Case("certificate", "500 in HTML", True),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), secondaries=0, dnssec=False) as made:
        yield made


@pytest.fixture(scope="module")
def ca(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyPebble]:
    with FaultyPebble(world.pebble, lambda _: None, tmp_path_factory.mktemp("faulty")) as proxy:
        yield proxy


NUMBERS = count(1)


@pytest.fixture
def page(world: World, ca: FaultyPebble, tmp_path: Path) -> Page:
    """A page with one name that nobody used before."""
    name = f"n{next(NUMBERS)}.example.org"
    return Page(
        tmp_path / "page", world, name, CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle), PDNS_WAIT="600", LOCKFILE=""
    )


def at(kind: str, make: Callable[[], Fault], *, always: bool) -> Callable[[Asked], Fault | None]:
    return lambda asked: make() if asked.kind == kind and (always or asked.nth == 1) else None


def opened(ca: FaultyPebble) -> int:
    """Orders that the CA opened since the proxy's rule was set."""
    return ca.answered().count((STEPS["newOrder"], 201))


def one_end(page: Page, done: Done) -> bool:
    """Did it issue? If not, there is one error that can be shown, with a hint, and the exit code says so."""
    issued = page.live() == {page.domains.read_text().strip()}
    if issued:
        assert (done.code, done.err) == (0, ""), done.text
    else:
        assert done.code == 1, done.text
        error = done.only_error()
        assert error.isprintable()
        assert len(error) < 2100
    return issued


def most_orders(case: Case) -> int:
    """An answer to newOrder that is lost is asked for once more: nobody can tell an order from one never opened."""
    if case.step == "certificate" and case.fault in REJECTED:
        return 2
    if case.step != "newOrder" or case.fault not in LOST:
        return 1
    return {"huge": 2}.get(case.fault, 3 if case.always else 2)


def prove(case: Case, page: Page, ca: FaultyPebble) -> None:
    ca.follow(at(STEPS[case.step], FAULTS[case.fault], always=case.always))
    first = run_quickly(page)
    issued = one_end(page, first)
    assert_clean_dns(page.world, page.world.zone)
    orders = opened(ca)
    ca.follow(lambda asked: Answer(404) if asked.kind == ARI else None)
    again = run_quickly(page, ahead=LATER)
    assert (again.code, again.err) == (0, ""), first.text + again.text
    assert page.verified_names(page.domains.read_text().strip()) == {page.domains.read_text().strip()}
    assert_clean_dns(page.world, page.world.zone)
    if issued:
        assert opened(ca) == 0
    orders += opened(ca)
    assert 1 <= orders <= most_orders(case), f"{orders} orders\n{first.text}{again.text}"


@pytest.mark.parametrize("case", REPRESENTATIVE, ids=str)
def test_a_fault_ends_in_a_certificate_or_one_error(case: Case, page: Page, ca: FaultyPebble) -> None:
    prove(case, page, ca)


@pytest.mark.long
@pytest.mark.parametrize("case", [case for case in PRODUCT if case not in REPRESENTATIVE], ids=str)
def test_every_fault_at_every_step(case: Case, page: Page, ca: FaultyPebble) -> None:
    prove(case, page, ca)


def ari_faults(*names: str) -> list[object]:
    return [pytest.param(name, marks=() if name in names else pytest.mark.long) for name in FAULTS]


@pytest.mark.parametrize("fault", ari_faults("429 for an hour", "redirect to http", "HTML instead", "huge"))
def test_a_fault_where_renewals_are_suggested_stops_nothing(fault: str, page: Page, ca: FaultyPebble) -> None:
    ca.follow(lambda _: None)
    assert run_quickly(page).code == 0
    ca.follow(at(ARI, FAULTS[fault], always=True))
    done = run_quickly(page)
    assert (done.code, done.err) == (0, ""), done.text
    assert "nothing due" in done.out
    assert len([asked for asked in ca.requests() if asked.kind == ARI]) == 1
    assert opened(ca) == 0
