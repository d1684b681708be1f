"""certkeeper.toml: the same settings by the same readers, and errors at the line of the key."""

import pytest

from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.methods import ChallengeType
from certkeeper.config.native import parse_native
from certkeeper.config.page import NATIVE
from certkeeper.config.reading import FailureKind
from certkeeper.config.settings import Configuration, ManualSettings
from certkeeper.config.tomlplaces import places
from unit.config.pages import CONFIG, DOMAINS, Page, codes

HEAD = 'challengetype = ["dns-01", "http-01"]\npdns_host = "localhost"\npdns_key = "secret"\n'
CERTIFICATE = '[certificate."example.org"]\nnames = ["example.org", "www.example.org"]\n'


def load(text: str, **more: str) -> Configuration:
    return Page({"/srv/x.toml": text, **more}).load("/srv/x.toml")


def test_it_says_what_dehydrated_s_files_say() -> None:
    found = load(
        HEAD
        + "renew_days = 20\nari = false\n"
        + CERTIFICATE
        + 'key_algo = "rsa"\nkeysize = 2048\n[certificate.post]\nnames = ["mail.example.net"]\n'
        + '[zone."example.net"]\ndns_provider = "manual"\n'
        + '[account.zerossl]\ncontact_email = "a@example.org"\n'
    )
    first, post = found.certificates
    assert [str(name) for name in first.identifiers] == ["example.org", "www.example.org"]
    assert (str(first.key), first.renew.days, first.where) == ("rsa-2048", 20, Location("/srv/x.toml", 6))
    assert (str(post.alias), str(post.identifiers[0])) == ("post", "mail.example.net")
    assert first.methods.preferred == (ChallengeType.DNS_01, ChallengeType.HTTP_01)
    assert not found.settings.ari
    (rule,) = found.settings.zone_rules
    provider = found.settings.provider(rule.provider)
    assert provider is not None
    assert provider.settings == ManualSettings()
    assert (found.settings.basedir, found.settings.certdir) == ("/srv", "/srv/certs")
    assert (found.settings.config_file, found.settings.domains_txt) == ("/srv/x.toml", "/srv/x.toml")
    assert found.rejected == ()


def test_where_it_is_looked_for_its_data_is_not_in_etc() -> None:
    found = Page({NATIVE: HEAD + CERTIFICATE, "/root/config": "X="}).load(cwd="/root")
    assert (found.settings.config_file, found.settings.basedir) == (NATIVE, "/var/lib/certkeeper")


@pytest.mark.parametrize("other", [CONFIG, "/usr/local/etc/dehydrated/config"])
def test_two_pages_that_nobody_named_are_an_error_that_names_both(other: str) -> None:
    page = Page({NATIVE: HEAD, other: "CHALLENGETYPE=http-01\n", DOMAINS: ""})
    with pytest.raises(ConfigError) as caught:
        page.load()
    assert str(caught.value) == f"{NATIVE}: found, and {other} is, too"
    assert "--config" in caught.value.hint
    assert page.load(NATIVE).settings.config_file == NATIVE
    assert page.load(environment={"CONFIG": NATIVE}).settings.config_file == NATIVE


def test_one_that_cannot_be_read_is_not_passed_over() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Page({NATIVE: FailureKind.UNREADABLE, CONFIG: "", DOMAINS: ""}).load()


def test_domains_txt_may_go_on_beside_it() -> None:
    text = 'domains_txt = "/srv/list"\n' + HEAD + CERTIFICATE + "[certificate.post]\nrenew_days = 9\n"
    found = load(text, **{"/srv/list": "mail.example.net > post\nexample.org\n"})
    assert [(str(spec.alias), spec.renew.days) for spec in found.certificates] == [("example.org", 32), ("post", 9)]
    (twice,) = found.rejected
    assert "the same certificate as at /srv/x.toml:5" in str(twice.error)


