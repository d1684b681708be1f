"""`certkeeper status` and `retire` as an operator meets them: many certificates, a terminal, services that use them."""

import json
import os
import pty
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.certificates import Wish, new_key, version_files
from builders.journals import read, write
from builders.page import certkeeper, environment
from certkeeper.base.errors import Location
from certkeeper.base.names import Alias, Identifier
from certkeeper.cli.arguments import build_parser
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.retire import StillUsed, retire_on
from certkeeper.plan.backoff import backoff_inputs
from certkeeper.plan.lastrun import Failure
from certkeeper.plan.orphans import Uses
from certkeeper.plan.planner import plan
from certkeeper.plan.records import HookDebt

NOW = datetime.now(UTC)
OLD = Alias("old.example.org")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A config whose certificates nobody has to prove."""
    config = tmp_path / "config"
    config.write_text(f'CA="https://ca.test/directory"\nBASEDIR="{tmp_path}"\nWELLKNOWN="{tmp_path}"\n')
    (tmp_path / "domains.txt").write_text("")
    return config


def put(page: Path, alias: str, *names: str, left: timedelta = timedelta(days=80)) -> Path:
    """As a person copies a certificate there."""
    key, folder = new_key(), page.parent / "certs" / alias
    wanted = tuple(Identifier.parse(name) for name in names or (alias,))
    files = version_files(key, Wish(wanted, not_before=NOW - timedelta(days=90) + left, not_after=NOW + left))
    folder.mkdir(parents=True)
    for name in ("privkey", "cert", "chain", "fullchain"):
        (folder / f"{name}.pem").write_bytes(getattr(files, name))
    return folder


def listed(page: Path, *lines: str) -> None:
    (page.parent / "domains.txt").write_text("".join(f"{line}\n" for line in lines))


def status(page: Path, *arguments: str) -> str:
    done = certkeeper("status", "--config", page, *arguments, cwd=page.parent)
    assert (done.code, done.err) == (0, ""), done.text
    return done.out


def on_a_terminal(page: Path, columns: int, lines: int = 100, *words: str) -> str:
    """The same, where a person sits in front of so many columns and lines."""
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "certkeeper", "status", "--config", str(page), *words]
        size = {"COLUMNS": str(columns), "LINES": str(lines)}
        os.execve(sys.executable, command, {**environment(), **size})  # noqa: S606 - no shell is meant
    said = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            said += piece
    except OSError:
        # The other end was closed.
        pass
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    # Colours are no matter of width.
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).replace("\r\n", "\n")


def test_what_is_wrong_comes_first_and_lines_fit(page: Path) -> None:
    listed(page, *(f"n{number:02}.example.org" for number in range(20)), "late.example.org", "new.example.org")
    for number in range(20):
        put(page, f"n{number:02}.example.org", left=timedelta(days=89 - number))
    put(page, "late.example.org", left=timedelta(days=-2))
    rows = status(page).splitlines()
    assert [row.split()[0] for row in rows[:3]] == ["expired", "missing", "ok"]
    assert rows[2].split()[1] == "n19.example.org"
    assert rows[-1].startswith("2 problems in 22 certificates: 1 expired, 1 missing, 20 ok; next renewal ")
    assert len(rows) == 23
    shown = on_a_terminal(page, 60).splitlines()
    assert shown[0].split() == ["STATE", "CERTIFICATE", "EXPIRES", "RENEWS"]
    assert max(map(len, shown)) <= 60
    assert shown[3].split()[:4] == ["ok", "n19.example.org", "70", "days"]
    assert " ".join(map(str.strip, shown[23:])) == rows[-1]
    why = on_a_terminal(page, 80).splitlines()
    assert why[0].split()[-1] == "WHY"
    assert why[3].endswith(" days before")
    few = on_a_terminal(page, 80, 20).splitlines()
    assert [row.split()[0] for row in few[:4]] == ["STATE", "expired", "missing", "ok"]
    assert few[3] == "ok  20 certificates: certkeeper status --all"
    assert few[4].startswith("2 problems in 22 certificates")
    assert len(on_a_terminal(page, 80, 20, "--all").splitlines()) > 22


def test_all_that_is_said_fits_and_orphans_are_counted_apart(page: Path) -> None:
    listed(page, "www.example.org old.example.org")
    put(page, OLD.text, OLD.text, "www.example.org")
    put(page, "older.example.org")
    rows = status(page).splitlines()
    assert rows[-1] == "1 problem in 1 certificate: 1 missing; 2 orphaned"
    # The line is to go on with it, so nobody retires it.
    assert any("write: www.example.org old.example.org > old.example.org" in row for row in rows)
    assert not any("retire old.example.org" in row for row in rows)
    assert any("retire older.example.org" in row for row in rows)
    shown = on_a_terminal(page, 70).splitlines()
    assert max(len(row) for row in shown if "/" not in row) <= 70
    assert len(shown) > len(rows)


def test_what_the_last_run_said_is_told_until_something_is_changed(page: Path) -> None:
    listed(page, "new.example.org")
    page.write_text(page.read_text() + 'CA="https://127.0.0.1:1/directory"\n')
    ran = certkeeper("run", "--config", page, cwd=page.parent)
    assert ran.code == 1
    (row,) = json.loads(status(page, "--json"))["certificates"]
    assert row["state"] == "failed"
    assert row["last_run"]["message"] in ran.err
    assert f": {row['last_run']['message']}" in status(page)
    listed(page, "new.example.org more.example.org")
    (row,) = json.loads(status(page, "--json"))["certificates"]
    assert (row["state"], row["last_run"]) == ("missing", None)
    # What is not listed any more is not remembered.
    listed(page)
    assert certkeeper("run", "--config", page, cwd=page.parent).code == 0
    assert "new.example.org" not in (page.parent / "state/last-run.json").read_text()


def test_an_orphan_is_shown_and_retired_with_what_is_remembered_of_it(page: Path) -> None:
    folder = put(page, OLD.text)
    write(page.parent / "state", HookDebt(OLD, "deploy_cert", 5))
    (shown,) = json.loads(status(page, "--json"))["orphaned"]
    assert (shown["state"], shown["folder"], shown["used_by"]) == ("orphaned", str(folder), [])
    assert "orphaned" in status(page, OLD.text)
    done = certkeeper("retire", "--config", page, OLD.text, "--yes", cwd=page.parent)
    assert (done.code, done.err) == (0, ""), done.text
    assert not folder.exists()
    assert len(list((page.parent / "archive").glob("old.example.org-*/privkey.pem"))) == 1
    assert read(page.parent / "state").debts == {}
    assert certkeeper("retire", "--config", page, OLD.text, "--yes", cwd=page.parent).code == 2


def test_a_retirement_that_was_killed_before_it_was_forgotten_is_finished(page: Path) -> None:
    write(page.parent / "state", HookDebt(OLD, "deploy_cert", 5))
    done = certkeeper("retire", "--config", page, OLD.text, "--yes", cwd=page.parent)
    assert (done.code, "gone already" in done.out) == (0, True)
    assert read(page.parent / "state").debts == {}


@dataclass(frozen=True)
class UsedMachine(Machine):
    """nginx reads every folder."""

    def uses(self, orphans: Collection[Alias]) -> Uses:
        place = Location("/etc/nginx/nginx.conf", 7)
        return Uses({f"{self.settings.certdir}/{alias}": (place,) for alias in orphans})


def test_what_is_still_used_is_retired_by_force_only(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = put(page, OLD.text)
    machine = open_machine(str(page))
    machine = UsedMachine(*(getattr(machine, each.name) for each in fields(machine)))
    words = ["retire", "--config", str(page), OLD.text, "--yes"]
    with pytest.raises(StillUsed, match=r"still used by /etc/nginx/nginx\.conf:7"):
        retire_on(machine, build_parser().parse_args(words))
    assert folder.exists()
    assert retire_on(machine, build_parser().parse_args([*words, "--force"])) == 0
    assert not folder.exists()
    assert "used by  /etc/nginx/nginx.conf:7" in capsys.readouterr().out


def test_a_line_that_cannot_be_read_keeps_its_folder(page: Path) -> None:
    listed(page, "example.org")
    put(page, "example.org")
    (page.parent / "certs" / "example.org" / "config").write_text("KEY_ALGO=none\n")
    done = certkeeper("status", "--config", page, "--json", cwd=page.parent)
    assert json.loads(done.out)["orphaned"] == []
    assert json.loads(done.out)["states"] == {"rejected": 1}
    refused = certkeeper("retire", "--config", page, "example.org", "--yes", cwd=page.parent)
    assert "the page still asks for it" in refused.err


def test_what_is_kept_is_no_problem_while_it_lasts(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It would be a setting here, and none of the program that is started.
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    page.write_text(page.read_text() + 'ON_NAME_FAILURE="keep-old"\nRENEW_DAYS=30\n')
    for name, days in (("soon.example.org", 20), ("late.example.org", 5)):
        put(page, name, left=timedelta(days=days))
    listed(page, "soon.example.org", "late.example.org")
    machine = open_machine(str(page))
    failures = {
        item.alias: Failure(NOW, backoff_inputs(item.fingerprint, item.spec, machine.settings), "no zone", kept=True)
        for item in plan(machine.configuration, machine.observe()).lineages
    }
    machine.last_run.write(failures)
    document = json.loads(status(page, "--json"))
    rows = {row["alias"]: row for row in document["certificates"]}
    assert {alias: (row["state"], row["kept"]) for alias, row in rows.items()} == {
        "soon.example.org": ("ok", True),
        "late.example.org": ("failed", False),
    }
    assert document["problems"] == 1
    said = status(page)
    assert "    note: the present certificate is kept, and this is an error from " in said
    assert "    last run, " in said


def test_check_judges_the_page_as_status_shows_it(page: Path) -> None:
    listed(page, "example.org", "gone.example.org")
    put(page, "example.org")
    put(page, "gone.example.org", left=timedelta(days=-2))
    done = certkeeper("check", "--config", page, cwd=page.parent)
    assert (done.code, done.err) == (2, "")
    assert done.out.startswith("CERTKEEPER CRITICAL - gone.example.org: expired 2 days ago (1 of 2 certificates")
    document = json.loads(certkeeper("check", "--config", page, "--json", cwd=page.parent).out)
    assert [item["grade"] for item in document["page"]["certificates"]] == ["critical", "ok"]
    listed(page, "example.org")
    assert certkeeper("check", "--config", page, cwd=page.parent).code == 1, "no run yet"
    assert certkeeper("run", "--config", page, cwd=page.parent).code == 0
    done = certkeeper("check", "--config", page, cwd=page.parent)
    assert (done.code, done.out.split(" - ")[0]) == (0, "CERTKEEPER OK")
    good = page.parent / "state" / "last-good-run"
    os.utime(good, (good.stat().st_mtime - 80 * 3600,) * 2)
    assert certkeeper("check", "--config", page, cwd=page.parent).code == 2
    assert certkeeper("check", "--config", page, "--max-age", "200", cwd=page.parent).code == 0
