"""Standing records as the name servers show them, whoever holds the zone."""

from collections.abc import Collection, Mapping
from datetime import datetime

from builders.certificates import NOW
from builders.plans import zone
from certkeeper.adapters.standing import StandingRecords
from certkeeper.base.names import DnsName
from certkeeper.plan.observed import Place, StandingLook
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Answer, Question, Server, ServerSet

OWNER, ELSEWHERE = DnsName("_validation-persist.example.org"), DnsName("_validation-persist.example.net")
ONE, TWO = Server("ns1", "192.0.2.1"), Server("ns2", "192.0.2.2")


class Servers:
    """Implements the port Nameservers. `served` is by server; a text is how a server is silent."""

    def __init__(self, served: Mapping[Server, Mapping[DnsName, frozenset[str]] | str], bogus: str = "") -> None:
        self._served = served
        self._bogus = bogus
        self.cnames: dict[DnsName, DnsName] = {}
        self.asked: list[tuple[Server, DnsName]] = []

    def of(self, zone: DnsName) -> ServerSet:
        if zone == DnsName("broken.org"):
            raise ZoneError("zone broken.org: no name server")
        return ServerSet(tuple(self._served))

    def aliases(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        return {name: self.cnames[name] for name in names if name in self.cnames}

    def alias_or_none(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName | None]:
        raise AssertionError(names)

    def ask(self, server: Server, question: Question, now: datetime) -> Answer:
        assert now == NOW
        self.asked.append((server, question.zone))
        found = self._served[server]
        if isinstance(found, str):
            raise ZoneError(found)
        bogus = dict.fromkeys(question.wanted, self._bogus) if self._bogus else {}
        return Answer({owner: found.get(owner, frozenset()) for owner in question.wanted}, bogus=bogus)

    def ask_resolver(self, resolver: Server, question: Question) -> Answer:
        raise AssertionError((resolver, question))


def look(servers: Servers, owners: Mapping[DnsName, Place | None]) -> Mapping[DnsName, StandingLook]:
    def apexes(names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        return {name: DnsName(".".join(name.labels[-2:])) for name in names if name.labels[-1] != "nowhere"}

    return StandingRecords(servers, apexes, lambda: NOW).look(owners)


def test_each_server_is_asked_and_a_silent_one_is_asked_again() -> None:
    servers = Servers({ONE: {OWNER: frozenset({"a"})}, TWO: "timeout"})
    found = look(servers, {OWNER: Place(zone("example.org"), OWNER)})
    assert found == {OWNER: StandingLook({str(ONE): frozenset({"a"})})}
    assert servers.asked.count((TWO, DnsName("example.org"))) == 2


def test_where_nobody_answers_it_is_said_why() -> None:
    found = look(Servers({ONE: "timeout"}), {OWNER: Place(zone("example.org"), OWNER)})
    assert found[OWNER].served == {}
    assert "timeout" in found[OWNER].trouble


def test_a_value_with_a_signature_that_is_no_good_does_not_count() -> None:
    servers = Servers({ONE: {OWNER: frozenset({"a"})}}, bogus="expired")
    assert look(servers, {OWNER: Place(zone("example.org"), OWNER)})[OWNER].served == {str(ONE): frozenset()}


def test_a_zone_that_no_provider_has_is_found_and_its_cname_followed() -> None:
    target = DnsName("standing.example.com")
    servers = Servers({ONE: {target: frozenset({"a"}), ELSEWHERE: frozenset({"b"})}})
    servers.cnames[OWNER] = target
    found = look(servers, {OWNER: None, ELSEWHERE: None})
    assert found[OWNER].served == {str(ONE): frozenset({"a"})}
    assert found[ELSEWHERE].served == {str(ONE): frozenset({"b"})}


def test_zones_that_are_not_found_or_have_no_servers_trouble_nobody_else() -> None:
    lost, broken = DnsName("_validation-persist.x.nowhere"), DnsName("_validation-persist.broken.org")
    found = look(Servers({ONE: {OWNER: frozenset({"a"})}}), {OWNER: None, lost: None, broken: None})
    assert found[OWNER].served
    assert found[lost].trouble == "its zone is not found"
    assert "no name server" in found[broken].trouble