def test_a_table_without_names_that_no_line_makes_is_rejected() -> None:
    (found,) = load(HEAD + "[certificate.post]\nrenew_days = 9\n").rejected
    assert str(found.error) == "/srv/x.toml:4: the table has no names"


@pytest.mark.parametrize("alias", ["two words", "../up", "a>b", "-x"])
def test_an_alias_cannot_be_more_than_one(alias: str) -> None:
    found = load(HEAD + f'[certificate."{alias}"]\nnames = ["example.org"]\n')
    assert found.certificates == ()
    assert [item.error.where for item in found.rejected if isinstance(item.error, ConfigError)] == [
        Location("/srv/x.toml", 4)
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("renew_days = true", 1, "renew_days: has to be a string, or a whole number"),
        ("ari = 1", 1, "ari: has to be a string, or true or false"),
        ('hook = ["/x"]', 1, "hook: has to be a string"),
        ('nameservers = ["192.0.2.1 192.0.2.2"]', 1, "nameservers: holds an empty word, or one with blanks"),
        ("nameservers = [\n  1,\n]", 1, "nameservers: has to be a list of strings"),
        ("\n\nrenew_days = 2026-01-01", 3, "renew_days: has to be"),
        ("certificate = 3", 1, "certificate: not a table"),
        ('[certificate]\n"example.org" = "x"', 2, "certificate.example.org: not a table"),
        ('[certificate.x]\nnames = "example.org"', 2, "names: has to be a list of strings"),
        ('[account."nobody"]\neab_kid = "x"', 1, "'nobody' is neither a preset nor a URL"),
        ("ca = 'x'\nca = 'y'", 2, "no TOML: cannot overwrite a value"),
        ("x = [\n1,\n", 3, "no TOML: "),
        ('renew_days = "soon"', 1, "RENEW_DAYS: 'soon' is no number"),
        ('config_d = "/x"', 1, "config_d: is for dehydrated's files"),
        ("x = " + "[" * 5000, 0, "no TOML: nested too deeply"),
        ("x = " + "9" * 5000, 0, "no TOML: a number that is too long"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert caught.value.where == Location("/srv/x.toml", line)
    assert caught.value.reason.startswith(words)
    assert caught.value.hint


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        load('pdns_key = ["hush hush"]')
    assert "hush" not in f"{caught.value} {caught.value.hint}"


def test_a_key_that_means_nothing_is_told_with_the_one_that_may_be_meant() -> None:
    text = (
        HEAD + 'renew_day = 3\nHOST = "x"\nRENEW_DAYS = 3\nfoo = 1\n' + CERTIFICATE + "[certificates.x]\nnames = []\n"
    )
    found = [item for item in load(text).findings if item.code == "unknown-setting"]
    assert [(item.where and item.where.line, item.message.partition("; ")[2]) for item in found] == [
        (4, "did you mean renew_days?"),
        (5, "did you mean pdns_host?"),
        (6, "did you mean renew_days?"),
        (7, ""),
        (10, "tables are certificate, zone, account, target; did you mean certificate?"),
    ]


def test_one_certificate_s_file_of_dehydrated_s_is_told_not_to_count() -> None:
    found = load(HEAD + CERTIFICATE, **{"/srv/certs/example.org/config": "KEY_ALGO=rsa"})
    assert codes(found.findings) == ["unread-certificate-config"]
    assert str(found.certificates[0].key) == "secp384r1"


def test_a_variable_of_the_environment_hides_no_setting() -> None:
    text = HEAD + CERTIFICATE + 'dns_provider = "manual"\n'
    page = Page({"/srv/x.toml": text})
    found = page.load("/srv/x.toml", environment={"DNS_PROVIDER": "manual"})
    assert found.certificates[0].provider == "a person"


def test_places_are_found_around_strings_lists_and_comments() -> None:
    text = (
        'a = """x\n[not.a.table]\nb = 1 \\" """ \n'  # 1-3
        "c = [ # ]\n  'x]', \"#\", [1, 2],\n]\n"  # 4-6
        "'d'.\"e\\u0065\" . f = {g = 1, h = '}'} # h = 2\n\n"  # 7
        '[ t . "u.v" ] # w = 1\nx = 1\r\n[[l]]\ny = 2'  # 9-12
    )
    found = places(text)
    expected = {("a",): 1, ("c",): 4, ("d", "ee", "f"): 7, ("t", "u.v"): 9, ("t", "u.v", "x"): 10, ("l", "y"): 12}
    assert {path: found.line(path) for path in expected} == expected
    assert found.line(("d", "ee", "f", "g")) == 7
    assert found.line(("b",)) == 0


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble() -> None:
    found = parse_native("x.toml", "\ufeffari = false\r\nrenew_days = 3\r\n")
    assert [(item.name, item.value, item.where.line) for item in found.page] == [
        ("ARI", "no", 1),
        ("RENEW_DAYS", "3", 2),
    ]


def test_tables_whose_aliases_are_the_same_lose_nothing_silently() -> None:
    found = load(HEAD + '[certificate.Post]\nnames = ["a.org"]\n[certificate.post]\nnames = ["b.org"]\n')
    assert [str(name) for spec in found.certificates for name in spec.identifiers] == ["a.org"]
    (rejected,) = found.rejected
    assert (rejected.label, str(rejected.error)) == (
        "post",
        "/srv/x.toml:6: post: the same certificate as at /srv/x.toml:4",
    )


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("ari = 1", "write ari = true"),
        ("ari = 0.0", "write ari = false"),
        ("renew_days = 30.0", "write renew_days = 30"),
        ("renew_days = nan", 'write renew_days = "…"'),
        ("nameservers = 1", 'write nameservers = ["…", "…"]'),
        ("key_algo = 384", 'write key_algo = "384"'),
        ("hook = 1.5", 'write hook = "1.5"'),
    ],
)
def test_a_value_of_another_type_is_told_as_it_may_be_meant(line: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"{line}\n{CERTIFICATE}")
    assert caught.value.hint == hint


