"""Messages through apprise, to an HTTP server: what arrives, what fails, and that no URL is told."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.httpsink import HttpSink
from bed.ports import reserve
from certkeeper.adapters.apprised import Message, send_all, urls_in
from certkeeper.adapters.files import FileMissing
from certkeeper.adapters.notify import AlertFailed
from certkeeper.config.secret import Secret

SECRET = "c0ffee-c0ffee"


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as found:
        yield found


def message(url: str) -> Message:
    return Message(Secret(url), "certkeeper on web: 1 problem: web", "web: it fails\nsecond line", "failure")


def at(sink: HttpSink, more: str = "") -> str:
    return f"json://user:{SECRET}@127.0.0.1:{sink.port}/{SECRET}{more}"


def test_it_arrives(sink: HttpSink) -> None:
    assert send_all([message(at(sink))]) == [None]
    (taken,) = sink.taken()
    body = json.loads(taken.body)
    assert (taken.method, taken.path) == ("POST", f"/{SECRET}")
    assert (body["title"], body["type"]) == ("certkeeper on web: 1 problem: web", "failure")
    assert "web: it fails" in body["message"]


def test_one_that_fails_keeps_no_other_back_and_tells_nothing_of_its_url(sink: HttpSink) -> None:
    nowhere = f"json://user:{SECRET}@localhost:{reserve()}/{SECRET}"
    answers = send_all(
        [message(nowhere), message(at(sink)), message(f"nothing://{SECRET}"), message(f"json://{SECRET}")]
    )
    assert answers[1] is None
    assert len(sink.taken()) == 1
    for failed in (answers[0], answers[2], answers[3]):
        assert isinstance(failed, AlertFailed)
        assert SECRET not in str(failed) + failed.hint
    assert "no URL that apprise knows" in str(answers[2])


def test_one_that_refuses_says_so(sink: HttpSink) -> None:
    sink.answer(403)
    (failed,) = send_all([message(at(sink))])
    assert failed is not None
    assert "error" in str(failed)
    assert SECRET not in str(failed)


def test_one_that_never_answers_is_given_up(sink: HttpSink) -> None:
    sink.answer(silent=True)
    began = time.monotonic()
    (failed,) = send_all([message(at(sink, "?rto=50"))], deadline=3.0)
    assert time.monotonic() - began < 20
    assert "no answer within 3 s" in str(failed)


def test_a_file_of_urls_is_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "urls"
    file.write_text("# mine\njson://a\n\n  ntfys://b  \n")
    for mode in (0o600, 0o640, 0o400):
        file.chmod(mode)
        assert list(urls_in(str(file))) == ["json://a", "ntfys://b"]
    for mode in (0o644, 0o660, 0o604):
        file.chmod(mode)
        with pytest.raises(AlertFailed, match="others can read or change it") as caught:
            list(urls_in(str(file)))
        assert caught.value.hint == f"chmod 0600 {file}"
    with pytest.raises(FileMissing):
        list(urls_in(str(tmp_path / "none")))
