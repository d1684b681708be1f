"""What the ports ServiceLookup and SecureLookup promise (apply/daneports.py), before a validating resolver, and by our
own proof of what a resolver hands out unchecked.
"""

from datetime import UTC, datetime

import pytest

from bed.powerdns import rrset
from builders.fakelooks import FakeServiceLookup
from certkeeper.adapters.homes import Homes
from certkeeper.adapters.resolver import Named, SystemNameservers
from certkeeper.adapters.resolving import Resolving
from certkeeper.adapters.tlsatrust import Validation
from certkeeper.apply.daneports import ServiceLookup
from certkeeper.base.names import DnsName
from certkeeper.config.settings import NameserverOverride, ServerAddress
from certkeeper.dane.facts import Trust
from contract.tlsa.signedtree import TOP, Tree, name

SERVED = name("served")
XMPP = name("_xmpp-client._tcp.served")


@pytest.fixture(scope="session")
def served(tree: Tree) -> Tree:
    zone = SERVED.text
    tree.put(
        "served",
        rrset(zone, "MX", [f"20 mx2.{zone}.", f"10 mx1.{zone}."]),
        rrset(f"nomail.{zone}", "MX", ["0 ."]),
        rrset(XMPP.text, "SRV", [f"20 0 5223 two.{zone}.", f"10 5 5222 one.{zone}."]),
        rrset(f"mx1.{zone}", "A", ["127.0.0.2", "127.0.0.1"]),
        rrset(f"alias.{zone}", "CNAME", [f"mx1.{zone}."]),
        rrset(f"away.{zone}", "CNAME", [f"mail.unsigned.{TOP}."]),
    )
    return tree


def resolving(tree: Tree, validation: Validation) -> Resolving:
    return Resolving(validation, tree.homes, tree.nameservers().of, datetime.now(UTC))


@pytest.fixture(params=["resolver", "proof_by_resolver"])
def port(request: pytest.FixtureRequest, served: Tree) -> Resolving:
    return resolving(served, getattr(served, request.param))


@pytest.fixture(params=["fake", "real"])
def services(request: pytest.FixtureRequest) -> ServiceLookup:
    if request.param == "fake":
        hosts = {SERVED: (name("mx1.served"), name("mx2.served"))}
        return FakeServiceLookup(
            {**hosts, name("wrong"): None}, {XMPP: ((name("one.served"), 5222), (name("two.served"), 5223))}
        )
    tree: Tree = request.getfixturevalue("served")
    return resolving(tree, tree.resolver)


class TestServices:
    def test_mail_exchangers_in_the_order_of_their_preference(self, services: ServiceLookup) -> None:
        found = services.mail_exchangers([SERVED, name("nomail.served"), name("other.served"), name("wrong")])

        assert found[SERVED] == (name("mx1.served"), name("mx2.served"))
        assert found[name("nomail.served")] == ()
        assert found[name("other.served")] == ()
        assert found[name("wrong")] is None

    def test_targets_in_the_order_of_their_priority(self, services: ServiceLookup) -> None:
        other = name("_imap._tcp.served")

        found = services.services([XMPP, other])
        assert found == {XMPP: ((name("one.served"), 5222), (name("two.served"), 5223)), other: ()}


class TestProof:
    def test_what_is_secure(self, port: Resolving) -> None:
        found = port.resolve([(SERVED, "MX"), (name("mx1.served"), "A"), (name("mx1.served"), "AAAA")])

        assert found[SERVED, "MX"].texts == (f"10 mx1.{SERVED}.", f"20 mx2.{SERVED}.")
        assert found[name("mx1.served"), "A"].texts == ("127.0.0.1", "127.0.0.2")
        assert found[name("mx1.served"), "AAAA"].texts == ()
        assert [(item.trust, item.flaw, item.trouble) for item in found.values()] == [(Trust.SECURE, "", "")] * 3

    def test_a_cname_is_followed_and_told(self, port: Resolving) -> None:
        question = name("alias.served"), "A"

        found = port.resolve([question])[question]
        assert (found.trust, found.alias, len(found.texts)) == (Trust.SECURE, name("mx1.served"), 2)

    def test_a_dname_is_followed_and_told(self, port: Resolving, served: Tree) -> None:
        question = name("_25._tcp.mail.old.complete"), "TLSA"

        served.know_dname()
        found = port.resolve([question])[question]
        assert (found.trust, found.alias, len(found.texts)) == (Trust.SECURE, name("_25._tcp.mail.complete"), 1)

    @pytest.mark.parametrize("host", ["mail.unsigned", "mail.lone", "away.served"])
    def test_what_is_not_secure(self, port: Resolving, host: str) -> None:
        question = name(host), "A"

        found = port.resolve([question])[question]
        assert found.trust in {Trust.UNSIGNED, Trust.NO_DS}
        assert found.texts == ("127.0.0.1",)

    def test_what_is_bogus(self, port: Resolving) -> None:
        question = name("mail.wrong"), "A"

        assert port.resolve([question])[question].trust is Trust.BOGUS

    def test_nobody_to_ask(self, served: Tree) -> None:
        question = SERVED, "MX"

        found = resolving(served, Validation()).resolve([question])[question]
        assert found.trouble.startswith("no validating resolver is known")


class TestHomes:
    def test_the_deepest_zone_that_is_named(self, tree: Tree) -> None:
        homes = Homes(overrides(tree, TOP, f"complete.{TOP}"), tree.nameservers().of)
        hosts = (name("mail.complete"), name("mail"))

        assert homes(hosts) == {hosts[0]: name("complete"), hosts[1]: DnsName(TOP)}

    def test_servers_for_every_zone_tell_which_it_is(self, tree: Tree) -> None:
        general = [NameserverOverride(None, (ServerAddress(*tree.primary.dns),))]
        homes = Homes(general, SystemNameservers(Named(instead=general)).of)
        hosts = (name("mail.complete"), name("not-there.lone"), DnsName("example.com"))

        assert homes(hosts) == {hosts[0]: name("complete"), hosts[1]: name("lone")}


def overrides(tree: Tree, *zones: str) -> list[NameserverOverride]:
    return [NameserverOverride(DnsName(zone), (ServerAddress(*tree.primary.dns),)) for zone in zones]
