"""Alerts through programs of the host's: what they get, and what is done about those that fail or hang."""

import json
import time
from pathlib import Path

import pytest

from certkeeper.adapters.notify import AlertFailed, Sender


def script(folder: Path, text: str, name: str = "program") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_mail_goes_to_sendmail_as_a_message(tmp_path: Path) -> None:
    program = script(tmp_path, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/message')
    Sender(program).send_mail(["root", "a@example.org"], "1 problem: wéb\nBcc: x@example.org", ["wéb: bad", ".", "end"])
    assert (tmp_path / "arguments").read_text() == "-i -t\n"
    head, _, body = (tmp_path / "message").read_text().partition("\n\n")
    assert "To: root, a@example.org" in head.splitlines()
    assert "Subject: 1 problem: w?b Bcc: x@example.org" in head.splitlines()
    assert body == "wéb: bad\n.\nend\n"


def test_a_command_gets_json_and_no_environment_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDNS_KEY", "secret")
    program = script(tmp_path, f'env > {tmp_path}/environment; echo "$1" > {tmp_path}/first; cat > {tmp_path}/document')
    Sender().call([program, "$HOME; id"], {"title": "x"})
    assert json.loads((tmp_path / "document").read_text()) == {"title": "x"}
    assert (tmp_path / "first").read_text() == "$HOME; id\n"
    assert "secret" not in (tmp_path / "environment").read_text()


def test_what_fails_is_an_error_that_names_the_program(tmp_path: Path) -> None:
    program = script(tmp_path, "exit 3")
    with pytest.raises(AlertFailed, match="program: ended with status 3"):
        Sender().call([program], {})
    with pytest.raises(AlertFailed, match="missing: cannot be started: no such file"):
        Sender(str(tmp_path / "missing")).send_mail(["root"], "x", [])


def test_a_program_that_everybody_can_change_is_not_run(tmp_path: Path) -> None:
    program = script(tmp_path, f"touch {tmp_path}/ran")
    Path(program).chmod(0o777)
    with pytest.raises(AlertFailed, match="program: is not run: everybody on this machine can change it, ") as caught:
        Sender().call([program], {})
    assert caught.value.hint == f"chmod o-w {program}"
    assert not (tmp_path / "ran").exists()


def test_a_program_that_reads_nothing_is_no_failure(tmp_path: Path) -> None:
    Sender().call([script(tmp_path, f"touch {tmp_path}/ran")], {"long": "x" * (1 << 20)})
    assert (tmp_path / "ran").exists()


def test_what_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    program = script(tmp_path, "sleep 600 & wait")
    began = time.monotonic()
    with pytest.raises(AlertFailed, match="did not end within 0 s and was killed"):
        Sender(deadline=0.3).call([program], {})
    assert time.monotonic() - began < 10
