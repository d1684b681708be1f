"""All that is wrong with a page, and not only what a reader meets first."""

import pytest

from certkeeper.base.errors import Location
from certkeeper.config.check import Checked, examine
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.load import load
from certkeeper.config.reading import FailureKind
from unit.config.pages import CONFIG, DOMAINS, Page
from unit.config.test_seed import OWN, text

POWERDNS = 'CHALLENGETYPE="dns-01"\nPDNS_HOST=localhost\nPDNS_KEY=secret\nKEY_ALGO=rsa\nRENEW_DAYS=30\n'


def check(
    files: dict[str, str | FailureKind], config: str | None = None, *, open_to_all: tuple[str, ...] = ()
) -> Checked:
    exchange = examine(lambda typed: load(config, cwd="/root", environment={}, typed=typed))
    page = Page(files, open_to_all=open_to_all)
    try:
        step = next(exchange)
        while True:
            step = exchange.send(page.answer(step))
    except StopIteration as done:
        found = done.value
        assert isinstance(found, Checked)
        return found


def errors(found: Checked) -> list[tuple[str, str]]:
    return [(str(item.where), item.message) for item in found.findings if item.severity is Severity.ERROR]


def test_it_goes_on_after_an_error_with_all_others() -> None:
    config = POWERDNS + "KEYSIZE=1\nRENEW_DAYS=soon\nARI=perhaps\nif true; then\n  X=1\nfi\nOCSP_DAYS=x\n"
    found = check({CONFIG: config, DOMAINS: "g_.org\nexample.org\n"})
    expected = {*(f"{CONFIG}:{line}" for line in (6, 7, 8, 9, 11, 12)), f"{DOMAINS}:1"}
    assert {where for where, _ in errors(found)} == expected
    assert len(errors(found)) == len(expected)
    assert found.configuration is not None
    assert [str(spec.alias) for spec in found.configuration.certificates] == ["example.org"]


def test_the_rest_of_a_function_is_not_told_line_by_line() -> None:
    config = POWERDNS + 'deploy() {\n  echo "$1"\n  true\n}\nKEYSIZE=2\n'
    found = errors(check({CONFIG: config, DOMAINS: "example.org\n"}))
    assert [where for where, _ in found] == [f"{CONFIG}:6", f"{CONFIG}:10"]


def test_a_missing_list_and_a_missing_provider_end_nothing() -> None:
    found = check({CONFIG: "CHALLENGETYPE=dns-01\nARI=x\n"})
    assert [where for where, _ in errors(found)] == [f"{CONFIG}:2", DOMAINS]
    found = check({CONFIG: "CHALLENGETYPE=dns-01\n", DOMAINS: "example.org\n*.example.org\n"})
    assert [message.partition(",")[0] for _, message in errors(found)] == [
        "PDNS_HOST and PDNS_KEY are not set",
        "*.example.org: a wildcard cannot name a folder",
    ]


def test_without_a_main_file_there_is_nothing_to_go_on_with() -> None:
    for files, config in (({}, None), ({CONFIG: FailureKind.UNREADABLE}, None), ({}, "/nowhere")):
        found = check(dict(files), config)
        assert len(errors(found)) == 1
        assert found.configuration is None


def test_a_toml_is_checked_the_same_way() -> None:
    document = 'challengetype = "http-01"\nrenew_days = "x"\nnameservers = [\n "a b"\n]\nari = "no"\n'
    found = errors(check({"/x.toml": document + 'keysize = "z"\nkey_algo = "rsa"\n'}, "/x.toml"))
    assert sorted(where for where, _ in found)[:2] == ["/x.toml:2", "/x.toml:3"]


# Each row of what a page from 2016 means today, as far as the page alone shows it.
@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("acme-v1-url", Location(CONFIG, 21)),
        ("must-staple-refused", Location(CONFIG, 115)),
        ("semicolon-comment", Location(OWN, 1)),
        ("legacy-pdns-names", Location(CONFIG, 119)),
        ("unused-certificate-config", Location(OWN)),
        ("key-algo-default", Location(CONFIG)),
        ("renew-days-default", Location(CONFIG)),
        ("pdns-api-hook", Location(CONFIG, 84)),
        ("api-key-in-clear", Location(CONFIG, 119)),
        ("open-key-file", Location(CONFIG, 123)),
        ("truth-value", Location(CONFIG, 131)),
        ("license-setting", Location(CONFIG, 130)),
    ],
)
def test_the_seed_s_issues_are_all_told(code: str, where: Location) -> None:
    config = (
        text("config") + 'LICENSE="https://letsencrypt.org/documents/LE-SA-v1.1.1-August-1-2016.pdf"\nHOOK_CHAIN=Yes\n'
    )
    files = {CONFIG: config, DOMAINS: text("domains.txt"), OWN: text("certs/mail.example.net/config")}
    found = {item.code: item for item in check(dict(files), open_to_all=(CONFIG,)).findings}
    assert found[code].where == where
    assert found[code].message
    assert found[code].consequence


