"""An installation that dehydrated made is taken over as it is; and both programs may work on it in turn."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from bed.dehydrated import Dehydrated, Hook
from bed.world import World
from builders.listing import names
from builders.page import Page, openssl

pytestmark = pytest.mark.real

MANY = 100
AT_ONCE = 4
OF_TODAY, OF_0_3_1 = "0.7.2", "0.3.1"
LONG_DEADLINE = 900.0
ACCOUNT_FILES = {"account_key.pem", "account_id.json", "registration_info.json"}
ORDER, ACCOUNT = ("POST", "/order-plz"), ("POST", "/sign-me-up")


class Installation:
    """A page whose settings are dehydrated's, with the program that works on it and a hook that notes its calls."""

    def __init__(self, folder: Path, world: World, *lines: str, **settings: str) -> None:
        self.hook = Hook(folder / "hooks", "pdns_api.sh")
        self.page = Page(folder / "dehydrated", world, *lines, HOOK=str(self.hook.path))
        self.page.configure(CURL_OPTS=f"--cacert {world.pebble.ca_bundle}")
        self.page.unset("CA_BUNDLE", "ACCOUNT_KEY_ALGO", "KEY_ALGO", "PDNS_WAIT")
        self.page.configure(**settings)
        self.dehydrated = Dehydrated(self.page.config)
        self.pebble = world.pebble
        self.accounts = self.page.folder / "accounts"

    def account_files(self) -> set[str]:
        (folder,) = self.accounts.iterdir()
        return set(names(folder))

    def age(self) -> None:
        """Leaves what 0.3.1 left: no URL of the account, and keys as the OpenSSL of its time wrote them."""
        (account,) = self.accounts.iterdir()
        (account / "account_id.json").unlink()
        for key in (account / "account_key.pem", *self.page.certs.glob("*/privkey-*.pem")):
            openssl("rsa", "-in", key, "-traditional", "-out", key)
            assert key.read_bytes().startswith(b"-----BEGIN RSA PRIVATE KEY-----")

    def fits(self, wanted: dict[str, set[str]]) -> None:
        """Each certificate names what it should, and key, certificate and chain belong together."""
        assert self.page.live() == set(wanted)
        for alias, expected in wanted.items():
            assert self.page.verified_names(alias) == expected

    def renews(self, *aliases: str) -> None:
        """certkeeper renews these, with the account that is there."""
        registered = registrations(self.page.world)
        old = {alias: (self.page.place(alias) / "cert.pem").read_bytes() for alias in aliases}
        done = self.page.run("--force", *aliases, terms=False)
        assert (done.code, done.err) == (0, ""), done.text
        assert not [alias for alias in aliases if (self.page.place(alias) / "cert.pem").read_bytes() == old[alias]]
        assert registrations(self.page.world) == registered

    def nothing_due(self) -> None:
        """certkeeper plans nothing, asks the CA only when to renew, calls nobody and writes nothing."""
        before, hooks, listed = self._trees(), self.hook.calls(), set(names(self.page.folder))
        self.pebble.forget()
        self.page.world.primary.recorder.forget()
        done = self.page.plan("--json")
        assert (done.code, done.err) == (0, ""), done.text
        planned = json.loads(done.out)
        certificates = planned["certificates"]
        assert {each["alias"]: each["reason"] for each in certificates} == dict.fromkeys(self.page.live(), "current")
        assert (planned["zones"], [each for each in certificates if each.get("actions")]) == ({}, [])
        done = self.page.run(terms=False)
        assert (done.code, done.err) == (0, ""), done.text
        count = len(certificates)
        assert f"{count} certificate{'s' if count > 1 else ''}, nothing due" in done.out
        assert {method for method, _ in self.pebble.requests()} <= {"GET"}
        assert self.page.world.primary.recorder.requests() == []
        assert self.hook.calls() == hooks
        assert self._trees() == before
        assert set(names(self.page.folder)) - listed <= {"state"}

    def nothing_due_for_dehydrated(self) -> None:
        before = self._trees()
        self.pebble.forget()
        self.hook.forget()
        out = self.dehydrated.cron()
        assert out.count("Skipping renew!") == len(self.page.live()), out
        assert "Domain name(s) are not matching" not in out
        assert "Fetching" not in out, out
        assert not {"deploy_challenge", "deploy_cert"} & set(self.hook.names())
        assert self.pebble.counts()[ORDER] == self.pebble.counts()[ACCOUNT] == 0
        assert self._trees() == before

    def _trees(self) -> dict[str, tuple[object, ...]]:
        return {**tree(self.page.certs), **tree(self.accounts)}


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """The folder and all below it: type, mode, owner, inode, mtime, link target or content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        what: object = None
        if path.is_symlink():
            what = str(path.readlink())
        elif path.is_file():
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = (oct(status.st_mode), status.st_uid, status.st_gid, status.st_ino, status.st_mtime_ns, what)
    return found


def registrations(world: World) -> int:
    """How many accounts the CA has made since it started."""
    return len(re.findall(r"There are now \d+ accounts in memory", world.pebble.log.read_text(errors="replace")))


def read_line(line: str) -> tuple[str, set[str]]:
    """The alias and the names of a line in lower case."""
    words, _, alias = line.partition(">")
    return alias.strip() or words.split()[0], set(words.split())


def stamps(page: Page, alias: str) -> set[str]:
    """Of the versions under dehydrated's names."""
    return {path.stem.removeprefix("fullchain-") for path in page.place(alias).glob("fullchain-*.pem")}


