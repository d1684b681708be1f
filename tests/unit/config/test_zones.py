import pytest

from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.names import DnsName
from certkeeper.config.errors import ConfigError
from certkeeper.config.providers import provider_for
from certkeeper.config.reading import FailureKind
from certkeeper.config.settings import Configuration, HookSettings, ManualSettings, PowerDnsSettings, Secret
from unit.config.pages import CONFIG, POWERDNS, codes, page

FOLDER = "/etc/dehydrated/zones"
USUAL = "PowerDNS http://localhost:8081"
DOMAINS = "example.org www.example.org\nexample.net\n"


def zones(domains: str = DOMAINS, config: str = POWERDNS, **files: str | FailureKind) -> Configuration:
    """A page with these files in ZONES_D; their names have _ for the dots."""
    named = {f"{FOLDER}/{name.replace('_', '.')}": text for name, text in files.items()}
    return page(f"{config}ZONES_D={FOLDER}/\n", domains, **named)


def writer(found: Configuration, name: str) -> str | CertkeeperError:
    alias = next(iter(found.certificates), None)
    return provider_for(found.settings, DnsName(name), alias.provider if alias else "")


def test_a_zone_and_what_is_below_it_go_to_its_own_provider() -> None:
    found = zones(example_org="PDNS_HOST=ns9\n")
    assert writer(found, "_acme-challenge.www.example.org") == "PowerDNS http://ns9:8081"
    assert writer(found, "example.org") == "PowerDNS http://ns9:8081"
    assert writer(found, "_acme-challenge.example.net") == USUAL
    assert writer(found, "notexample.org") == USUAL
    assert found.settings.provider("PowerDNS http://ns9:8081") is not None
    assert "hunter2" not in repr(zones(example_org="PDNS_KEY=hunter2\n"))


def test_the_closest_zone_counts() -> None:
    found = zones(example_org="PDNS_HOST=far\n", www_example_org="PDNS_HOST=near\n")
    assert writer(found, "_acme-challenge.www.example.org") == "PowerDNS http://near:8081"
    assert writer(found, "_acme-challenge.a.example.org") == "PowerDNS http://far:8081"


def test_the_page_is_inherited_but_its_hook_is_not() -> None:
    found = zones(config=f"{POWERDNS}HOOK=/x/hook.sh\n", example_org="PDNS_HOST=ns9\n", example_net="HOOK=/y.sh\n")
    assert writer(found, "example.org") == "PowerDNS http://ns9:8081"
    assert writer(found, "example.net") == "hook /y.sh"
    assert writer(found, "example.com") == "hook /x/hook.sh"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DNS_PROVIDER=manual\n", ManualSettings()),
        ("DNS_PROVIDER=hook HOOK=/x.sh HOOK_CHAIN=yes\n", HookSettings("/x.sh", chain=True)),
        ("DNS_PROVIDER=powerdns PDNS_KEY=other\n", PowerDnsSettings("http://localhost:8081", Secret("other"))),
    ],
)
def test_every_kind(text: str, expected: object) -> None:
    found = zones(example_org=text)
    id_ = writer(found, "example.org")
    assert isinstance(id_, str)
    provider = found.settings.provider(id_)
    assert provider is not None
    assert provider.settings == expected


def test_the_same_server_with_another_key_is_another_provider() -> None:
    found = zones(example_org="PDNS_KEY=other\n", example_net="PDNS_KEY=third\n")
    ids = {writer(found, name) for name in ("example.org", "example.net", "example.com")}
    assert ids == {USUAL, f"{USUAL} #2", f"{USUAL} #3"}


def test_a_file_that_says_the_same_is_no_provider_of_its_own() -> None:
    found = zones(example_org="PDNS_HOST=localhost\n")
    assert [item.id for item in found.settings.providers] == [USUAL]


def test_the_page_needs_no_provider_where_every_zone_has_one() -> None:
    own = "PDNS_HOST=ns9 PDNS_KEY=k\n"
    found = zones(config="CHALLENGETYPE=dns-01\n", example_org=own, example_net=own)
    assert len(found.certificates) == 2
    assert writer(found, "example.net") == "PowerDNS http://ns9:8081"
    with pytest.raises(ConfigError, match=r"PDNS_HOST and PDNS_KEY are not set, and example\.net is proven"):
        zones(config="CHALLENGETYPE=dns-01\n", example_org=own)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("PDNS_PORT=x\n", "PDNS_PORT: 'x' is no number"),
        ("DNS_PROVIDER=bind9\n", "DNS_PROVIDER: 'bind9' is not known"),
        ("DNS_PROVIDER=hook\n", "HOOK is not set, and zone example.org is proven through a hook"),
        ("if true\n", "1: "),
        (FailureKind.UNREADABLE, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_where_its_zone_is_needed(text: str | FailureKind, reason: str) -> None:
    found = zones(example_org=text)
    error = writer(found, "www.example.org")
    assert isinstance(error, ConfigError)
    assert reason in str(error)
    assert str(error).startswith(f"{FOLDER}/example.org")
    assert writer(found, "example.net") == USUAL


def test_a_file_whose_name_is_no_zone_ends_it() -> None:
    with pytest.raises(ConfigError, match="the file's name is no zone"):
        zones(**{"a b": ""})


def test_a_folder_that_is_missing_ends_it() -> None:
    with pytest.raises(ConfigError, match="ZONES_D: /etc/dehydrated/zones: it is missing") as caught:
        zones()
    assert caught.value.where == Location(CONFIG, 4)


def test_what_has_no_effect_is_found() -> None:
    found = zones(example_org="RENEW_DAYS=1\nHELPER=x\nPDNS_HOTS=y\n", example_com="PDNS_HOST=z\n")
    assert codes(found.findings) == ["api-key-in-clear", "unknown-variable", "not-per-zone", "unused-zone-file"]


def test_settings_of_the_page_are_told_with_how_to_set_them_for_the_zone() -> None:
    found = zones(example_org="NAMESERVERS=127.0.0.1\nPROPAGATION=all\nPDNS_HOST=localhost\n").findings
    assert codes(found) == ["not-per-zone", "not-per-zone"]
    assert found[0].message == "NAMESERVERS: cannot be set in a zone's own file"
    assert found[0].fix == 'write NAMESERVERS="example.org=…" in the main configuration file'
    assert found[0].where == Location(f"{FOLDER}/example.org", 1)
    assert found[1].fix == "set it in the main configuration file, or remove it"


@pytest.mark.parametrize(("text", "suffix"), [("acme.example.net", "acme.example.net"), (".Acme.net.", "acme.net")])
def test_a_suffix_belongs_to_the_provider(text: str, suffix: str) -> None:
    found = page(f"{POWERDNS}PDNS_SUFFIX={text}\n")
    assert [item.suffix for item in found.settings.providers] == [DnsName(suffix)]


def test_a_suffix_that_is_no_name_is_an_error() -> None:
    with pytest.raises(ConfigError, match="PDNS_SUFFIX: "):
        page(f"{POWERDNS}PDNS_SUFFIX='a b'\n")
