"""CERT_GROUP and its kin as people meet them: on a page, with real users and groups, in words and exit codes."""

import grp
import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bed import binaries
from builders.certificates import Wish, new_key, version_files
from builders.page import Done, certkeeper, tree_hash
from certkeeper.adapters.store import Store
from certkeeper.base.names import Alias
from contract.store.folders import dehydrated_folder

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to other users' groups")

NOW = datetime.now(tz=UTC).replace(microsecond=0)
KEY = new_key()
FILES = version_files(KEY, Wish(not_before=NOW - timedelta(days=1), not_after=NOW + timedelta(days=89)))
GROUP = "adm"


@pytest.fixture
def page() -> Iterator[Path]:
    """A page with a certificate of dehydrated's, in a folder that everybody gets through."""
    before = os.umask(0o077)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "domains.txt").write_text("example.org *.example.org\n")
        dehydrated_folder(folder / "certs" / "example.org", FILES, int(NOW.timestamp()) - 86400)
        yield folder
    os.umask(before)


@pytest.fixture
def user() -> pwd.struct_passwd:
    """Prosody's, as its package makes it: in no group but its own."""
    binaries.require("prosody")
    return pwd.getpwnam("prosody")


def configure(page: Path, **settings: str) -> None:
    given = {
        "CHALLENGETYPE": "dns-01",
        "PDNS_HOST": "127.0.0.1",
        "PDNS_PORT": "9",
        "PDNS_KEY": "secret",
        "ARI": "no",
        **settings,
    }
    (page / "config").write_text("".join(f'{name}="{value}"\n' for name, value in given.items()))


def command(page: Path, *words: str) -> Done:
    done = certkeeper(words[0], "--config", page / "config", *words[1:], cwd=page)
    assert "Traceback" not in done.text
    return done


def mode(path: Path) -> str:
    status = path.stat()
    return f"{stat.S_IMODE(status.st_mode):04o} {grp.getgrgid(status.st_gid).gr_name}"


def test_a_run_puts_files_right_once_and_says_so(page: Path) -> None:
    configure(page, CERT_GROUP=GROUP)
    done = command(page, "run")
    put_right = "privkey.pem, cert.pem, chain.pem, fullchain.pem"
    line = f"example.org: permissions put right: {put_right}, {page}/certs/example.org, {page}/certs\n"
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(line)
    assert mode(page / "certs/example.org/privkey.pem") == f"0640 {GROUP}"
    assert mode(page / "certs/example.org/fullchain.pem") == f"0644 {GROUP}"
    assert {mode(page / "certs"), mode(page / "certs/example.org")} == {f"0750 {GROUP}"}
    assert "put right" not in command(page, "run").out


def test_a_page_without_settings_changes_nothing(page: Path) -> None:
    configure(page)
    before = tree_hash(page / "certs")
    assert "put right" not in command(page, "run").out
    assert tree_hash(page / "certs") == before


def test_plan_changes_nothing(page: Path) -> None:
    configure(page, CERT_GROUP=GROUP)
    before = tree_hash(page / "certs")
    assert command(page, "plan").code == 0
    assert tree_hash(page / "certs") == before


def test_a_folder_that_others_can_write_stops_its_certificate_before_the_ca_is_asked_and_plan_and_doctor_say_so(
    page: Path,
) -> None:
    configure(page, CERT_GROUP=GROUP)
    assert command(page, "run").code == 0
    folder = page / "certs/example.org"
    folder.chmod(0o777)
    for words in (("plan",), ("run",), ("run", "--force"), ("deploy", "--fix-permissions")):
        done = command(page, *words)
        assert done.code == 1
        assert done.only_error() == f"example.org: {folder}: others can write in the folder, and put any file there"
        assert done.hints == [f"chmod go-w {folder}"]
    told = f"{folder}: others can write in the folder, and put any file there\n    "
    fix = f"\n    fix: chmod go-w {folder}\n"
    assert f"error: {told}no run renews example.org{fix}" in command(page, "doctor").out
    configure(page)
    assert command(page, "plan").code == 0
    assert f"warning: {told}whoever does decides which key a server is shown{fix}" in command(page, "doctor").out
    folder.chmod(0o755)
    assert f"{folder}: " not in command(page, "doctor").out


def test_plan_and_doctor_say_which_copies_others_can_change(page: Path) -> None:
    copies = page / "copies"
    for alias in ("example.org", "mail"):
        (copies / f".certkeeper/web/{alias}").mkdir(parents=True)
    (page / "domains.txt").write_text("example.org *.example.org\n*.example.org example.org > mail\n")
    (page / "deploy.toml").write_text(
        f'[target.web]\nkind = "command"\nreload = ["true"]\nfiles = {{fullchain = "{copies}/{{alias}}.crt"}}\n'
        f'group = "{GROUP}"\nuser = "games"\n'
    )
    configure(page, DEPLOY="web", DEPLOY_CONFIG=f"{page}/deploy.toml")
    mail = copies / ".certkeeper/web/mail"
    mail.chmod(0o777)
    told = (
        f"error: {mail}: others can write in the folder, and put any file there\n    web is given no new certificate\n"
    )
    group = f"warning: games: not in the group {GROUP}, which is to read the key\n"
    for word in ("plan", "doctor"):
        out = command(page, word).out
        assert (out.count(f"{told}    fix: chmod go-w {mail}\n"), out.count(group)) == (1, 1)
    copies.chmod(0o777)
    for word in ("plan", "doctor"):
        assert command(page, word).out.count(f"error: {copies}: everybody can put any file there\n") == 1


