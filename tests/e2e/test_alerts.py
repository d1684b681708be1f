"""Who is told of what, over several runs, and that targets which are down harm none of them."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bed.httpsink import HttpSink
from builders.calmpage import add_due, calm_page, calmed, words
from builders.page import Done, certkeeper
from certkeeper.adapters.calm import recall

SECRET = "c0ffee-c0ffee"


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as found:
        yield found


@pytest.fixture
def page(tmp_path: Path, sink: HttpSink) -> Path:
    """It tells a script, and an HTTP server through apprise."""
    script = tmp_path / "tell"
    script.write_text(f"#!/bin/sh\ncat >> {tmp_path}/told\n")
    script.chmod(0o755)
    urls = tmp_path / "urls"
    urls.write_text(f"json://user:{SECRET}@127.0.0.1:{sink.port}/{SECRET}\n")
    urls.chmod(0o600)
    return calm_page(tmp_path, f'ALERT_COMMAND="{script}"', f'ALERT_URLS_FILE="{urls}"')


def run(page: Path, *more: str) -> Done:
    return certkeeper(*words(page, *more), cwd=page.parent)


def told(page: Path) -> list[dict[str, Any]]:
    """What the script was told since the last look."""
    path = page.parent.parent / "told"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def posted(sink: HttpSink) -> list[dict[str, str]]:
    found = [json.loads(taken.body) for taken in sink.taken()]
    sink.forget()
    return found


def take_off(page: Path) -> None:
    """The line that cannot be issued."""
    lines = (page.parent / "domains.txt").read_text().replace("d.example\n", "")
    (page.parent / "domains.txt").write_text(lines)


def test_only_changes_are_told_and_each_way_once(page: Path, sink: HttpSink) -> None:
    assert run(page).code == 0
    assert (told(page), posted(sink)) == ([], [])
    add_due(page)
    assert run(page).code == 1
    (message,) = told(page)
    kinds = {(item["subject"], item["kind"], item["new"]) for item in message["troubles"]}
    assert kinds == {("run", "failed", True), ("d.example", "expiring", True)}
    assert message["title"] == "2 problems: run, d.example (expiring)"
    (post,) = posted(sink)
    assert post["type"] == "failure"
    assert "the certificate ends on" in post["message"]
    for _ in range(2):
        assert run(page).code == 1
        assert (told(page), posted(sink)) == ([], [])
    take_off(page)
    assert run(page).code == 0
    (message,) = told(page)
    assert (message["recovered"], message["troubles"]) == (["d.example (expiring)", "run"], [])
    assert [post["type"] for post in posted(sink)] == ["success"]
    assert run(page).code == 0
    assert (told(page), posted(sink)) == ([], [])


def test_a_way_that_is_down_is_one_line_and_tried_again_and_the_other_is_told_once(page: Path, sink: HttpSink) -> None:
    add_due(page)
    sink.answer(500)
    for _ in range(2):
        done = run(page)
        assert done.code == 1
        (line,) = [line for line in done.err.splitlines() if "warning" in line]
        way = f"to URL 1 of {page.parent.parent}/urls (json://…)"
        assert line.startswith(f"certkeeper: warning: alert {way}: not sent, the next run tries again: ")
        assert SECRET not in done.text
    assert len(told(page)) == 1
    sink.forget()
    sink.answer(200)
    assert "warning" not in run(page).err
    assert (len(posted(sink)), told(page)) == (1, [])
    assert SECRET not in (page.parent / "state" / "alerts.json").read_text()


def test_while_somebody_is_to_be_told_runs_are_not_calm(page: Path, sink: HttpSink) -> None:
    add_due(page)
    run(page)
    take_off(page)
    (page.parent / "certs" / "d.example" / "cert.pem").unlink()
    sink.answer(500)
    calmed(page)
    assert recall(words(page)) is None
    sink.answer(200)
    calmed(page)
    assert recall(words(page)) is not None
    assert "recovered" in posted(sink)[-1]["title"]


def test_a_file_of_urls_that_others_can_read_is_not_used(page: Path, sink: HttpSink) -> None:
    (page.parent.parent / "urls").chmod(0o644)
    add_due(page)
    done = run(page)
    assert done.code == 1
    assert "urls: others can read or change it, and it holds secrets" in done.err
    assert f"hint: chmod 0600 {page.parent.parent}/urls" in done.err
    assert posted(sink) == []


def test_a_test_message_goes_every_way(page: Path, sink: HttpSink) -> None:
    done = certkeeper("alert", "test", "--config", page, cwd=page.parent)
    assert (done.code, done.err) == (0, "")
    script, urls = page.parent.parent / "tell", page.parent.parent / "urls"
    assert done.out == (
        f"a test message was sent through {script}\na test message was sent to URL 1 of {urls} (json://…)\n"
    )
    assert told(page)[0]["test"] is True
    assert posted(sink)[0]["type"] == "info"
    sink.answer(500)
    done = certkeeper("alert", "test", "--config", page, cwd=page.parent)
    assert done.code == 1
    assert done.out == f"a test message was sent through {script}\n"
    assert SECRET not in done.only_error()


def test_a_summary_comes_once_in_a_while_and_wakes_a_calm_page(page: Path, sink: HttpSink) -> None:
    with page.open("a", encoding="utf-8") as file:
        file.write('ALERT_SUMMARY="daily"\nALERT_DAYS="1"\n')
    # The first run only begins to count.
    assert run(page).code == 0
    assert told(page) == []
    calmed(page)
    assert recall(words(page)) is not None
    memory = page.parent / "state" / "alerts.json"
    ways = json.loads(memory.read_text())
    began = ways["ways"]["command"]["summary"]
    assert began == pytest.approx(time.time(), abs=120)
    assert recall(words(page), clock=lambda: began + 86400 + 1) is None
    for way in ways["ways"].values():
        way["summary"] -= 86400
    memory.write_text(json.dumps(ways))
    assert run(page).code == 0
    (message,) = told(page)
    assert message["title"] == "summary: 3 certificates, 0 problems"
    assert message["summary"]["states"] == {"ok": 3}
    (post,) = posted(sink)
    assert re.search(r"Renewed next:\s+a\.example: in ", post["message"])
    assert run(page).code == 0
    assert (told(page), posted(sink)) == ([], [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f'ALERT_URLS="json://a {SECRET}"', "ALERT_URLS: the word at place 2 is no URL"),
        ('ALERT_URLS_FILE="urls"', "ALERT_URLS_FILE: 'urls' is no absolute path"),
        (
            'ALERT_SUMMARY="now and then"',
            "ALERT_SUMMARY: 'now and then' is neither daily, weekly, monthly nor a number",
        ),
        ('ALERT_DAYS="0"', "ALERT_DAYS: '0' is no number from 1 to 366"),
    ],
)
def test_what_cannot_be_meant_is_refused(page: Path, line: str, said: str) -> None:
    with page.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    done = run(page)
    assert done.code == 2
    assert said in done.only_error()
    assert SECRET not in done.text
