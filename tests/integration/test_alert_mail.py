"""Alerts by mail, handed over to a real Postfix through its sendmail."""

import subprocess
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path

import pytest
import trustme

from bed.services.postfix import Postfix
from bed.waiting import wait_until
from certkeeper.adapters.notify import AlertFailed, Sender
from certkeeper.plan.alerts import Alert, Trouble

pytestmark = pytest.mark.real


@pytest.fixture
def postfix(tmp_path: Path) -> Iterator[Postfix]:
    made = trustme.CA().issue_cert("mail.example.org")
    (tmp_path / "both.pem").write_bytes(made.private_key_and_cert_chain_pem.bytes())
    with Postfix(tmp_path / "both.pem") as bed:
        # What is taken stays in the queue.
        subprocess.run(["postconf", "-c", bed.config, "-e", "defer_transports=smtp"], check=True)
        subprocess.run(["postfix", "-c", bed.config, "reload"], check=True, capture_output=True)
        yield bed


@pytest.fixture
def sendmail(tmp_path: Path, postfix: Postfix) -> str:
    path = tmp_path / "sendmail"
    path.write_text(f'#!/bin/sh\nexec /usr/sbin/sendmail -C {postfix.config} "$@"\n')
    path.chmod(0o755)
    return str(path)


def queued(postfix: Postfix) -> list[str]:
    """The queue's messages, each as Postfix keeps it."""

    def look() -> list[str]:
        names = [path.name for path in (postfix.folder / "queue" / "deferred").glob("*/*")]
        return [
            subprocess.run(
                ["postcat", "-c", postfix.config, "-q", name], capture_output=True, text=True, check=True
            ).stdout
            for name in names
        ]

    return wait_until(look, "the message is in the queue", deadline=20)


def test_postfix_takes_the_message_for_everybody(postfix: Postfix, sendmail: str) -> None:
    alert = Alert((Trouble("wéb.example", "no zone holds wéb.example"),), ("mail.example",))
    Sender(sendmail).send_mail(["admin@a.example", "other@b.example"], alert.title, ["wéb: line", ".", "last line"])
    (text,) = queued(postfix)
    assert text.count("\nrecipient: ") == 2
    head = text.partition("*** MESSAGE CONTENTS")[2].partition("\n")[2]
    message = message_from_string(head.partition("*** HEADER EXTRACTED")[0])
    assert message["To"] == "admin@a.example, other@b.example"
    assert message["Subject"] == "1 problem: w?b.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-Id"]
    assert "wéb: line\n.\nlast line" in text


def test_a_mail_system_that_is_full_is_told(postfix: Postfix, sendmail: str) -> None:
    subprocess.run(["postconf", "-c", postfix.config, "-e", "message_size_limit=100"], check=True)
    with pytest.raises(AlertFailed, match="sendmail: ended with status "):
        Sender(sendmail).send_mail(["admin@a.example"], "x", ["y" * 5000])
