"""Which services a certificate is behind: named ones, its targets', and what MX and SRV records lead to."""

from builders.fakelooks import FakeSecureLookup
from builders.plans import settings, spec
from certkeeper.apply.tlsa.services import owner_of, services_of
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec
from certkeeper.config.tlsa import TlsaWish
from certkeeper.dane.owner import TlsaOwner
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.target import Kind, Target

YES = TlsaWish(derived=True)


def wanting(*names: str, wish: TlsaWish = YES) -> CertSpec:
    return replace(spec(*names), tlsa=wish)


def owners(item: CertSpec, lookup: FakeSecureLookup) -> set[str]:
    found = services_of([item], replace(settings(), targets={"nginx": Target("nginx", Kind.NGINX)}), lookup)
    return {str(owner_of(service)) for service in found[item.alias]}


def mail() -> FakeSecureLookup:
    lookup = FakeSecureLookup()
    lookup.put("example.org", "MX", "10 mail.example.org.", "20 mx.example.net.")
    lookup.put("mail.example.org", "A", "192.0.2.1")
    return lookup


def test_named_owners_are_all_where_nothing_is_to_be_derived() -> None:
    wish = TlsaWish(derived=False, owners=(TlsaOwner.parse("mail.example.org:25"), TlsaOwner.parse("a.test:443")))
    assert owners(wanting("mail.example.org", wish=wish), mail()) == {"_25._tcp.mail.example.org", "_443._tcp.a.test"}


def test_a_page_that_wants_none_has_none() -> None:
    assert services_of([spec("mail.example.org")], settings(), mail())[spec("mail.example.org").alias] == ()


def test_a_mail_exchanger_counts_where_the_certificate_is_for_the_host() -> None:
    assert owners(wanting("mail.example.org"), mail()) == {"_25._tcp.mail.example.org"}
    assert owners(wanting("www.example.org"), mail()) == set()
    assert owners(wanting("example.org"), mail()) == set(), "it is for the domain, whose mail is taken by others"


def test_a_wildcard_is_for_hosts_right_below_it_and_for_no_others() -> None:
    lookup = mail()
    assert owners(wanting("*.example.org"), lookup) == {"_25._tcp.mail.example.org"}
    lookup.put("example.org", "MX", "10 a.mail.example.org.")
    assert owners(wanting("*.example.org"), lookup) == set()


def test_an_xmpp_server_shows_a_certificate_for_the_domain() -> None:
    lookup = FakeSecureLookup()
    lookup.put("_xmpp-client._tcp.example.org", "SRV", "0 1 5222 chat.example.net.")
    lookup.put("_imaps._tcp.example.org", "SRV", "0 1 993 imap.example.net.")
    assert owners(wanting("example.org"), lookup) == {"_5222._tcp.chat.example.net"}
    assert owners(wanting("chat.example.net"), lookup) == set()


def test_what_its_targets_show_counts() -> None:
    item = replace(wanting("www.example.org"), targets=("nginx",), probe=(parse_endpoint("www.example.org:8443"),))
    assert owners(item, FakeSecureLookup()) == {"_8443._tcp.www.example.org"}


def test_a_service_that_is_led_to_in_two_ways_is_one_with_the_addresses_of_its_host() -> None:
    wish = TlsaWish(derived=True, owners=(TlsaOwner.parse("mail.example.org:25"),))
    item = wanting("mail.example.org", wish=wish)
    (only,) = services_of([item], settings(), mail())[item.alias]
    assert only.addresses == ("192.0.2.1",)


def test_a_named_xmpp_server_is_asked_for_the_domain_that_the_certificate_is_for() -> None:
    wish = TlsaWish(derived=False, owners=(TlsaOwner.parse("chat.example.org:5222"),))
    for names in (("example.org", "chat.example.org"), ("chat.example.org",)):
        item = wanting(*names, wish=wish)
        (only,) = services_of([item], settings(), FakeSecureLookup())[item.alias]
        assert (only.endpoint.name, str(owner_of(only))) == (names[0], "_5222._tcp.chat.example.org")
