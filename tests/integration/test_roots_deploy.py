"""certkeeper deploy, as root, for a page that another user keeps: what root does, and what it opens."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.certificates import Wish, new_key, version_files
from builders.page import Done
from certkeeper.adapters.store import Store
from certkeeper.base.names import Alias, Identifier
from integration.test_users import as_root

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")

USER = "nobody"
NAME = "a.example.org"


class Installation:
    """A page of that user's with one certificate, and a file of root's that describes two services."""

    def __init__(self, folder: Path) -> None:
        self.keep, self.copies, self.state = (folder / name for name in ("keep", "copies", "state"))
        self.toml, self.reloaded, self._watch = folder / "deploy.toml", folder / "reloaded", folder / "watch"
        self.keep.mkdir()
        self.copies.mkdir(mode=0o755)
        self._store = Store(str(self.keep / "certs"))
        self.describe()
        self.page()
        self.issue()

    def describe(self, more: str = "", words: str = "") -> None:
        files = f'fullchain = "{self.copies}/{{alias}}.crt", privkey = "{self.copies}/{{alias}}.key"'
        self.toml.write_text(
            f'state = "{self.state}"\n'
            f'[target.copied]\nkind = "command"\nfiles = {{{files}}}\nprobe = []\n'
            f'reload = ["sh", "-c", "echo copied >> {self.reloaded}"]\n{words}'
            f'[target.read]\nkind = "command"\nfiles = {{}}\nprobe = []\n'
            f'reload = ["sh", "-c", "echo read >> {self.reloaded}"]\n{more}'
        )

    def page(self, services: str = "copied read") -> None:
        (self.keep / "domains.txt").write_text(f"{NAME}\n")
        (self.keep / "config").write_text(
            f'CHALLENGETYPE=http-01\nWELLKNOWN={self.keep}\nDEHYDRATED_USER={USER}\nDEPLOY="{services}"\n'
            f"DEPLOY_CONFIG={self.toml}\nARI=no\nCA=https://127.0.0.1:1/directory\n"
        )
        self._give()

    def issue(self, hours: int = 24) -> None:
        begins = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)
        key, alias = new_key(), Alias(NAME)
        draft = self._store.begin(alias, int(begins.timestamp()))
        self._store.save_key(draft, key)
        wish = Wish((Identifier.parse(NAME),), not_before=begins, not_after=begins + timedelta(days=90))
        self._store.stage(draft, version_files(key, wish))
        self._store.activate(alias, draft.stamp)
        self._give()

    def run(self) -> Done:
        return self.command("run")

    def command(self, word: str) -> Done:
        return as_root(self.keep / "config", self._watch, word)[0]

    def deploy(self, *words: str) -> Done:
        """What root opened or changed of the user's beside the main file fails the test."""
        done, seen = as_root(self.keep / "config", self._watch, "deploy", "--deploy-config", str(self.toml), *words)
        assert {path for _, path, _ in seen if path.startswith(str(self.keep))} <= {str(self.keep / "config")}
        return done

    def reloads(self) -> list[str]:
        return sorted(self.reloaded.read_text().split()) if self.reloaded.exists() else []

    def served(self) -> bytes:
        return (self.copies / f"{NAME}.crt").read_bytes()

    def live(self) -> bytes:
        return (self.keep / "certs" / NAME / "fullchain.pem").read_bytes()

    def _give(self) -> None:
        for path in (self.keep, *self.keep.rglob("*")):
            shutil.chown(path, USER) if not path.is_symlink() else os.lchown(path, pwd.getpwnam(USER).pw_uid, -1)


@pytest.fixture
def place() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="certkeeper-test-") as name:
        Path(name).chmod(0o755)
        yield Installation(Path(name))


def test_a_run_leaves_services_to_root_who_gives_them_what_is_live(place: Installation) -> None:
    assert f"service copied: not given {NAME}: it waits for root: certkeeper deploy" in place.command("plan").text
    done = place.run()
    assert (done.code, place.reloads()) == (0, [])
    assert "2 waiting for certkeeper deploy" in done.text
    assert "copied, read: certificates wait for certkeeper deploy, as root" in done.text

    done = place.deploy()
    assert done.code == 0, done.text
    assert done.text.splitlines()[-1] == "2 deployed unproven"
    assert (place.reloads(), place.served()) == (["copied", "read"], place.live())
    assert (place.copies / f"{NAME}.key").stat().st_mode & 0o777 == 0o600
    # Neither has root left anything among the user's files.
    assert {path.lstat().st_uid for path in place.keep.rglob("*")} == {pwd.getpwnam(USER).pw_uid}


@pytest.mark.long
def test_the_user_s_journal_knows_until_there_is_another_version(place: Installation) -> None:
    assert place.deploy().code == 0
    assert "waiting" not in place.run().text
    assert (place.deploy().code, len(place.reloads())) == (0, 2)
    place.issue(hours=1)
    assert "2 waiting for certkeeper deploy" in place.run().text
    assert place.deploy().code == 0
    assert (len(place.reloads()), place.served()) == (4, place.live())


@pytest.mark.long
def test_only_what_root_s_own_file_describes_for_that_certificate(place: Installation) -> None:
    place.page("copied read nginx")
    done = place.deploy()
    assert done.code == 1
    assert f"nginx: {NAME}: target nginx: there is none of that name" in done.text
    assert place.reloads() == ["copied", "read"]
    place.page("copied")
    place.describe(words='certificates = ["b.*"]\n')
    place.issue(hours=1)
    done = place.deploy()
    assert done.code == 1
    assert "takes no certificate" in done.text
    assert len(place.reloads()) == 2


