from collections.abc import Mapping

import pytest

from certkeeper.base.accounts import account_folder
from certkeeper.base.errors import Location
from certkeeper.base.wire import Step
from certkeeper.config.errors import ConfigError
from certkeeper.config.load import FailureKind
from certkeeper.config.page import NATIVE
from certkeeper.config.reading import Become
from certkeeper.config.shell import Assignment
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page, codes, page


@pytest.mark.row("B01")
def test_b01_the_first_of_the_usual_places_counts() -> None:
    files = {CONFIG: "X=", "/root/config": "X=", DOMAINS: "", "/root/domains.txt": ""}
    assert Page(files).load(cwd="/root").settings.basedir == "/etc/dehydrated"
    del files[CONFIG]
    assert Page(files).load(cwd="/root").settings.basedir == "/root"
    files["/usr/local/etc/dehydrated/config"] = "X="
    files["/usr/local/etc/dehydrated/domains.txt"] = ""
    assert Page(files).load(cwd="/root").settings.config_file == "/usr/local/etc/dehydrated/config"


def test_b02_no_configuration_anywhere_says_where_it_was_looked_for() -> None:
    with pytest.raises(ConfigError) as caught:
        Page({}).load(cwd="/root")
    assert (
        str(caught.value)
        == f"{CONFIG}: not found, and neither are /usr/local/etc/dehydrated/config, /root/config and {NATIVE}"
    )
    assert "--config" in caught.value.hint


@pytest.mark.row("B02")
def test_b02_no_configuration_anywhere_makes_defaults_count_where_the_command_says_so() -> None:
    files = {"/opt/domains.txt": "example.org\n"}
    found = Page(files).load(cwd="/root", fallback="/opt")
    assert (found.settings.config_file, found.settings.basedir) == ("", "/opt")
    assert found.settings.certdir == "/opt/certs"
    assert [str(spec.alias) for spec in found.certificates] == ["example.org"]
    assert Page({**files, CONFIG: "", DOMAINS: ""}).load(fallback="/opt").settings.basedir == "/etc/dehydrated"


def test_without_a_configuration_an_error_names_no_file() -> None:
    typed = (Assignment("CHALLENGETYPE", "dns-01", Location("--challenge")),)
    with pytest.raises(ConfigError, match=r"^no configuration file: PDNS_HOST and PDNS_KEY are not set"):
        Page({"/opt/domains.txt": "example.org\n"}).load(fallback="/opt", typed=typed)
    with pytest.raises(ConfigError, match="cannot be read"):
        Page({}).load("/x/config", fallback="/opt")


def test_an_empty_name_of_a_configuration_is_an_error_and_not_the_usual_places() -> None:
    with pytest.raises(ConfigError, match=r"^--config: empty$"):
        Page({CONFIG: "X=", DOMAINS: ""}).load("")


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_named_configuration_that_cannot_be_read_is_an_error(kind: FailureKind) -> None:
    with pytest.raises(ConfigError, match=f"/x/config: cannot be read: it is {kind}"):
        Page({"/x/config": kind, CONFIG: "", DOMAINS: ""}).load("/x/config")


@pytest.mark.parametrize("kind", [FailureKind.UNREADABLE, FailureKind.NOT_UTF8])
def test_an_unreadable_configuration_is_not_passed_over(kind: FailureKind) -> None:
    with pytest.raises(ConfigError, match=CONFIG):
        Page({CONFIG: kind, "/root/config": "", "/root/domains.txt": ""}).load()


def test_config_is_the_one_setting_of_the_environment() -> None:
    files = {"/x/config": "X=", "/x/domains.txt": "", "/y/config": "X=", "/y/domains.txt": ""}
    environment = {"CONFIG": "/x/config", "BASEDIR": "/z", "CA": "zerossl", "PDNS_HOST": "h", "HOST": "h", "WAIT": "5"}
    found = Page(files).load(environment=environment)
    assert found.settings.config_file == "/x/config"
    assert found.settings.basedir == "/x"
    assert found.settings == Page(files).load("/x/config").settings
    assert Page(files).load("/y/config", environment=environment).settings.basedir == "/y"


def test_the_environment_serves_expansion() -> None:
    found = Page({CONFIG: "CERTDIR=$HOME/$OWN ACCOUNTDIR=~/acc", DOMAINS: ""}).load(
        environment={"HOME": "/h", "OWN": "x", "CERTDIR": "/y"}
    )
    assert (found.settings.certdir, found.settings.accountdir) == ("/h/x", "/h/acc")


def test_dehydrateds_defaults_can_be_used_in_the_file() -> None:
    found = Page({CONFIG: "STATEDIR=/x/$RENEW_DAYS$CERTDIR$CONFIG ACCOUNTDIR=$BASEDIR/a", DOMAINS: ""}).load(
        environment={"RENEW_DAYS": "99"}
    )
    assert (found.settings.statedir, found.settings.accountdir) == (f"/x/32{CONFIG}", "/etc/dehydrated/a")


