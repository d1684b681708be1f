"""An upgrade, a look at what it left, and the way back."""

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from bed.world import World
from builders.certificates import new_key
from builders.journals import FIRST_SCHEMA
from builders.page import Page, certkeeper
from certkeeper.adapters import journal_tables as tables

pytestmark = pytest.mark.real


def schema(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return tables.version(database)


@pytest.fixture
def page(tmp_path: Path, shared_world: World, zone: str) -> Page:
    return Page(tmp_path, shared_world, zone)


def older(page: Page) -> Path:
    """A journal of the first schema, as the first version left it."""
    assert page.run().code == 0
    journal = page.folder / "state" / "journal.db"
    journal.unlink()
    with closing(sqlite3.connect(journal)) as database:
        database.executescript(FIRST_SCHEMA)
    journal.chmod(0o600)
    return journal


def test_the_first_entry_keeps_the_journal_from_before_and_the_older_version_is_told_how_to_go_back(page: Page) -> None:
    journal = older(page)
    before = journal.read_bytes()
    looked = certkeeper("self-check", "--config", page.config, cwd=page.folder)
    assert looked.code == 0, looked.text
    assert f"its schema is 1; the next run brings it to {tables.VERSION}" in looked.out
    assert journal.read_bytes() == before
    assert page.run("--force").code == 0
    kept = page.folder / "state" / "backup" / "journal.db.schema-1"
    assert (schema(journal), schema(kept)) == (tables.VERSION, 1)
    assert [path.stat().st_mode & 0o777 for path in (kept, kept.parent)] == [0o600, 0o700]
    with closing(sqlite3.connect(journal)) as database:
        database.execute(f"PRAGMA user_version={tables.VERSION + 1}")
    refused = page.run("--force")
    assert refused.code == 2
    assert f"schema {tables.VERSION + 1}, and this certkeeper knows {tables.VERSION}" in refused.only_error()
    found = re.search(r"before the upgrade: (.*)", refused.hints[0])
    assert found is not None
    subprocess.run(["sh", "-c", found[1]], check=True)
    assert page.run("--force").code == 0
    assert (kept.parent / "journal.db.schema-1-1").exists(), "the second upgrade has a copy of its own"


def test_self_check_sees_what_is_wrong_and_writes_nothing(page: Page) -> None:
    assert page.run().code == 0
    folder = page.place(next(page.certs.iterdir()).name)
    (folder / "privkey.pem").unlink()
    (folder / "privkey.pem").write_bytes(new_key().pem)
    (page.folder / "lock").write_text("123\n")
    before = {path: path.lstat().st_mtime_ns for path in page.folder.rglob("*")}
    done = certkeeper("self-check", "--json", "--config", page.config, cwd=page.folder)
    assert done.code == 1, done.text
    found = {item["subject"]: item for item in json.loads(done.out)["checks"]}
    assert found["files"]["state"] == "error"
    assert found["files"]["fix"] == "certkeeper heal"
    assert found["lock"]["state"] == "warning"
    assert "dehydrated" in found["lock"]["text"]
    assert found["state"]["state"] == "ok"
    assert {path: path.lstat().st_mtime_ns for path in page.folder.rglob("*")} == before


def test_a_page_that_cannot_be_read_is_told_beside_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "certkeeper.toml"
    page.write_text('config_version = 2\nca = "letsencrypt"\n')
    done = certkeeper("self-check", "--config", page, cwd=tmp_path)
    assert done.code == 1
    assert f"error: configuration: {page}:1: config_version: 2, and this certkeeper knows 1" in done.out
    assert "ok: dependencies: cryptography" in done.out
