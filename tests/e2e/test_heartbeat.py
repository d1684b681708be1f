"""HEARTBEAT_URL and HEARTBEAT_FAIL_URL: a URL is asked after each run, and nothing of that harms a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.httpsink import HttpSink
from bed.ports import reserve
from builders.calmpage import add_due, calm_page, calmed, words
from builders.page import certkeeper
from certkeeper.adapters.calm import recall
from certkeeper.cli.main import main

SECRET = "0b2a-c0ffee"


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as found:
        yield found


@pytest.fixture
def page(tmp_path: Path, sink: HttpSink) -> Path:
    return calm_page(
        tmp_path, f'HEARTBEAT_URL="{sink.url}/{SECRET}"', f'HEARTBEAT_FAIL_URL="{sink.url}/{SECRET}/fail?x=1"'
    )


def asked(sink: HttpSink) -> list[str]:
    return [f"{taken.method} {taken.path}" for taken in sink.taken()]


def test_a_good_run_asks_it_and_so_does_a_calm_one(
    page: Path, sink: HttpSink, capsys: pytest.CaptureFixture[str]
) -> None:
    done = certkeeper(*words(page), cwd=page.parent)
    assert (done.code, done.err) == (0, "")
    assert asked(sink) == [f"GET /{SECRET}"]
    assert sink.taken()[0].headers["user-agent"].startswith("certkeeper/")
    calmed(page)
    sink.forget()
    assert recall(words(page)) is not None
    assert asked(sink) == []
    assert main(words(page)) == 0
    assert asked(sink) == [f"GET /{SECRET}"]
    said = capsys.readouterr()
    assert (said.out.count("nothing due"), said.err) == (3, "")


def test_a_bad_run_asks_the_other_one(page: Path, sink: HttpSink) -> None:
    add_due(page)
    assert certkeeper(*words(page), cwd=page.parent).code == 1
    assert asked(sink) == [f"GET /{SECRET}/fail?x=1"]


def test_a_bad_run_asks_nothing_where_that_is_not_wanted(tmp_path: Path, sink: HttpSink) -> None:
    page = calm_page(tmp_path, f'HEARTBEAT_URL="{sink.url}/{SECRET}"')
    add_due(page)
    assert certkeeper(*words(page), cwd=page.parent).code == 1
    assert asked(sink) == []


def test_a_page_that_names_certificates_is_no_run_over_all(page: Path, sink: HttpSink) -> None:
    assert certkeeper(*words(page, "a.example"), cwd=page.parent).code == 0
    assert asked(sink) == []


def test_dehydrateds_command_asks_it_too(page: Path, sink: HttpSink) -> None:
    done = certkeeper("dehydrated", "--cron", "--accept-terms", "--config", str(page), cwd=page.parent)
    assert done.code in {0, 1}
    assert asked(sink) == [f"GET /{SECRET}" if done.code == 0 else f"GET /{SECRET}/fail?x=1"]


@pytest.mark.parametrize("calm", [False, True])
@pytest.mark.parametrize("how", ["gone", "refusing", "silent"])
def test_a_target_that_is_down_is_one_line_without_the_secret(
    page: Path, sink: HttpSink, how: str, capsys: pytest.CaptureFixture[str], *, calm: bool
) -> None:
    if calm:
        calmed(page)
        capsys.readouterr()
        assert recall(words(page)) is not None
    match how:
        case "refusing":
            sink.answer(503)
        case "silent":
            sink.answer(silent=True)
        case _:
            sink.stop()
    assert main(words(page)) == 0
    done = capsys.readouterr()
    assert "3 certificates, nothing due" in done.out
    warned = [line for line in done.err.splitlines() if "warning" in line]
    assert len(warned) == 1
    assert warned[0].startswith(f"certkeeper: warning: heartbeat: {sink.url}/…: ")
    assert SECRET not in done.out + done.err


def test_an_address_that_nobody_is_at_and_what_is_no_url(tmp_path: Path) -> None:
    page = calm_page(tmp_path, f'HEARTBEAT_URL="https://user:{SECRET}@127.0.0.1:{reserve()}/{SECRET}"')
    done = certkeeper(*words(page), cwd=page.parent)
    assert done.code == 0
    assert "cannot connect" in done.err
    assert SECRET not in done.text
    with page.open("a", encoding="utf-8") as file:
        file.write(f'HEARTBEAT_URL="{SECRET} x"\n')
    done = certkeeper(*words(page), cwd=page.parent)
    assert (done.code, SECRET in done.text) == (2, False)
    assert "HEARTBEAT_URL: no http or https URL" in done.err


def test_config_show_hides_it(page: Path) -> None:
    done = certkeeper("config", "show", "--config", str(page), cwd=page.parent)
    assert "HEARTBEAT_URL" in done.out
    assert SECRET not in done.text
