"""A run that found nothing to do is remembered; the next one says the same by a stat of what that one looked at."""

import marshal
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bed.waiting import wait_until
from builders.calmpage import LATER, add_due, calm_page, calmed, words
from builders.journals import write
from builders.oldfolders import leave_as_dehydrated
from builders.page import certkeeper, environment
from certkeeper.adapters.asked import AskedFile
from certkeeper.adapters.calm import recall
from certkeeper.adapters.lastgood import LastGood
from certkeeper.base.names import Alias
from certkeeper.cli.arguments import build_parser
from certkeeper.cli.compose import open_machine
from certkeeper.cli.run import run_on
from certkeeper.ocsp.freshness import noted_success
from certkeeper.ocsp.request import issued
from certkeeper.plan.records import HookDebt

SAID = r"3 certificates, nothing due; next due \S+Z\n"
WATCHED = (
    "import sys, certkeeper.cli.main as m; code = m.program(sys.argv[1:]); sys.stderr.write(' '.join(sys.modules))"
)
HEAVY = {"argparse", "asyncio", "cryptography", "dns", "json", "rich", "sqlite3", "urllib3"}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return calm_page(tmp_path)


@pytest.fixture
def stapled(page: Path) -> Path:
    """The same with OCSP_FETCH, a fourth certificate whose response is not due, and a responder that is not there."""
    leave_as_dehydrated(page.parent / "certs/d.example", ("d.example",), days_left=80, responder="http://127.0.0.1:9")
    with (page.parent / "domains.txt").open("a", encoding="utf-8") as file:
        file.write("d.example\n")
    with page.open("a", encoding="utf-8") as file:
        file.write('OCSP_FETCH="yes"\nOCSP_DAYS="2"\n')
    return page


@pytest.fixture
def cleaned(page: Path) -> Path:
    """The same with AUTO_CLEANUP, and folders that no line asks for: one with files, an empty one, and a link."""
    leave_as_dehydrated(page.parent / "certs/gone.example", ("gone.example",), days_left=80)
    (page.parent / "certs/empty").mkdir()
    (page.parent / "elsewhere").mkdir()
    (page.parent / "certs/linked").symlink_to("../elsewhere")
    with page.open("a", encoding="utf-8") as file:
        file.write('AUTO_CLEANUP="yes"\n')
    return page


def changed(path: Path, text: str) -> None:
    """In place, as an editor that keeps the file's inode, and not in its length."""
    with path.open("r+", encoding="utf-8") as file:
        file.write(text)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a setting": lambda etc: changed(etc / "config", "CA"),
    "a setting in a drop-in": lambda etc: changed(etc / "conf.d" / "one.sh", "RENEW"),
    "another drop-in": lambda etc: (etc / "conf.d" / "two.sh").write_text("", encoding="utf-8"),
    "the list": lambda etc: changed(etc / "domains.txt", "a"),
    "a drop-in of the list": lambda etc: (etc / "domains.txt.d").mkdir(),
    "a certificate's own settings": lambda etc: (etc / "certs/a.example/config").write_text("", encoding="utf-8"),
    "a certificate, in place": lambda etc: changed(etc / "certs/a.example/cert.pem", "-"),
    "a key, in place": lambda etc: changed(etc / "certs/b.example/privkey.pem", "-"),
    "a chain's mode": lambda etc: (etc / "certs/b.example/chain.pem").chmod(0o640),
    "a certificate's link": lambda etc: (etc / "certs/b.example/fullchain.pem").unlink(),
    "a next key": lambda etc: (etc / "certs/c.example/privkey.roll.pem").write_text("", encoding="utf-8"),
    "a certificate's folder": lambda etc: (etc / "certs/c.example").rename(etc / "old"),
    "an orphan": lambda etc: (etc / "certs/d.example").mkdir(),
    "an account": lambda etc: (etc / "accounts").mkdir(),
    "an account of long ago": lambda etc: (etc / "private_key.pem").write_text("", encoding="utf-8"),
    "a lock": lambda etc: (etc.parent / "lock").write_text("", encoding="utf-8"),
    "the journal": lambda etc: write(etc / "state", HookDebt(Alias("a.example"), "deploy_cert", 5)),
    "what earlier runs said": lambda etc: (etc / "state/lastrun.json").write_text("{}", encoding="utf-8"),
    "who may write": lambda etc: etc.chmod(0o777),
    "who may write to STATEDIR": lambda etc: (etc / "state").chmod(0o777),
    "the memory, damaged": lambda etc: changed(etc / "state/calm", "0000000a"),
    "the memory, cut": lambda etc: os.truncate(etc / "state/calm", 100),
    "the memory, empty": lambda etc: os.truncate(etc / "state/calm", 0),
    "the memory, anybody's": lambda etc: (etc / "state/calm").chmod(0o622),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_leads_to_a_whole_run(page: Path, change: str, capsys: pytest.CaptureFixture[str]) -> None:
    calmed(page)
    calm = recall(words(page))
    assert calm is not None
    told = calm["text"]
    assert told == capsys.readouterr().out.splitlines(keepends=True)[-1]
    assert re.fullmatch(SAID, told)
    CHANGES[change](page.parent)
    assert recall(words(page)) is None