@pytest.mark.parametrize("guilty", ["deploy.toml", "state", "copies"])
def test_what_the_user_can_change_is_nothing_that_root_goes_by(place: Installation, guilty: str) -> None:
    path = {"deploy.toml": place.toml, "state": place.state, "copies": place.copies}[guilty]
    path.mkdir(exist_ok=True) if guilty == "state" else None
    shutil.chown(path, USER)
    done = place.deploy()
    assert done.code != 0
    assert f"user {USER} can" in done.text
    assert not (place.copies / f"{NAME}.crt").exists()
    assert f"chown root {path}" in done.text
    assert "copied" not in place.reloads()


@pytest.mark.long
def test_copies_that_somebody_changed_are_put_right_without_a_reload(place: Installation) -> None:
    assert place.deploy().code == 0
    copy, key = place.copies / f"{NAME}.crt", place.copies / f"{NAME}.key"
    for change in (lambda: copy.write_bytes(b"changed\n"), lambda: key.chmod(0o644)):
        change()
        done = place.deploy()
        assert (done.code, place.served(), key.stat().st_mode & 0o777) == (0, place.live(), 0o600)
        assert "were not as they were given, and were put right" in done.text
        assert place.reloads() == ["copied", "read"]
    assert "put right" not in place.deploy().text


@pytest.mark.long
def test_why_root_failed_is_in_the_user_s_status_without_what_is_root_s_alone(place: Installation) -> None:
    secret = place.toml.with_name("secret")
    secret.write_text("of root alone\n")
    secret.chmod(0o600)
    place.copies.rename(place.copies.with_name("gone"))
    place.describe(more=f'test = ["cat", "{secret}", "/no/such"]\n')
    place.page("copied read nginx")
    done = place.deploy()
    assert (done.code, "of root alone" in done.text) == (1, True)
    told = place.command("status").text
    assert "of root alone" not in told
    more = "; certkeeper deploy, as root, says more\n"
    assert f"copied: not taken: {place.copies}: the folder is not there, where target copied is to have " in told
    assert f"read: not taken: its test says: cat {secret} /no/such ended with status 1{more}" in told
    assert "nginx: not taken: target nginx: there is none of that name" in told
    # What is right at last is told, too.
    place.copies.with_name("gone").rename(place.copies)
    place.describe()
    place.page()
    assert place.deploy().code == 0
    assert "not taken" not in place.command("status").text
    # And where root does nothing at all, services keep what they have.
    shutil.chown(place.state, USER)
    assert place.deploy().code != 0
    assert "not taken" not in place.command("status").text
    place.issue(hours=1)
    assert place.deploy().code != 0
    told = place.command("status").text
    assert f"copied: not taken: {place.state}: " in told
    assert f"read: not taken: {place.state}: " in told


def test_no_link_in_the_place_of_a_copy_is_followed(place: Installation) -> None:
    victim = place.toml.with_name("victim")
    victim.write_text("whole\n")
    (place.copies / f"{NAME}.crt").symlink_to(victim)
    done = place.deploy()
    assert (done.code, victim.read_text()) == (1, "whole\n")
    assert "a link that leads elsewhere" in done.text


@pytest.mark.parametrize(("held", "replaced"), [("user = root\n", False), ("-----BEGIN CERTIFICATE-----\n", True)])
def test_the_user_names_no_file_of_another_kind(place: Installation, held: str, *, replaced: bool) -> None:
    """The alias, which is in the path, is his choice."""
    other = place.copies / f"{NAME}.crt"
    other.write_text(held)
    done = place.deploy()
    assert (done.code == 0, other.read_text() != held) == (replaced, replaced)
    if not replaced:
        assert "holds neither a certificate nor a key" in done.only_error()
        assert place.reloads() == []


def test_a_key_of_another_certificate_is_not_deployed(place: Installation) -> None:
    key = place.keep / "certs" / NAME / "privkey.pem"
    real = key.resolve()
    real.write_bytes(new_key().pem)
    done = place.deploy()
    assert not (place.copies / f"{NAME}.crt").exists()
    assert place.reloads() == []
    assert done.text.splitlines()[-1] == "nothing to do"


@pytest.mark.long
def test_what_is_in_place_is_reported_and_stays_owed(place: Installation) -> None:
    place.describe(more='test = ["sh", "-c", "echo broken; exit 1"]\n')
    done = place.deploy()
    assert done.code == 1
    assert "broken" in done.text
    assert f"its folder is that of user {USER}" in done.text
    assert "1 waiting for certkeeper deploy" in place.run().text


def test_an_error_of_the_page_is_the_user_s_and_told_once(place: Installation) -> None:
    config = place.keep / "config"
    config.write_text(config.read_text() + 'RENEW_DAYS="many"\n')
    done = place.deploy()
    assert done.code == 2
    assert len(done.errors) == 1
    assert "RENEW_DAYS" in done.only_error()


@pytest.mark.long
def test_without_root_s_file_there_is_one_error(place: Installation) -> None:
    config = place.keep / "config"
    config.write_text(config.read_text().replace(f"DEPLOY_CONFIG={place.toml}\n", ""))
    done = as_root(config, place.toml.with_name("watch"), "deploy", "copied")[0]
    assert done.code == 2
    place.toml.unlink()
    assert place.deploy().code == 2
    assert not (place.keep / "lock").exists()