def test_a_relative_configuration_stays_relative() -> None:
    files = {"config": "X=", "./domains.txt": ""}
    assert Page(files).load("config").settings.certdir == "./certs"


@pytest.mark.row("B04")
def test_b04_drop_ins_count_in_order() -> None:
    found = page(
        "CONFIG_D=/d/\nCONTACT_EMAIL=m@x",
        "",
        **{
            "/d/b.sh": 'CONTACT_EMAIL="$CONTACT_EMAIL.b"',
            "/d/a.sh": "CONTACT_EMAIL=$CONTACT_EMAIL.a",
            "/d/c.conf": "'",
        },
    )
    assert found.settings.contact_email == "m@x.a.b"


@pytest.mark.row("B04")
def test_b04_the_files_that_counted_are_known_and_what_they_set() -> None:
    found = page("CONFIG_D=/d\nRENEW_DAYS=9", "", **{"/d/b.sh": "OWN=word", "/d/a.sh": "OWN=x\nX=1", "/d/c.conf": "'"})
    assert found.drop_ins == ("/d/a.sh", "/d/b.sh")
    assert (found.assigned["OWN"].value, found.assigned["OWN"].where) == ("word", Location("/d/b.sh", 1))
    assert found.assigned["RENEW_DAYS"].where == Location(CONFIG, 2)
    assert "word" not in repr(found)


def test_an_error_in_a_drop_in_names_it() -> None:
    with pytest.raises(ConfigError) as caught:
        page("CONFIG_D=/d\nRENEW_DAYS=1", "", **{"/d/a.sh": "\nRENEW_DAYS=x"})
    assert caught.value.where == Location("/d/a.sh", 2)


@pytest.mark.row("B05")
def test_b05_an_empty_directory_of_drop_ins_is_fine() -> None:
    assert page("CONFIG_D=/d", "", **{"/d/readme": ""}).findings == ()


def test_a_missing_directory_of_drop_ins_is_an_error_at_the_assignment() -> None:
    with pytest.raises(ConfigError) as caught:
        page("X=\nCONFIG_D=/d", "")
    assert str(caught.value) == f"{CONFIG}:2: CONFIG_D: /d: it is missing"


def test_an_unreadable_drop_in_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"/d/a\.sh: cannot be read"):
        page("CONFIG_D=/d", "", **{"/d/a.sh": FailureKind.UNREADABLE})


@pytest.mark.row("B11")
def test_b11_the_accounts_own_file_counts_for_its_ca() -> None:
    name = "aHR0cHM6Ly9hY21lLXN0YWdpbmctdjAyLmFwaS5sZXRzZW5jcnlwdC5vcmcvZGlyZWN0b3J5Cg"
    files = {f"/etc/dehydrated/accounts/{name}/config": 'CERTDIR="${BASEDIR}/staging"'}
    assert (
        page("CA=letsencrypt-test\nBASEDIR=/etc/dehydrated/\n", "", **files).settings.certdir
        == "/etc/dehydrated/staging"
    )
    assert page("CA=letsencrypt\n", "", **files).settings.certdir == "/etc/dehydrated/certs"


def test_an_empty_configuration_is_found() -> None:
    found = page("# CA=x\n", "")
    assert [(item.code, item.where) for item in found.findings] == [("empty-config", Location(CONFIG))]


def test_d23_a_missing_domains_txt_is_an_error_that_says_what_to_put_there() -> None:
    with pytest.raises(ConfigError) as caught:
        Page({CONFIG: POWERDNS}).load()
    assert str(caught.value).startswith(f"{DOMAINS}: cannot be read")
    assert "www.example.org" in caught.value.hint


def test_d16_drop_ins_of_domains_txt() -> None:
    found = page(
        POWERDNS,
        "a.org",
        **{f"{DOMAINS}.d/b.txt": "b.org", f"{DOMAINS}.d/a.txt": "c.org", f"{DOMAINS}.d/x.conf": "x.org"},
    )
    assert [(item.alias.text, item.where.file) for item in found.certificates] == [
        ("a.org", DOMAINS),
        ("c.org", f"{DOMAINS}.d/a.txt"),
        ("b.org", f"{DOMAINS}.d/b.txt"),
    ]


def test_an_unreadable_folder_of_drop_ins_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"domains\.txt\.d: cannot be read"):
        page(POWERDNS, "a.org", **{f"{DOMAINS}.d": FailureKind.UNREADABLE})


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        (FailureKind.MISSING, True),
        (FailureKind.DIRECTORY, True),
        (FailureKind.UNREADABLE, False),
        (FailureKind.NOT_UTF8, False),
    ],
)
def test_a_certificates_own_file_that_cannot_be_read_rejects_it_alone(kind: FailureKind, accepted: bool) -> None:  # noqa: FBT001
    found = page(POWERDNS, "a.org\nb.org\n", **{"/etc/dehydrated/certs/a.org/config": kind})
    assert [item.alias.text for item in found.certificates] == (["a.org", "b.org"] if accepted else ["b.org"])
    assert [item.label for item in found.rejected] == ([] if accepted else ["a.org"])


