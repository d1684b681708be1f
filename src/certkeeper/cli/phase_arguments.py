"""What can be typed of the two phases: hold, activate, rollback, versions; why, and history."""

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.life_arguments import Command

_HOLD = """\
Keep new versions of certificates from going live by themselves. What is due is still ordered, and staged: it waits
beside the live version for `certkeeper activate`. No hook is called, and no service gets it before that. Runs warn when
the live certificate is due, and fail when half of the time before its end is over.

exit codes: 0 done, 1 a certificate cannot be read in the page, 2 usage or configuration, 3 another run holds the lock
"""

_ACTIVATE = """\
Make the newest staged version of a certificate live, by one rename, and end its hold. Before that, key, chain, validity
and names are checked; then the hook is called (sync_cert, deploy_cert), as after an order. Where nothing waits, the
hold ends. What a kill leaves is finished by the next run.

exit codes: 0 done, 1 refused or failed, 2 usage or configuration, 3 another run holds the lock, 130 interrupted
"""

_ROLLBACK = """\
Make the version before the live one live again, by the same one rename, and call the hook (deploy_cert), so that
services and scripts get the older files. A version that expired, was revoked, or is not whole is never taken; it is
said which one was passed over, and why. The certificate is held then: no run goes forward again by itself.
`certkeeper activate NAME` goes forward.

exit codes: 0 done, 1 refused or failed, 2 usage or configuration, 3 another run holds the lock, 130 interrupted
"""

_VERSIONS = """\
List the versions of a certificate, newest first: number, date, what it is (live, staged, earlier, expired, revoked),
what it is good for, validity, key and names. Reads files only.

exit codes: 0 done, 1 a certificate's folder cannot be read, 2 usage or configuration
"""


_WHY = """\
Say of certificates why they are due or are not, which key the next one would get, and what their TLSA records wait
for. Changes nothing.
"""


_HISTORY = """\
Say what happened to certificates, newest first: ordered, issued, failed and why, deployed, gone back, TLSA records
published or held, revoked, pruned. Without a name it is about all of them. Runs write it down as it happens, in
STATEDIR/history.jsonl, which is bounded; what is older is told from the versions that are there. Reads files only.

exit codes: 0 done, 2 usage or configuration
"""


def add_phases(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: "Command") -> None:
    """`hold`, `activate`, `rollback` and `versions`; `command` makes one that takes --config."""
    hold = command(commands, "hold", "keep new versions from going live by themselves", _HOLD)
    activate = command(commands, "activate", "make the staged version live", _ACTIVATE)
    rollback = command(commands, "rollback", "make the version before live again", _ROLLBACK)
    versions = command(commands, "versions", "list the versions of a certificate", _VERSIONS)
    why = command(commands, "why", "why a certificate is due or is not, and what it waits for", _WHY)
    for part in (hold, activate, rollback, versions, why):
        part.add_argument("names", nargs="+", metavar="NAME", help="certificates of that alias or with that name")
    activate.add_argument(
        "--version", dest="version_stamp", type=int, metavar="STAMP", help="that version, whatever names it has"
    )
    rollback.add_argument("--to", type=int, metavar="STAMP", help="that version, and not the one before")
    history = command(commands, "history", "what happened to a certificate, newest first", _HISTORY)
    history.add_argument(
        "names", nargs="*", metavar="NAME", help="certificates of that alias or with that name (default: all)"
    )
    history.add_argument("--days", type=_number, metavar="N", help="no further back than that many days")
    history.add_argument("-n", "--number", type=_number, metavar="N", help="at most that many lines")
    for part in (versions, history, why):
        part.add_argument("--json", action="store_true", help="print JSON instead of text")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 999999")
    return int(text)
