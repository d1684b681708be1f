"""Names that are proven by what is served: in a simulated world whose CA looks at folders and listeners."""

from dataclasses import replace

import pytest

from builders.plans import settings, spec, zone
from certkeeper.apply.effects import PutFile, RemoveFile, WriteJournal
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.wire import Request
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.settings import CertSpec, ServerAddress, Settings
from certkeeper.plan.records import FileIntent
from world.simulation import BOUND, Simulation, errors, issued

DNS, HTTP, ALPN = ChallengeType.DNS_01, ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01
WEB, CERTIFICATES = "/var/www/dehydrated", "/etc/dehydrated/alpn-certs"
LISTENING = settings(propagation=BOUND, http_listen=(ServerAddress("", 80),), tls_alpn_listen=(ServerAddress("", 443),))


def served(*names: str, method: ChallengeType = HTTP, alias: str = "") -> CertSpec:
    return spec(*names, alias=alias, methods=Methods((method,)))


def mixed() -> CertSpec:
    chosen = ((Identifier.parse("tls.example.org"), (ALPN,)), (Identifier.parse("www.example.org"), (HTTP,)))
    return spec("www.example.org", "tls.example.org", "*.example.org", alias="x", methods=Methods((DNS,), chosen))


def world(*specs: CertSpec, seed: int = 0, settings_: Settings | None = None) -> Simulation:
    return Simulation(specs, [zone("example.org")], seed=seed, settings_=settings_)


@pytest.mark.parametrize("settings_", [None, LISTENING], ids=["files", "listeners"])
@pytest.mark.parametrize("seed", range(5))
def test_each_name_is_proven_by_its_method_and_nothing_stays(seed: int, settings_: Settings | None) -> None:
    made = world(mixed(), served("ip:192.0.2.1", "ip:2001:db8::1", alias="ip"), seed=seed, settings_=settings_)
    assert not made.run().failed
    used = {made.ca.used(name) for name in ("www.example.org", "tls.example.org", "*.example.org")}
    assert used == {"http-01", "tls-alpn-01", "dns-01"}
    made.assert_live(Alias("x"), Alias("ip"))
    assert made.files.content == {}
    assert made.listeners.answers == {}
    assert made.dns.txt() == {}
    assert made.journal.empty
    if settings_ is LISTENING:
        assert set(made.listeners.open) == {HTTP, ALPN}
        assert not any(isinstance(step, PutFile) for step in made.executor.performed)


def test_a_file_is_written_down_before_it_is_there_and_until_it_is_gone() -> None:
    made = world(served("www.example.org"))
    made.run()
    steps = made.executor.performed
    put = next(at for at, step in enumerate(steps) if isinstance(step, PutFile))
    gone = next(at for at, step in enumerate(steps) if isinstance(step, RemoveFile))
    written = [at for at, step in enumerate(steps) if isinstance(step, WriteJournal) and _files(step.put)]
    dropped = [at for at, step in enumerate(steps) if isinstance(step, WriteJournal) and _files(step.drop)]
    assert [*written, put, gone, *dropped] == sorted([*written, put, gone, *dropped])


def _files(entries: tuple[object, ...]) -> bool:
    return any(isinstance(entry, FileIntent) for entry in entries)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("settings_", [None, LISTENING], ids=["files", "listeners"])
def test_certificates_with_the_same_name_take_turns(seed: int, settings_: Settings | None) -> None:
    specs = [served("tls.example.org", f"{letter}.example.org", method=ALPN, alias=letter) for letter in "abc"]
    made = world(*specs, seed=seed, settings_=settings_)
    assert issued(made.run()) == {"a", "b", "c"}
    assert made.files.content == {}


def test_a_folder_that_cannot_be_used_costs_no_order_and_imposes_no_wait() -> None:
    made = world(served("www.example.org"), spec("a.example.org"))
    made.files.broken[WEB] = CertkeeperError(f"{WEB}: not there")
    result = made.run()
    assert str(errors(result)["www.example.org"]) == f"{WEB}: not there"
    assert issued(result) == {"a.example.org"}
    assert len(made.ca.orders) == 1


def test_a_port_that_is_taken_costs_no_order() -> None:
    made = world(served("www.example.org"), settings_=LISTENING)
    made.listeners.busy = CertkeeperError("HTTP_LISTEN :80: cannot listen: address already in use")
    assert "HTTP_LISTEN" in str(errors(made.run())["www.example.org"])
    assert not made.ca.orders


def test_what_the_ca_does_not_find_is_an_error_and_is_removed() -> None:
    made = world(served("www.example.org"), served("tls.example.org", method=ALPN))
    made.ca.manners.refuses = {"www.example.org", "tls.example.org"}
    assert set(errors(made.run())) == {"www.example.org", "tls.example.org"}
    assert made.files.content == {}
    assert not made.journal.files


def test_what_cannot_be_removed_is_told_and_removed_by_the_next_run() -> None:
    made = world(served("www.example.org"))
    perform = made.executor.perform

    def stuck(step: object) -> object:
        if isinstance(step, RemoveFile):
            raise CertkeeperError("read-only file system")
        return perform(step)  # type: ignore[arg-type]

    made.executor.perform = stuck
    result = made.run()
    (left,) = result.leftovers
    assert "1 challenge file may still be there: read-only file system" in str(left)
    assert f"rm {WEB}/token-" in left.hint
    assert issued(result) == {"www.example.org"}
    made.executor.perform = perform
    made.journal.die()
    assert not made.run().failed
    assert made.files.content == {}
    assert made.journal.empty


@pytest.mark.parametrize("seed", range(6))
def test_an_interrupted_run_removes_what_it_published(seed: int) -> None:
    made = world(mixed(), served("tls.example.org", method=ALPN), seed=seed)
    perform = made.executor.perform

    def interrupting(step: object) -> object:
        if isinstance(step, Request) and "/challenge/" in step.url:
            made.reconciler.interrupt(Interrupted(ExitCode.INTERRUPTED))
        return perform(step)  # type: ignore[arg-type]

    made.executor.perform = interrupting
    result = made.run()
    assert result.fatal is not None
    assert result.leftovers == ()
    assert made.files.content == {}
    assert not made.journal.files


def test_a_method_that_is_changed_takes_an_open_order_over() -> None:
    made = world(served("www.example.org", "b.example.org"))
    made.ca.manners.validation = 10_000.0
    assert made.run().failed
    page = made.configuration
    chosen = replace(page.certificates[0], methods=Methods((DNS,)))
    made.configuration = replace(page, certificates=(chosen,))
    made.ca.manners.validation = 0.0
    made.clock.advance(20_000.0)
    assert not made.run().failed
    made.assert_live(Alias("www.example.org"))
