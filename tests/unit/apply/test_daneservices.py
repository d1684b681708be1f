"""From a domain to the ports that DANE is about, as its clients find them."""

from builders.fakelooks import FakeSecureLookup
from certkeeper.apply.daneports import Resolved
from certkeeper.apply.daneservices import DaneService, of_domains, of_endpoint, with_addresses
from certkeeper.base.names import DnsName
from certkeeper.dane.facts import Trust
from certkeeper.service.endpoint import parse_endpoint

ORG = DnsName("example.org")


def found(lookup: FakeSecureLookup, *domains: str) -> list[DaneService]:
    services, lost = of_domains([DnsName(domain) for domain in domains or ("example.org",)], lookup)
    assert lost == []
    return with_addresses(services, lookup)


def test_mail_exchangers_are_asked_for_their_own_names() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "20 mx2.example.net.", "10 mx1.example.org.")
    lookup.put("mx1.example.org", "A", "192.0.2.1")
    lookup.put("mx1.example.org", "AAAA", "2001:db8::1")

    first, second = found(lookup)
    assert [str(item.endpoint) for item in (first, second)] == [
        "smtp://mx1.example.org:25",
        "smtp://mx2.example.net:25",
    ]
    assert first.addresses == ("192.0.2.1", "2001:db8::1")
    assert first.owners == (DnsName("_25._tcp.mx1.example.org"),)
    assert first.names(first.owners[0]) == (DnsName("mx1.example.org"), ORG)
    assert first.endpoint_at(first.owners[0], "192.0.2.1").name == "mx1.example.org"


def test_a_domain_without_mx_takes_its_mail_itself() -> None:
    (only,) = found(FakeSecureLookup())

    assert (only.kind, only.host) == ("no MX", ORG)


def test_a_domain_that_takes_no_mail_has_no_mail_exchanger() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "0 .")

    assert found(lookup) == []


def test_an_insecure_mx_names_no_certificate() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "10 mx1.example.org.", trust=Trust.UNSIGNED)

    (only,) = found(lookup)
    assert only.names(only.owners[0]) == (DnsName("mx1.example.org"),)


def test_srv_services_stand_at_their_targets_and_ports() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "0 .")
    lookup.put("_imaps._tcp.example.org", "SRV", "0 1 1993 mail.example.net.")
    lookup.put("_xmpp-client._tcp.example.org", "SRV", "0 1 5222 xmpp.example.org.")
    lookup.put("_sieve._tcp.example.org", "SRV", "0 0 0 .")

    xmpp, imaps = found(lookup)
    assert imaps.owners == (DnsName("_1993._tcp.mail.example.net"),)
    assert imaps.endpoint_at(imaps.owners[0], "192.0.2.1").name == "mail.example.net"
    assert xmpp.owners == (DnsName("_5222._tcp.xmpp.example.org"),)
    assert xmpp.endpoint_at(xmpp.owners[0], "192.0.2.1").name == "example.org"


def test_records_of_a_cname_count_before_those_of_the_name() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "10 mx.example.org.")
    alias = DnsName("real.example.org")
    lookup.said[DnsName("mx.example.org"), "A"] = Resolved(("192.0.2.1",), Trust.SECURE, alias=alias)

    (only,) = found(lookup)
    assert only.owners == (DnsName("_25._tcp.real.example.org"), DnsName("_25._tcp.mx.example.org"))


def test_a_cname_that_is_not_secure_does_not_count() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "10 mx.example.org.")
    alias = DnsName("real.example.org")
    lookup.said[DnsName("mx.example.org"), "A"] = Resolved(("192.0.2.1",), Trust.NO_DS, alias=alias)

    (only,) = found(lookup)
    assert only.owners == (DnsName("_25._tcp.mx.example.org"),)


def test_both_families_have_to_be_secure() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "10 mx.example.org.")
    lookup.put("mx.example.org", "A", "192.0.2.1")
    lookup.put("mx.example.org", "AAAA", trust=Trust.BOGUS, flaw="expired")

    (only,) = found(lookup)
    assert (only.secured.trust, only.secured.flaw) == (Trust.BOGUS, "expired")


def test_a_lookup_error_is_no_absence() -> None:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", trust=Trust.BOGUS, flaw="expired")

    services, lost = of_domains([ORG], lookup)
    assert services == []
    assert [(item.kind, item.said.flaw) for item in lost] == [("MX", "expired")]


def test_endpoints_that_are_named() -> None:
    here = of_endpoint(parse_endpoint("smtp://mail.example.org@192.0.2.7"))
    assert here is not None
    assert here.owners == (DnsName("_25._tcp.mail.example.org"),)
    assert with_addresses([here], FakeSecureLookup())[0].addresses == ("192.0.2.7",)
    assert here.expected

    xmpp = of_endpoint(parse_endpoint("xmpp-client://example.org@xmpp.example.org"))
    assert xmpp is not None
    assert xmpp.owners == (DnsName("_5222._tcp.xmpp.example.org"),)
    assert of_endpoint(parse_endpoint("192.0.2.1:443")) is None
    assert of_endpoint(parse_endpoint("[2001:db8::1]:443")) is None
    assert of_endpoint(parse_endpoint("localhost:443")) is None