def test_a_list_of_no_names_is_told_as_such() -> None:
    (rejected,) = load(HEAD + "[certificate.post]\nnames = []\n").rejected
    assert str(rejected.error) == "/srv/x.toml:4: names: there is none"
    assert rejected.error.hint.startswith('write names = ["example.org"]')


def test_tables_of_zones_are_called_tables() -> None:
    found = load(HEAD + CERTIFICATE + '[zone."example.net"]\ndns_provider = "manual"\n')
    (finding,) = found.findings
    assert "rename the table" in finding.fix
    assert "the table counts only" in finding.consequence
    with pytest.raises(ConfigError, match=r"x.toml:6: the table's name is no zone"):
        load(HEAD + CERTIFICATE + '[zone."-"]\ndns_provider = "manual"\n')


def test_what_is_not_expanded_is_told_without_its_value() -> None:
    text = HEAD + 'certdir = "~/certs"\nhook = "$HOME/x"\nwellknown = "/w$"\naccountdir = "$(pwd)"\n' + CERTIFICATE
    found = [item for item in load(text).findings if item.code == "not-expanded"]
    assert [item.where and item.where.line for item in found] == [4, 5, 7]
    secret = load(HEAD.replace('"secret"', '"$secret"') + CERTIFICATE)
    assert "not-expanded" not in codes(secret.findings)


def test_our_own_form_under_another_name_is_told_what_to_do() -> None:
    for text in ("renew_days = 30\n", CERTIFICATE):
        with pytest.raises(ConfigError) as caught:
            Page({"/srv/x.conf": text}).load("/srv/x.conf")
        assert "ends in .toml: rename it" in caught.value.hint
    with pytest.raises(ConfigError) as other:
        Page({"/srv/x.conf": "X = 1\n"}).load("/srv/x.conf")
    assert ".toml" not in other.value.hint