def test_other_words_variables_and_folders_lead_to_a_whole_run(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calmed(page)
    assert recall(words(page, "--quiet")) is None
    assert recall(words(page), {**os.environ, "https_proxy": "http://192.0.2.1"}) is None
    assert recall(words(page), {**os.environ, "SHLVL": "7"}) is not None
    monkeypatch.chdir(tmp_path)
    assert recall(words(page)) is None


@pytest.mark.parametrize("hours", [-1, 25])
def test_it_holds_for_a_day_and_for_no_clock_that_goes_back(page: Path, hours: int) -> None:
    calmed(page)
    assert recall(words(page), clock=lambda: time.time() + hours * 3600) is None


@pytest.mark.parametrize(
    ("name", "line"),
    [("a hook", 'HOOK="/bin/true"'), ("bash", 'SOURCE_CONFIG="yes"')],
)
def test_pages_that_need_more_than_files_are_looked_at_as_a_whole(page: Path, name: str, line: str) -> None:
    with page.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    calmed(page)
    assert recall(words(page)) is None, name


def test_what_is_due_is_remembered_as_nothing(page: Path) -> None:
    add_due(page)
    machine = open_machine(str(page))
    machine.looked.began += LATER
    options = build_parser("run").parse_args(words(page))
    options.typed = words(page)
    run_on(machine, options)
    assert not (page.parent / "state" / "calm").exists()


OF_RESPONSES: dict[str, Callable[[Path], object]] = {
    "it is another file": lambda etc: (etc / "certs/d.example/ocsp.der").resolve().rename(etc / "old.der"),
    "it is gone": lambda etc: (etc / "certs/d.example/ocsp.der").unlink(),
    "it changed in place": lambda etc: os.truncate(etc / "certs/d.example/ocsp.der", 100),
    "what is known of tries": lambda etc: (etc / "state/ocsp.json").write_text("{}", encoding="utf-8"),
}


@pytest.mark.parametrize("change", OF_RESPONSES)
def test_responses_that_are_not_due_are_remembered_too(stapled: Path, change: str) -> None:
    calmed(stapled)
    assert recall(words(stapled)) is not None
    OF_RESPONSES[change](stapled.parent)
    assert recall(words(stapled)) is None


def test_it_holds_until_a_response_is_due(stapled: Path) -> None:
    """Which is within the day."""
    with stapled.open("a", encoding="utf-8") as file:
        file.write('OCSP_DAYS="1"\n')
    calmed(stapled)
    told = recall(words(stapled))
    assert told is not None
    (due,) = re.findall(r"next due (\S+)\n", told["text"])
    at = datetime.fromisoformat(due).timestamp()
    assert time.time() < at < time.time() + 23 * 3600
    assert recall(words(stapled), clock=lambda: at - 2) is not None
    assert recall(words(stapled), clock=lambda: at + 2) is None


def test_while_a_newer_response_is_waited_for_runs_look(stapled: Path) -> None:
    with stapled.open("a", encoding="utf-8") as file:
        file.write('OCSP_DAYS="0"\n')
    place = stapled.parent / "certs/d.example"
    subject = issued((place / "cert.pem").read_bytes(), (place / "chain.pem").read_bytes()).subject
    asked = noted_success(subject, datetime.now(tz=UTC).replace(microsecond=0))
    AskedFile(str(stapled.parent / "state")).write({Alias("d.example"): asked})
    calmed(stapled)
    assert recall(words(stapled)) is None


TO_CLEAN: dict[str, Callable[[Path], object]] = {
    "an unused file": lambda etc: (etc / "certs/a.example/cert-1000.pem").write_text("", encoding="utf-8"),
    "one where no line leads": lambda etc: (etc / "certs/gone.example/cert-1000.pem").write_text("", encoding="utf-8"),
    "one in what was an empty folder": lambda etc: (etc / "certs/empty/cert-1000.pem").write_text("", encoding="utf-8"),
    "one behind a link": lambda etc: (etc / "elsewhere/cert-1000.pem").write_text("", encoding="utf-8"),
    "a file that is not behind its name": lambda etc: (etc / "certs/gone.example/cert.pem").resolve().unlink(),
    "another folder": lambda etc: (etc / "certs/new.example").mkdir(),
    "the archive": lambda etc: (etc / "archive").rename(etc / "old"),
    "a folder of the archive's": lambda etc: (etc / "archive/a.example").rmdir(),
}


@pytest.mark.parametrize("change", TO_CLEAN)
def test_what_a_cleanup_would_find_leads_to_a_whole_run(cleaned: Path, change: str) -> None:
    calmed(cleaned)
    assert recall(words(cleaned)) is not None
    TO_CLEAN[change](cleaned.parent)
    assert recall(words(cleaned)) is None


def test_a_run_that_cleaned_up_is_not_remembered(cleaned: Path) -> None:
    unused = cleaned.parent / "certs/a.example/cert-1000.pem"
    unused.write_text("", encoding="utf-8")
    calmed(cleaned)
    assert not unused.exists()
    (cleaned.parent / "archive/a.example/cert-1000.pem").rename(unused)
    assert recall(words(cleaned)) is None
    assert certkeeper(*words(cleaned), cwd=cleaned.parent).code == 0
    assert not unused.exists()
    assert recall(words(cleaned)) is None


@pytest.mark.parametrize("kind", ["page", "stapled", "cleaned"])
def test_all_that_a_run_looks_at_is_compared(kind: str, request: pytest.FixtureRequest) -> None:
    """As the kernel sees it: what is added to a run, and not told to `Looked`, shows here."""
    page: Path = request.getfixturevalue(kind)
    calmed(page)
    state, log = page.parent / "state", page.parent.parent / "strace"
    memory = marshal.loads((state / "calm").read_bytes().partition(b"\n")[2])  # noqa: S302 - made by this test
    (state / "calm").unlink()
    done = certkeeper(
        *words(page), cwd=page.parent, prefix=("strace", "-f", "-qq", "-y", "-e", "trace=%file", "-o", str(log))
    )
    assert (done.code, done.err) == (0, ""), done.text
    calls = re.findall(r'(?:\d+<(/[^>]*)>, )?"([^"]*)"(?:, (O_\w+))?', log.read_text(encoding="utf-8"))
    paths = {os.path.normpath(Path(folder, path)) for folder, path, _ in calls}
    opened = {os.path.normpath(Path(folder, path)) for folder, path, how in calls if how}
    mine = {path for path in paths if path.startswith(f"{page.parent.parent}/")}
    assert len(mine) > 30
    # By their own names, too: a link may lead there.
    folders = {each: set(names) for folder, names in memory["folders"] for each in (folder, os.path.realpath(folder))}
    lists = {folder for folder, _, _ in memory["lists"]}
    single = {*memory["files"], *memory["absent"], *memory["ways"], *lists, *folders}

    def compared(path: str) -> bool:
        folder, name = os.path.split(path)
        # A name that is missing in a folder that is compared cannot come without a change of the folder.
        listed = name in folders.get(folder, ()) or (folder in folders and not os.path.lexists(path))
        above = [str(each) for each in Path(path).parents]
        missing = any(
            each in memory["absent"] or (str(Path(each).parent) in folders and not Path(each).exists())
            for each in above
        )
        ours = f"{path}/".startswith(f"{state}/") or ".certkeeper-tmp" in name
        # A cleanup only needs to know that they are there, and what they are: then they are of the folder's content.
        stamped = re.search(r"-\d+\.(?:pem|csr|der)$", name) and path not in opened and not Path(path).is_symlink()
        there = folder in folders and bool(stamped)
        made = folder in memory["files"] and Path(path).is_dir()
        return path in single or listed or missing or ours or there or made

    assert {path for path in mine if not compared(path)} == set()


def test_what_changed_during_the_run_is_not_remembered(page: Path) -> None:
    done = certkeeper(*words(page), cwd=page.parent)
    assert (done.code, done.err) == (0, ""), done.text
    # Its files are younger than two seconds.
    assert not (page.parent / "state" / "calm").exists()


def test_the_program_ends_having_loaded_and_opened_next_to_nothing(page: Path) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WATCHED, *words(page)]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=page.parent, env=environment(), timeout=60
        )

    wait_until(lambda: "certkeeper.cli.arguments" not in run().stderr.split(), "it is remembered", deadline=20)
    done = run()
    assert re.fullmatch(SAID, done.stdout)
    loaded = set(done.stderr.split())
    assert not loaded & HEAVY
    assert {name for name in loaded if name.startswith("certkeeper.adapters")} == {
        "certkeeper.adapters",
        "certkeeper.adapters.calm",
    }


def test_a_calm_run_is_a_good_run(page: Path) -> None:
    calmed(page)
    kept = LastGood(str(page.parent / "state"))
    kept.mark(datetime(2020, 1, 1, tzinfo=UTC))
    assert recall(words(page)) is not None
    good = kept.read()
    assert good is not None
    assert abs(good.timestamp() - time.time()) < 60
    (page.parent / "state" / "last-good-run").unlink()
    # Where it cannot be said that it was good, a whole run tries that.
    assert recall(words(page)) is None
    calmed(page)
    assert kept.read() is not None


def test_only_a_run_over_the_whole_page_that_ends_well_is_a_good_run(page: Path) -> None:
    kept = LastGood(str(page.parent / "state"))
    assert certkeeper(*words(page, "a.example"), cwd=page.parent).code == 0
    assert kept.read() is None
    assert certkeeper(*words(page), cwd=page.parent).code == 0
    kept.mark(datetime(2020, 1, 1, tzinfo=UTC))
    add_due(page)
    assert certkeeper(*words(page), cwd=page.parent).code == 1
    assert kept.read() == datetime(2020, 1, 1, tzinfo=UTC)
