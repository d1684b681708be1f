"""What can be typed behind `certkeeper check`."""

import argparse
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it
    MakeCommand = Callable[[Commands, str, str, str], argparse.ArgumentParser]

_CHECK = """\
Shake hands with services as their clients do, on every address, and say whether what they show is in order: the
certificate that is live here, names, chain, trust, end, and the stapled OCSP response. Changes nothing.

Without ENDPOINT it is about every certificate of the page, by what files on this machine say: state, end, services,
OCSP responses, TLSA records, and when a run over the whole page last ended well. Nobody is asked. Of certificates that
live for weeks or days only, --warning and --critical are a quarter and a twelfth of their life, unless they are typed.

An endpoint is [SERVICE://]NAME[:PORT][@HOST]: NAME is what clients ask for, HOST is where to connect if that is
elsewhere. Services: https, smtp, submission, submissions, lmtp, imap, imaps, pop3, pop3s, sieve, xmpp-client,
xmpp-server, xmpps-client, xmpps-server, ldap, ldaps, postgres, mysql, ftp, ftps, dot, tls. Without one the port says
which; without both it is https.

examples: certkeeper check
          certkeeper check example.org smtp://mail.example.org xmpp-client://example.org@xmpp.example.org
          certkeeper check example.org:8443@192.0.2.1 --warning 20

exit codes, as monitoring plugins have them: 0 all is well, 1 a certificate ends soon, or a person should see to one,
2 something is wrong, 3 not known
"""


_UNKNOWN = 3
"""Monitoring takes 2 for a service that is broken."""


def add_check(commands: "Commands", make: "MakeCommand") -> None:
    check = make(commands, "check", "shake hands with services and judge what they show", _CHECK)
    check.add_argument("endpoints", nargs="*", metavar="ENDPOINT", help="where a service is: smtp://mail.example.org")
    check.add_argument(
        "--max-age",
        type=_hours,
        default=72,
        metavar="HOURS",
        help="without ENDPOINT: critical when no run over the whole page ended well for so long, a warning from half "
        "of it on (72)",
    )
    check.set_defaults(usage_code=_UNKNOWN)
    add_margins(check)
    check.add_argument(
        "--family",
        choices=("any", "rsa", "ecdsa", "both"),
        default="any",
        help="which certificate of a server with two of them is asked for (default: any)",
    )
    check.add_argument("--timeout", type=_seconds, default=10.0, metavar="SECONDS", help="for each handshake (10)")
    check.add_argument("--ca-bundle", metavar="FILE", help="the roots that count (default: CA_BUNDLE, or the system's)")
    check.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_margins(check: argparse.ArgumentParser) -> None:
    """Days before a certificate's end, for `cli/margins.py`."""
    check.add_argument("--warning", type=_days, metavar="DAYS", help="warn when no more are left (14)")
    check.add_argument(
        "--critical", type=_days, metavar="DAYS", help="critical when no more are left (3; not more than --warning)"
    )


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 0 to 9999")
    return int(text)


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours from 1 to 99999")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to 600")
    return seconds