def test_a_group_that_is_not_there_stops_its_certificate_before_anything_is_touched(page: Path) -> None:
    configure(page, CERT_GROUP="no-such-group")
    before = tree_hash(page / "certs")
    for words in (("run",), ("run", "--force"), ("deploy", "--fix-permissions")):
        done = command(page, *words)
        assert done.code == 1
        assert done.only_error() == "example.org: CERT_GROUP: there is no group no-such-group"
    assert tree_hash(page / "certs") == before


def test_one_certificate_may_be_another_groups(page: Path) -> None:
    (page / "domains.txt").write_text("example.org *.example.org\n*.example.org example.org > mail.example.org\n")
    dehydrated_folder(page / "certs" / "mail.example.org", FILES, int(NOW.timestamp()) - 86400)
    (page / "certs/mail.example.org/config").write_text('CERT_GROUP="mail"\nKEY_MODE="0440"\n')
    configure(page, CERT_GROUP=GROUP)
    done = command(page, "deploy", "--fix-permissions")
    assert done.out.splitlines()[-1] == "2 certificates put right"
    assert mode(page / "certs/example.org/privkey.pem") == f"0640 {GROUP}"
    assert mode(page / "certs/mail.example.org/privkey.pem") == "0440 mail"
    # It has one group only, and theirs are two.
    assert mode(page / "certs") == "0700 root"


def test_a_folder_of_somebody_elses_is_an_error_and_nothing_is_ordered(page: Path) -> None:
    configure(page, CERT_GROUP=GROUP)
    (page / "certs/example.org").chmod(0o777)
    done = command(page, "run", "--force")
    assert done.code == 1
    assert "others can write in the folder" in done.only_error()
    assert mode(page / "certs/example.org/privkey.pem") == "0600 root"


def test_deploy_says_what_there_is_to_do(page: Path) -> None:
    configure(page)
    done = command(page, "deploy")
    assert done.code == 2
    assert done.only_error().startswith("deploy: no service takes these certificates")
    done = command(page, "deploy", "--fix-permissions")
    assert done.code == 2
    assert done.only_error().startswith("permissions: neither CERT_OWNER, CERT_GROUP nor KEY_MODE is set")


def test_a_services_user_outside_the_group_is_named_with_the_commands(page: Path, user: pwd.struct_passwd) -> None:
    configure(page, CERT_GROUP=GROUP)
    done = command(page, "deploy", "--fix-permissions")
    assert f"note: {user.pw_name}: not in the group {GROUP}\n" in done.out
    assert f"fix: adduser prosody {GROUP} && systemctl restart prosody (a reload keeps the old groups)\n" in done.out
    assert done.code == 0
    assert f"{user.pw_name}: not in the group {GROUP}" in command(page, "plan").out


def test_files_are_read_as_the_services_user(page: Path, user: pwd.struct_passwd) -> None:
    configure(page, CERT_GROUP=user.pw_name)
    done = command(page, "deploy", "--fix-permissions")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "1 certificate put right"
    assert "cannot read it" not in done.out
    # A folder above CERTDIR is the operator's.
    page.chmod(0o700)
    done = command(page, "deploy", "--fix-permissions")
    assert done.code == 1
    key = page / "certs/example.org/privkey.pem"
    assert f"warning: {key}: prosody cannot read it: permission denied\n" in done.out
    assert f"fix: see which folder is shut: namei -l {key}\n" in done.out


def test_doctor_names_the_setting_where_a_group_is_of_no_use(page: Path) -> None:
    configure(page)
    store = Store(str(page / "certs"))
    draft = store.begin(Alias("example.org"), int(NOW.timestamp()))
    store.stage(draft, FILES)
    store.activate(Alias("example.org"), draft.stamp)
    os.chown((page / "certs/example.org/privkey.pem").resolve(), 0, grp.getgrnam(GROUP).gr_gid)
    assert f'CERT_GROUP="{GROUP}"' in command(page, "doctor").out


def test_a_group_that_is_not_there_is_found_before_a_run_fails(page: Path) -> None:
    configure(page, CERT_GROUP="no-such-group")
    for words in (("config", "check"), ("plan",)):
        done = certkeeper(*words, "--config", page / "config", cwd=page)
        assert done.code == 1, done.text
        assert "example.org" in done.text
        assert "there is no group no-such-group" in done.text
        assert "addgroup" in done.text
