"""The judge, whatever servers say and in whatever order they say it."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.apply.pace import FIRST, GROWTH, SLOWEST, next_look, next_resolver_look, next_try
from certkeeper.apply.unproven import Unproven
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import PATIENCE, Answer, Demand, Evidence, Server, Wanted, final, judge, newer

OWNERS = [DnsName(f"n{at}.example.org") for at in range(4)]
SERVERS = [Server(f"ns{at % 3}.example.org", f"192.0.2.{at}") for at in range(5)]
WANTED: Wanted = {owner: frozenset({"1", "2"}) for owner in OWNERS}

values = st.frozensets(st.sampled_from(["1", "2", "3"]))
words = st.dictionaries(st.sampled_from(OWNERS), st.just("with a flaw"), max_size=2)
answers = st.builds(
    Answer,
    served=st.dictionaries(st.sampled_from(OWNERS), st.one_of(st.just(frozenset({"1", "2"})), values)),
    serial=st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    flaws=words,
    bogus=words,
    unsigned=st.frozensets(st.sampled_from(OWNERS)),
    signed=st.booleans(),
)
heard = st.lists(st.one_of(answers, st.just("no answer")), max_size=6)
everybody = st.lists(st.sampled_from(SERVERS), unique=True, min_size=1)
demands = st.sampled_from(list(Demand))
parents = st.sampled_from([None, frozenset[str](), frozenset({"1 13 2 ab"})])


def evidence_of(said: list[Answer | str]) -> Evidence:
    evidence = Evidence()
    for one in said:
        evidence = evidence.missed(one) if isinstance(one, str) else evidence.heard(one)
    return evidence


world = st.dictionaries(st.sampled_from(SERVERS), st.builds(evidence_of, heard))


@given(everybody, world, demands, parents)
def test_every_server_is_in_exactly_one_of_three_places(
    servers: list[Server], evidence: dict[Server, Evidence], demand: Demand, ds: frozenset[str] | None
) -> None:
    verdict = judge(servers, WANTED, evidence, demand=demand, ds=ds)
    assert sorted((*verdict.confirmed, *verdict.lacking, *verdict.silent)) == sorted(servers)
    assert verdict.ready.isdisjoint(verdict.refuted)


@given(everybody, world, demands, parents)
def test_proven_means_that_nothing_fails_at_the_bound_and_that_all_is_ready(
    servers: list[Server], evidence: dict[Server, Evidence], demand: Demand, ds: frozenset[str] | None
) -> None:
    verdict = judge(servers, WANTED, evidence, demand=demand, ds=ds)
    if verdict.proven:
        assert final(verdict, WANTED, demand) == frozenset()
        assert verdict.ready == frozenset(WANTED)
        assert {server.ns for server in servers} == {server.ns for server in verdict.confirmed}


@given(everybody, world, parents)
def test_who_demands_all_never_gets_by_with_less(
    servers: list[Server], evidence: dict[Server, Evidence], ds: frozenset[str] | None
) -> None:
    strict = judge(servers, WANTED, evidence, demand=Demand.ALL, ds=ds)
    lenient = judge(servers, WANTED, evidence, ds=ds)
    assert lenient.proven or not strict.proven
    assert final(strict, WANTED, Demand.ALL) >= final(lenient, WANTED)
    if strict.proven:
        assert set(strict.confirmed) == set(servers)


@given(everybody, world, parents)
def test_an_owner_passes_only_where_no_answering_server_lacks_a_value_of_it(
    servers: list[Server], evidence: dict[Server, Evidence], ds: frozenset[str] | None
) -> None:
    verdict = judge(servers, WANTED, evidence, ds=ds)
    for owner in frozenset(WANTED) - final(verdict, WANTED):
        for server in servers:
            served = evidence.get(server, Evidence()).served
            assert served is None or WANTED[owner] <= served.get(owner, frozenset())


@given(everybody, world, parents)
def test_the_error_names_every_server_that_lacks_something_and_fits_on_a_line(
    servers: list[Server], evidence: dict[Server, Evidence], ds: frozenset[str] | None
) -> None:
    verdict = judge(servers, WANTED, evidence, ds=ds)
    failed = final(verdict, WANTED)
    if failed:
        error = Unproven(DnsName("example.org"), failed, verdict, timedelta(seconds=9), evidence).error(sorted(failed))
        assert all(str(server) in str(error) for server in verdict.lacking)
        assert "\n" not in str(error)
        assert error.hint


@given(heard)
def test_the_last_answer_about_an_owner_counts(said: list[Answer | str]) -> None:
    evidence = evidence_of(said)
    if evidence.served is None:
        assert evidence.silent_tries >= PATIENCE or not any(isinstance(one, Answer) for one in said)
        return
    for owner, found in evidence.served.items():
        last = next(one for one in reversed(said) if isinstance(one, Answer) and owner in one.served)
        assert found == last.served[owner]


@given(st.integers(0, 2**32 - 1), st.integers(1, 2**31 - 1))
def test_serials_wrap(serial: int, step: int) -> None:
    assert newer((serial + step) % 2**32, serial)
    assert not newer(serial, (serial + step) % 2**32)
    assert not newer(serial, serial)


@given(st.floats(0.01, 300), st.one_of(st.none(), st.floats(0.01, 300)))
def test_looks_are_never_late_and_never_too_many(lag: float, usual: float | None) -> None:
    at, looks = 0.0, 1
    while at < lag:
        at += next_look(at, usual)
        looks += 1
    assert at <= max(lag * (1 + GROWTH), lag + FIRST)
    assert at <= lag + SLOWEST
    assert looks < 22 + lag / SLOWEST


@given(st.integers(0, 1000))
def test_tries_have_a_bound(tries: int) -> None:
    assert 0 < next_try(tries) <= SLOWEST
    assert 0 < next_resolver_look(tries) <= 5
