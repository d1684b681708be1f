"""Whose word a proof takes: signatures, servers that are demanded, resolvers."""

import pytest

from builders.dnsworld import NEVER, PRIMARY, SECONDARY, NameServer
from certkeeper.apply.unproven import refuse_unreachable
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import ServersWaited, ZoneProven
from certkeeper.zone.propagation import (
    Demand,
    ServerSet,
)
from unit.apply.proofs import BOUND, ORG, RESOLVER, THIRD, A, B, Scene, texts


class TestSigned:
    def test_one_that_leaves_signatures_out_lacks_everything_even_if_it_answered_first(self) -> None:
        servers = {PRIMARY: NameServer(), SECONDARY: NameServer(signed=True)}
        proof = Scene(servers, answers={SECONDARY: 0.5}).run()
        assert proof.unproven.owners == {A, B}
        assert dict(proof.unproven.verdict.lacking) == {PRIMARY: {A, B}}
        assert len(proof.times(PRIMARY)) > 2
        error = proof.unproven.error([A])
        assert (
            str(error) == "zone example.org: after 30 s ns1.test (192.0.2.1) serves _acme-challenge.a.example.org "
            "unsigned although the zone is signed"
        )
        assert "signer" in error.hint

    def test_bad_signatures_are_said_in_their_own_words(self) -> None:
        words = "with a signature that expired 2026-11-20T00:00:00Z"
        servers = {PRIMARY: NameServer(signed=True), SECONDARY: NameServer(signed=True, bogus=words)}
        proof = Scene(servers).run()
        assert f"ns2.test (192.0.2.2) serves _acme-challenge.a.example.org {words}" in str(proof.unproven.error([A]))

    def test_all_is_well_where_all_are_signed(self) -> None:
        proof = Scene({PRIMARY: NameServer(signed=True), SECONDARY: NameServer(signed=True)}).run()
        (line,) = texts(proof.events, ZoneProven)
        assert line.endswith("(serial 2, udp and tcp, signed)")

    def test_in_an_insecure_zone_signatures_do_not_count(self) -> None:
        proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(signed=True)}, ds=frozenset()).run()
        assert proof.unproven.owners == frozenset()
        assert proof.seconds == 0

    def test_the_parent_says_that_it_is_signed_where_no_server_does(self) -> None:
        proof = Scene({PRIMARY: NameServer()}, ds=frozenset({"1 13 2 ab"})).run()
        assert proof.unproven.owners == {A, B}


class TestAll:
    def test_a_silent_address_is_not_outvoted(self) -> None:
        servers = {PRIMARY: NameServer(), SECONDARY: NameServer(), THIRD: NameServer(silent=True)}
        proof = Scene(servers, demand=Demand.ALL).run()
        assert proof.unproven.owners == {A, B}
        assert proof.seconds == BOUND.total_seconds()
        error = proof.unproven.error([A])
        assert str(error).startswith(
            "zone example.org: after 30 s not every name server confirms: ns2.test ([2001:db8::2]): "
        )
        assert "DNS_IGNORE" in error.hint

    def test_everybody_confirms(self) -> None:
        proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=1)}, demand=Demand.ALL).run()
        assert proof.unproven.owners == frozenset()

    def test_an_address_without_a_route_is_an_error_before_anything_is_published(self) -> None:
        servers = ServerSet((PRIMARY,), ("ns1.test (2001:db8::1) is not asked: no IPv6 route from here",))
        refuse_unreachable(ORG.name, servers, Demand.REACHABLE)
        refuse_unreachable(ORG.name, ServerSet((PRIMARY,)), Demand.ALL)
        with pytest.raises(CertkeeperError, match="2001:db8::1"):
            refuse_unreachable(ORG.name, servers, Demand.ALL)


class TestResolvers:
    def test_they_are_asked_only_when_every_name_server_serves_it(self) -> None:
        servers = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=3), RESOLVER: NameServer()}
        proof = Scene(servers, vantage=(RESOLVER,)).run()
        assert proof.times(RESOLVER) == [proof.times(SECONDARY)[-1]]
        (line,) = texts(proof.events, ZoneProven)
        assert "seen by 9.9.9.9" in line

    def test_the_wait_goes_on_until_they_see_it(self) -> None:
        servers = {PRIMARY: NameServer(), RESOLVER: NameServer(lag=8)}
        proof = Scene(servers, vantage=(RESOLVER,)).run()
        assert proof.unproven.owners == frozenset()
        assert 8 <= proof.seconds < 13
        assert proof.times(PRIMARY) == [0.0]
        assert texts(proof.events, ServersWaited) == ["zone example.org: waiting for resolver 9.9.9.9"]

    def test_one_that_never_sees_it_fails_at_the_bound(self) -> None:
        servers = {PRIMARY: NameServer(), RESOLVER: NameServer(lag=NEVER)}
        proof = Scene(servers, vantage=(RESOLVER,)).run()
        assert proof.unproven.owners == {A, B}
        assert proof.seconds == BOUND.total_seconds()
        assert str(proof.unproven.error([A, B])) == (
            "zone example.org: after 30 s resolver 9.9.9.9 answers with no value for _acme-challenge.a.example.org "
            "(and 1 more)"
        )

    def test_a_silent_one_fails_too(self) -> None:
        proof = Scene({PRIMARY: NameServer(), RESOLVER: NameServer(silent=True)}, vantage=(RESOLVER,)).run()
        assert "resolver 9.9.9.9 9.9.9.9: timed out" in str(proof.unproven.error([A]))

    def test_a_name_that_a_server_lacks_is_never_asked_for(self) -> None:
        servers = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=NEVER), RESOLVER: NameServer()}
        proof = Scene(servers, vantage=(RESOLVER,)).run()
        assert proof.times(RESOLVER) == []
        assert "ns2.test" in str(proof.unproven.error([A]))
