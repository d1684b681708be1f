"""Alerts: by mail through the host's own sendmail, or through a command of the operator's. Bounded in time."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from certkeeper.adapters.scripts import open_to_others
from certkeeper.base.errors import CertkeeperError, Fault, printable

SENDMAIL = "/usr/sbin/sendmail"
DEADLINE = 60.0
"""Seconds."""
_NO_SENDMAIL = "a Debian package such as msmtp-mta, nullmailer or postfix has it; or set ALERT_COMMAND"
CLEAN: Mapping[str, str] = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class AlertFailed(CertkeeperError):
    """Nobody could be told."""

    label = "not-told"
    fault = Fault.OPERATOR
    local = True


class Sender:
    """Hands alerts over; nothing of it takes longer than `deadline` (seconds)."""

    def __init__(self, sendmail: str = SENDMAIL, deadline: float = DEADLINE) -> None:
        self._sendmail = sendmail
        self._deadline = deadline

    def send_mail(self, to: Sequence[str], title: str, lines: Sequence[str]) -> None:
        """Hand a message over to the host's mail system.

        Raises:
            AlertFailed: it was not taken.
        """
        head = (
            f"To: {', '.join(to)}",
            f"Subject: {printable(title, 200).encode('ascii', 'replace').decode()}",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
        )
        message = "\n".join((*head, "", *lines, ""))
        # Without -i a line with a single dot would end the message.
        _run((self._sendmail, "-i", "-t"), message.encode(), _NO_SENDMAIL, self._deadline)

    def call(self, command: Sequence[str], document: Mapping[str, object]) -> None:
        """Run the operator's command with that document on its standard input, as JSON.

        Raises:
            AlertFailed: it could not be started, did not end, or ended with another status than 0.
        """
        hint = f"try it out: certkeeper alert test; ls -l {command[0]}"
        _run(tuple(command), json.dumps(document).encode() + b"\n", hint, self._deadline)


def _run(command: Sequence[str], content: bytes, hint: str, deadline: float) -> None:
    if (trouble := open_to_others(command[0])) is not None:
        raise AlertFailed(f"{command[0]}: {trouble}", hint=trouble.hint)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=CLEAN,
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AlertFailed(f"{command[0]}: cannot be started: {reason.lower()}", hint=hint) from error
    try:
        # Whoever does not read to the end may still have been told.
        child.communicate(content, timeout=deadline)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise AlertFailed(f"{command[0]}: did not end within {deadline:.0f} s and was killed", hint=hint) from None
    if child.returncode != 0:
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"status {child.returncode}"
        raise AlertFailed(f"{command[0]}: ended with {how}", hint=hint)