def admins_key(page: Page, alias: str, *options: str) -> Path:
    page.certificate_config(alias, PRIVATE_KEY_RENEW="no")
    own = page.place(alias) / "privkey.pem"
    openssl("genpkey", *options, "-out", own)
    return own


@pytest.fixture
def zone(believer: World) -> str:
    return believer.new_zone().removesuffix(".")


def test_the_first_run_on_dehydrateds_folders_does_nothing(tmp_path: Path, believer: World, zone: str) -> None:
    there = Installation(
        tmp_path,
        believer,
        "# every form of line there is",
        f"{zone} WWW.{zone} mail.{zone}",
        f"  single.{zone}\t",
        "",
        f"*.{zone} > wild",
        f"apex.{zone} *.apex.{zone} > Both",
        f"own.{zone}",
        f"twice.{zone} a.twice.{zone} > twice",
    )
    own = admins_key(there.page, f"own.{zone}", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    before = own.read_bytes()
    there.dehydrated.register()
    there.dehydrated.cron()
    twice = ("--domain", f"twice.{zone} a.twice.{zone}", "--alias", "twice", "--force")
    for _ in range(2):
        there.dehydrated.cron(*twice)
    assert len(stamps(there.page, "twice")) == 3
    # What failed runs leave behind: a complete version that never went live, and an empty certificate.
    there.dehydrated.cron(*twice, fails=True, env={"HOOK_FAILS": "sync_cert"})
    assert len(stamps(there.page, "twice")) == 4
    wild = ("--domain", f"*.{zone}", "--alias", "wild", "--force", "--force-validation")
    there.dehydrated.cron(*wild, "--challenge", "tls-alpn-01", fails=True)
    assert 0 in {path.stat().st_size for path in there.page.place("wild").glob("cert-*.pem")}
    there.fits(
        {
            zone: {zone, f"www.{zone}", f"mail.{zone}"},
            f"single.{zone}": {f"single.{zone}"},
            "wild": {f"*.{zone}"},
            "both": {f"apex.{zone}", f"*.apex.{zone}"},
            f"own.{zone}": {f"own.{zone}"},
            "twice": {f"twice.{zone}", f"a.twice.{zone}"},
        }
    )
    there.nothing_due()
    there.nothing_due_for_dehydrated()
    # Neither is there where the page names the kind of key that is there, in a file of its own or for all.
    there.page.configure(KEY_ALGO="secp384r1", KEYSIZE="2048")
    there.nothing_due()
    assert own.read_bytes() == before
    assert not own.is_symlink()
    # Another one is what the page has changed to since; the admin's own key stays what it is.
    there.page.configure(KEY_ALGO="prime256v1")
    planned = json.loads(there.page.plan("--json").out)["certificates"]
    assert {each["alias"]: each["reason"] for each in planned} == {
        each: "current" if each == f"own.{zone}" else "key-changed" for each in there.page.live()
    }


@pytest.mark.long
def test_what_0_3_1_left_is_found_and_its_account_too(tmp_path: Path, believer: World, zone: str) -> None:
    there = Installation(tmp_path, believer, f"{zone} > rsa", f"own.{zone}")
    own = admins_key(there.page, f"own.{zone}", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    before = own.read_bytes()
    there.dehydrated.register()
    there.dehydrated.cron("--algo", "rsa")
    there.age()
    wanted = {"rsa": {zone}, f"own.{zone}": {f"own.{zone}"}}
    there.fits(wanted)
    assert "Public-Key: (4096 bit)" in openssl("x509", "-in", there.page.place("rsa") / "cert.pem", "-noout", "-text")
    assert there.account_files() == {"account_key.pem", "registration_info.json"}
    there.nothing_due()

    there.renews("rsa", f"own.{zone}")
    there.fits(wanted)
    assert there.account_files() == ACCOUNT_FILES
    assert own.read_bytes() == before
    there.nothing_due()
    there.nothing_due_for_dehydrated()


@pytest.mark.long
def test_both_programs_work_on_the_same_folders_in_turn(tmp_path: Path, believer: World, zone: str) -> None:
    there = Installation(
        tmp_path, believer, f"{zone} www.{zone}", f"own.{zone}", f"idle.{zone}", ACCOUNT_KEY_ALGO="prime256v1"
    )
    own = admins_key(there.page, f"own.{zone}", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    before = own.read_bytes()
    wanted = {zone: {zone, f"www.{zone}"}, f"own.{zone}": {f"own.{zone}"}, f"idle.{zone}": {f"idle.{zone}"}}
    there.dehydrated.register()
    there.dehydrated.cron()
    accounts = tree(there.accounts)
    registered = registrations(believer)
    idle = tree(there.page.place(f"idle.{zone}"))

    def settled() -> None:
        there.fits(wanted)
        assert own.read_bytes() == before
        there.nothing_due_for_dehydrated()
        there.nothing_due()
        assert tree(there.accounts) == accounts
        assert registrations(believer) == registered

    there.renews(zone, f"own.{zone}")
    assert tree(there.page.place(f"idle.{zone}")) == idle
    settled()
    for name in (f"{zone} www.{zone}", f"own.{zone}"):
        there.dehydrated.cron("--domain", name, "--force")
    assert there.hook.names().count("deploy_cert") == 2
    settled()
    there.dehydrated.cleanup()
    settled()
    there.renews(zone, f"own.{zone}")
    there.dehydrated.cleanup(delete=True)
    settled()
    there.renews(zone)
    there.dehydrated.cron("--domain", f"{zone} www.{zone}", "--force")
    settled()


def test_dehydrated_takes_back_what_certkeeper_began(tmp_path: Path, believer: World, zone: str) -> None:
    there = Installation(tmp_path, believer, f"{zone} *.{zone}", f"post.{zone} mail.{zone} > post")
    done = there.page.run()
    assert (done.code, done.err) == (0, ""), done.text
    wanted = {zone: {zone, f"*.{zone}"}, "post": {f"post.{zone}", f"mail.{zone}"}}
    assert there.account_files() == ACCOUNT_FILES
    registered = registrations(believer)
    accounts = tree(there.accounts)
    there.nothing_due_for_dehydrated()
    there.dehydrated.cron("--force")
    there.fits(wanted)
    there.nothing_due()
    there.nothing_due_for_dehydrated()
    assert tree(there.accounts) == accounts
    assert registrations(believer) == registered


@pytest.mark.long
@pytest.mark.parametrize("version", [OF_TODAY, OF_0_3_1])
def test_a_hundred_certificates_are_taken_over_without_an_order(
    tmp_path: Path, believer: World, zone: str, version: str
) -> None:
    kinds = ("n{0}.{1}", "n{0}.{1} www.n{0}.{1}", "n{0}.{1} > alias{0}", "*.n{0}.{1} > wild{0}", "n{0}.{1} *.n{0}.{1}")
    lines = [kinds[number % len(kinds)].format(number, zone) for number in range(MANY)]
    there = Installation(tmp_path, believer, *lines)
    old = version == OF_0_3_1
    there.dehydrated.register()
    there.dehydrated.cron_side_by_side(
        lines, *(("--algo", "rsa") if old else ()), instances=AT_ONCE, deadline=LONG_DEADLINE
    )
    if old:
        there.age()
    there.fits(dict(map(read_line, lines)))
    assert len(there.page.live()) == MANY
    assert there.hook.names().count("deploy_cert") == MANY
    there.nothing_due()
