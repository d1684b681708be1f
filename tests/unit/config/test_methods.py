import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.names import Identifier, IdentifierType
from certkeeper.config.errors import ConfigError
from certkeeper.config.methods import ChallengeType, Methods
from unit.config.pages import DOMAINS, page

DNS, HTTP, ALPN = ChallengeType.DNS_01, ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01
PDNS = "PDNS_HOST=localhost\nPDNS_KEY=secret\n"


def methods(value: str, domains: str = "example.org\n", more: str = PDNS) -> list[tuple[ChallengeType, ...]]:
    """Of each name of the first certificate."""
    spec = page(f"CHALLENGETYPE='{value}'\n{more}", domains).certificates[0]
    return [spec.methods.of(name) for name in spec.identifiers]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http-01", (HTTP,)),
        ("dns-01", (DNS,)),
        ("tls-alpn-01", (ALPN,)),
        ("dns-01 http-01", (DNS, HTTP)),
        ("dns-01,http-01", (DNS, HTTP)),
        ("http-01 dns-01", (HTTP,)),
        ("dns-01 example.org=tls-alpn-01", (ALPN,)),
        ("dns-01 EXAMPLE.org.=dns-01,tls-alpn-01", (DNS, ALPN)),
        ("example.net=dns-01", (HTTP,)),
    ],
)
def test_one_method_or_several_in_order_of_preference(value: str, expected: tuple[ChallengeType, ...]) -> None:
    assert methods(value) == [expected]


def test_without_challengetype_it_is_dehydrateds_http_01() -> None:
    (spec,) = page("X=1").certificates
    assert spec.methods == Methods((HTTP,))


def test_each_name_gets_what_can_prove_it() -> None:
    found = methods("http-01 dns-01", "example.org *.example.org ip:192.0.2.1 ip:2001:DB8::1 > x")
    assert found == [(HTTP,), (DNS,), (HTTP,), (HTTP,)]


def test_a_certificates_own_file_counts_for_it_alone() -> None:
    found = page(
        f"CHALLENGETYPE=dns-01\n{PDNS}",
        "example.org\nother.org\n",
        **{"/etc/dehydrated/certs/example.org/config": 'CHALLENGETYPE="http-01"\n'},
    )
    assert [spec.methods.preferred for spec in found.certificates] == [(HTTP,), (DNS,)]
    assert [spec.provider for spec in found.certificates] == ["", "PowerDNS http://localhost:8081"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("http-02", "'http-02' is not known"),
        ("dns-01 http", "'http' is not known"),
        ("", "names no method"),
        ("example..org=dns-01", "an empty label"),
        ("example.org=", "'' is not known"),
        ("=dns-01", "may only be the whole first label"),
    ],
)
def test_what_cannot_be_understood_is_an_error_at_its_line(value: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=r"config:1: CHALLENGETYPE: ") as caught:
        page(f"CHALLENGETYPE='{value}'\n")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("config", "reason", "hint"),
    [
        ("", "*.example.org: a wildcard can be proven through DNS only, and CHALLENGETYPE is http-01", "=dns-01"),
        ("CHALLENGETYPE=tls-alpn-01", "*.example.org: a wildcard can be proven through DNS only", "=dns-01"),
        (f"CHALLENGETYPE='dns-01 *.example.org=http-01'\n{PDNS}", "CHALLENGETYPE is http-01", "=dns-01"),
    ],
)
def test_a_wildcard_that_nothing_can_prove_is_rejected(config: str, reason: str, hint: str) -> None:
    found = page(f"{config}\n", "*.example.org > wild\nwww.example.net\n")
    (rejected,) = found.rejected
    assert str(rejected.error).startswith(f"{DOMAINS}:1: *.example.org")
    assert reason in str(rejected.error)
    assert hint in rejected.error.hint


def test_without_a_dns_provider_the_next_method_counts() -> None:
    assert methods("dns-01 http-01", more="") == [(HTTP,)]
    with pytest.raises(ConfigError, match="PDNS_HOST and PDNS_KEY are not set"):
        methods("dns-01 http-01", "example.org *.example.org\n", more="")


def test_where_nothing_is_proven_through_dns_no_provider_is_read() -> None:
    found = page("CHALLENGETYPE='http-01 tls-alpn-01'\nPDNS_HOST=localhost\nPDNS_KEY_FILE=/nowhere\n")
    assert found.settings.providers == ()
    assert len(found.certificates) == 1


def test_what_is_said_of_other_names_is_no_part_of_a_certificate() -> None:
    chosen = page(f"CHALLENGETYPE='dns-01 other.org=http-01'\n{PDNS}", "example.org\n").certificates[0]
    assert chosen.methods == Methods((DNS,))


def test_a_method_for_a_name_that_no_certificate_has_is_found() -> None:
    found = page(f"CHALLENGETYPE='dns-01 exmaple.org=http-01 example.org=http-01'\n{PDNS}")
    (finding,) = found.findings
    assert finding.code == "unused-method"
    assert "exmaple.org is in no certificate" in finding.message


NAMES = st.sampled_from(["example.org", "*.example.org", "ip:192.0.2.1", "ip:2001:db8::1"]).map(Identifier.parse)
ORDERS = st.lists(st.sampled_from(ChallengeType), min_size=1, unique=True).map(tuple)


@given(NAMES, ORDERS, st.dictionaries(NAMES, ORDERS))
def test_only_what_can_prove_a_name_is_left_in_the_order_of_the_page(
    name: Identifier, preferred: tuple[ChallengeType, ...], chosen: dict[Identifier, tuple[ChallengeType, ...]]
) -> None:
    made = Methods(preferred, tuple(chosen.items()))
    found, wished = made.of(name), made.wished(name)
    assert list(found) == [method for method in wished if method in found]
    through_dns = {method for method in ChallengeType if method.value.startswith("dns-")}
    assert not (name.type is IdentifierType.IP and through_dns & set(found))
    assert not name.wildcard or set(found) <= through_dns
    assert all(method.through_dns for method in found[:-1])
    able = [method for method in wished if method.proves(name)]
    assert found[:1] == tuple(able[:1])