def test_the_version_that_collides_with_dehydrated_s_is_told() -> None:
    found = check({CONFIG: text("config"), DOMAINS: text("domains.txt")})
    (legacy,) = [item for item in found.findings if item.code == "legacy-pdns-names"]
    assert "VERSION changes dehydrated's own" in legacy.consequence


def test_a_secret_in_a_file_that_everybody_reads_is_told_by_name_only() -> None:
    config = POWERDNS + "EAB_KID=kid\nEAB_HMAC_KEY=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\nDNS_PROVIDER=manual\n"
    found = check({CONFIG: config, DOMAINS: "example.org\n"}, open_to_all=(CONFIG,))
    (secret,) = [item for item in found.findings if item.code == "open-secret"]
    assert secret.message.startswith("PDNS_KEY, EAB_HMAC_KEY: ")
    assert "c2Vj" not in f"{secret}"
    assert not [item for item in check({CONFIG: config, DOMAINS: "a.org\n"}).findings if item.code == "open-secret"]


def test_a_zone_that_cannot_be_read_is_an_error() -> None:
    files = {CONFIG: POWERDNS + "ZONES_D=/z\n", DOMAINS: "a.example.net\n", "/z/example.net": "DNS_PROVIDER=manul\n"}
    found = check(files)
    assert errors(found) == [("/z/example.net:1", "zone example.net: DNS_PROVIDER: 'manul' is not known")]
    table = POWERDNS.replace("=localhost", '="localhost"').replace("=secret", '="secret"').replace("=rsa", '="rsa"')
    native = table.lower().replace("renew", "\nrenew") + '[zone."example.net"]\ndns_provider = "manul"\n'
    (error,) = errors(check({"/x.toml": native}, "/x.toml"))
    assert error[1] == "zone example.net: DNS_PROVIDER: 'manul' is not known"


@pytest.mark.parametrize(
    ("line", "code"),
    [("OLDCA=letsencrypt-old", "old-ca"), ("OLDCA=letsencrypt", "old-ca"), ("ALERT_MAIL=root,me@", "alert-mail")],
)
def test_words_that_mean_nothing_are_told(line: str, code: str) -> None:
    found = check({CONFIG: f"{POWERDNS}{line}\n", DOMAINS: "example.org\n"})
    assert [(item.code, str(item.where)) for item in found.findings] == [(code, f"{CONFIG}:6")]


def whole(found: Checked) -> list[tuple[str, str]]:
    return [(item.code, item.message) for item in found.findings]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            "CHALLENGETYPE=http-01\nRENEW_DAYS=30\nKEY_ALGO=ecdsa\n",
            [("unreadable-page", "KEY_ALGO: 'ecdsa' is not known")],
        ),
        (
            POWERDNS + "EAB_KID=kid\nEAB_HMAC_KEY=x\n",
            [("unreadable-page", "EAB_HMAC_KEY: is not base64url")],
        ),
        (
            POWERDNS.replace("KEY=", "KEY_FILE=/no"),
            [("unreadable-page", "PDNS_KEY_FILE: /nosecret cannot be read: it is missing")],
        ),
        (
            POWERDNS + "CHALENGETYPE=x\nKEYSIZE=1\n",
            [
                ("unreadable-page", "KEYSIZE: '1' is no number from 2048 to 16384"),
                ("unknown-variable", "CHALENGETYPE: not a known variable; did you mean CHALLENGETYPE?"),
            ],
        ),
    ],
)
def test_what_only_comes_of_a_line_that_is_wrong_is_not_told(config: str, said: list[tuple[str, str]]) -> None:
    found = check({CONFIG: config, DOMAINS: "example.org\n"})
    assert [(code, message[: len(text)]) for (code, message), (_, text) in zip(whole(found), said, strict=True)] == said
    assert not any("CHALENGETYPE" in item.fix for item in found.findings if item.severity is Severity.ERROR)


def test_a_file_whose_only_line_is_wrong_does_not_set_nothing() -> None:
    found = check({CONFIG: "if true\n", DOMAINS: "example.org\n"})
    assert "empty-config" not in [item.code for item in found.findings]


def test_the_settings_of_a_table_that_is_passed_over_go_to_no_other_one() -> None:
    text = 'challengetype = "http-01"\n[zone."a.org"]\ndns_provider = "manual"\n[account."foo"]\neab_kid = "x"\n'
    found = check({"/x.toml": text + '[certificate.a]\nnames = ["a.org"]\n'}, "/x.toml")
    assert [where for where, _ in errors(found)] == ["/x.toml:4"]
    assert [item.code for item in found.findings] == ["unreadable-page"]


def test_findings_of_the_machine_are_left_out_where_they_may_be_wrong() -> None:
    found = check({CONFIG: POWERDNS + "CHALLENGETYPE=dsn-01\n", DOMAINS: "example.org\n"})
    missing = Finding("missing-folder", Severity.ERROR, "WELLKNOWN: /w: not there")
    assert found.known((missing,)) == ()
    assert check({CONFIG: POWERDNS, DOMAINS: "example.org\n"}).known((missing,)) == (missing,)