def test_d25_lines_that_cannot_be_read_do_not_stop_the_others() -> None:
    found = page(POWERDNS, "a.org\nb..org\nc.org\n")
    assert [item.alias.text for item in found.certificates] == ["a.org", "c.org"]
    assert [str(item.error).partition(": ")[0] for item in found.rejected] == [f"{DOMAINS}:2"]


def test_findings_of_the_page_do_not_repeat_for_each_certificate() -> None:
    files = {f"/etc/dehydrated/certs/{name}.org/config": "RENEW_DAYS=3" for name in "abc"}
    assert codes(page(f"{POWERDNS}HOOK_CHAIN=Yes\n", "a.org\nb.org\nc.org\n", **files).findings) == ["truth-value"]


def test_nothing_is_read_for_a_rejected_line() -> None:
    reading = Page({CONFIG: POWERDNS, DOMAINS: "a.org > ../x\n*.b.org\n"})
    reading.load()
    assert not any("certs" in path for path in reading.asked)


def typed(**settings: str) -> tuple[Assignment, ...]:
    return tuple(Assignment(name, value, Location("command line")) for name, value in settings.items())


def test_what_is_typed_counts_more_than_the_page_and_less_than_a_certificates_own_file() -> None:
    files = {CONFIG: f"{POWERDNS}KEY_ALGO=rsa\nCERTDIR=/a\n", DOMAINS: "example.org\nexample.net\n"}
    own = {"/b/example.net/config": "KEY_ALGO=secp384r1\n"}
    found = Page({**files, **own}).load(typed=typed(KEY_ALGO="prime256v1", CERTDIR="/b"))
    assert found.settings.certdir == "/b"
    assert [spec.key.algorithm.value for spec in found.certificates] == ["prime256v1", "secp384r1"]


def test_a_typed_ca_chooses_the_accounts_own_file_and_still_counts_after_it() -> None:
    folder = account_folder("https://ca.test/dir")
    files = {CONFIG: POWERDNS, DOMAINS: "example.org\n"}
    own = {f"/etc/dehydrated/accounts/{folder}/config": "CONTACT_EMAIL=a@example.org\nCERTDIR=/account\n"}
    found = Page({**files, **own}).load(typed=typed(CA="https://ca.test/dir", CERTDIR="/typed"))
    assert (found.settings.ca, found.settings.contact_email) == ("https://ca.test/dir", "a@example.org")
    assert found.settings.certdir == "/typed"


def test_the_rest_of_the_page_is_read_as_the_user_that_it_wishes_for() -> None:
    files = {
        CONFIG: "DEHYDRATED_USER=keeper\nCONFIG_D=/d",
        "/d/a.sh": "DEHYDRATED_GROUP=mail",
        DOMAINS: "a.org\n",
        "/etc/dehydrated/certs/a.org/config": "WELLKNOWN=$HOME/w",
    }
    found = _AtTheSwitch(files)
    configuration = found.load(environment={"HOME": "/root"})
    assert found.became == [("keeper", "mail")]
    assert found.before == [NATIVE, CONFIG, "/d/a.sh"]
    assert configuration.certificates[0].wellknown == "/home/keeper/w"


class _AtTheSwitch(Page):
    """Notes what was read before it."""

    before: list[str]

    def answer(self, step: Step) -> object:
        if isinstance(step, Become):
            self.before = list(self.asked)
        return super().answer(step)


def test_nobody_else_is_asked_for_where_the_page_names_no_user() -> None:
    found = Page({CONFIG: "", DOMAINS: ""})
    found.load()
    assert found.became == []


@pytest.mark.row("B17")
def test_b17_a_group_without_a_user_is_an_error() -> None:
    with pytest.raises(ConfigError, match=f"^{CONFIG}:2: DEHYDRATED_GROUP: counts only together with DEHYDRATED_USER"):
        page("\nDEHYDRATED_GROUP=mail")


@pytest.mark.row("B08")
def test_b08_a_missing_basedir_is_an_error_at_its_line() -> None:
    files: Mapping[str, str | FailureKind] = {"/x/domains.txt": "a.org\n"}
    with pytest.raises(ConfigError, match=f"^{CONFIG}:1: BASEDIR: /y: it is missing"):
        page("BASEDIR=/y\nDOMAINS_TXT=/x/domains.txt", **files)
    assert page("BASEDIR=/x", **files).settings.basedir == "/x"
