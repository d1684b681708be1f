"""What can be typed behind `certkeeper tlsa`."""

import argparse

from certkeeper.cli.check_arguments import add_margins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it
    MakeCommand = Callable[[Commands, str, str, str], argparse.ArgumentParser]

_TLSA = """\
TLSA records (DANE): what to publish so that clients know the key of a service.
"""

_UNKNOWN = 3
"""Monitoring takes 2 for a service that is broken."""
_GENERATE = """\
Print all TLSA records that can be made of a chain, of a key, or of what a server shows, each with what to think of it:
recommended, possible or not recommended, and why. Those of --types are lines of a zone file, all others are comments.
Publishes nothing. A key may have no certificate yet; what is about certificates or CAs needs a fullchain.pem.

A server is SERVICE://NAME[:PORT][@HOST], as for `certkeeper check`.

examples: certkeeper tlsa generate /etc/dehydrated/certs/example.org/fullchain.pem example.org:443
          certkeeper tlsa generate smtp://mail.example.org
          certkeeper tlsa generate privkey.roll.pem mail.example.org:25 _465._tcp.mail.example.org --powerdns

exit codes: 0 done, 1 no records can be made, or those of --types must not be published, 2 usage
"""


_CHECK = """\
Look at TLSA records as clients do, from outside: MX and SRV records of a domain, the addresses of the hosts, the
records at every name server with DNSSEC's proof, and a handshake at every address for each kind of key; then each
record, and each combination of usage, selector and matching type, against what is served. Changes nothing.

DOMAIN is a domain, whose MX and SRV records are followed, or an endpoint as for `certkeeper check`:
smtp://mail.example.org. Without any, the endpoints of the page's certificates at their services are looked at.
Who proves what is secure: VALIDATING_RESOLVER, a resolver on loopback, or TRUST_ANCHOR (docs/settings.md).

examples: certkeeper tlsa check example.org
          certkeeper tlsa check smtp://mail.example.org https://www.example.org --json

--warning and --critical are about certificates that records of usages 0 to 2 match: for usage 3 their end does not
count (RFC 7671).

exit codes, as monitoring plugins have them: 0 all is well, 1 something is to be mended or nothing is protected,
2 clients are refused or will be, 3 not known
"""


_STATUS = """\
Look at the TLSA records of the page's certificates and say in one sentence for each owner where it stands, what it
waits for and until when; then each record. Changes nothing.

exit codes: 0 all is well or only takes time, 1 something is held or is to be mended, 2 usage
"""

_ROLL = """\
Order a certificate with the next key now. It is refused where a cache may hold TLSA records without that key; --now
does it all the same, and says which clients fail and for how long.

exit codes: 0 done, 1 refused, or something of the run failed, 2 usage
"""

_COMPROMISE = """\
Others have the key of a certificate. A certificate with the next key takes its place as soon as caches know that one
(--now: at once), then every certificate with the old key is revoked, and its TLSA records are withdrawn. What has to
wait is gone on with by the next run.

exit codes: 0 done or under way, 1 something of the run failed, 2 usage
"""

_RETIRE = """\
Withdraw the TLSA records of a certificate. Its key stays until no cache can hold any of them. For good, write TLSA="no"
in the page; --undo takes it back.

exit codes: 0 done, 1 something could not be changed, 2 usage
"""


def add_tlsa(commands: "Commands", command: "MakeCommand") -> None:
    """`certkeeper tlsa …`; `command` makes one that takes --config."""
    tlsa = commands.add_parser("tlsa", help="TLSA records (DANE)", description=_TLSA)
    parts = tlsa.add_subparsers(dest="tlsa_command", metavar="COMMAND", required=True)
    _add_check(parts, command)
    _add_turns(parts, command)
    generate = parts.add_parser("generate", help="print records for a chain, a key or a server", description=_GENERATE)
    generate.add_argument("source", metavar="FILE", help="a chain or key in PEM, or a server: smtp://mail.example.org")
    generate.add_argument(
        "owners", nargs="*", metavar="HOST:PORT", help="where the records are to stand (default: where the server is)"
    )
    generate.add_argument("--types", default="311", metavar="TYPES", help="what to publish: 311, or '311 211' (311)")
    generate.add_argument("--ttl", type=_ttl, default=3600, metavar="SECONDS", help="the records' TTL (3600)")
    generate.add_argument("--timeout", type=_seconds, default=10.0, metavar="SECONDS", help="for a server (10)")
    form = generate.add_mutually_exclusive_group()
    form.add_argument("--powerdns", action="store_true", help="print what PowerDNS's API takes, for --types only")
    form.add_argument("--json", action="store_true", help="print JSON instead of text")


def _add_turns(parts: "Commands", command: "MakeCommand") -> None:
    status = command(parts, "status", "where the page's TLSA records stand", _STATUS)
    status.add_argument("names", nargs="*", metavar="NAME", help="certificates of that alias or with that name")
    status.add_argument("--json", action="store_true", help="print JSON instead of text")
    roll = command(parts, "roll", "use the next key now", _ROLL)
    compromise = command(parts, "compromise", "give a key up that others have", _COMPROMISE)
    for part in (roll, compromise):
        part.add_argument("--now", action="store_true", help="whatever caches hold: some clients fail")
        part.add_argument("--yes", action="store_true", help="do not ask")
    retire = command(parts, "retire", "withdraw a certificate's TLSA records", _RETIRE)
    retire.add_argument("--undo", action="store_true", help="publish them again")
    for part in (roll, compromise, retire):
        part.add_argument("name", metavar="NAME", help="a certificate of that alias or with that name")


def _add_check(parts: "Commands", command: "MakeCommand") -> None:
    check = command(parts, "check", "compare records with what services show", _CHECK)
    check.set_defaults(usage_code=_UNKNOWN)
    check.add_argument("domains", nargs="*", metavar="DOMAIN", help="a domain, or a server: smtp://mail.example.org")
    add_margins(check)
    check.add_argument("--timeout", type=_seconds, default=10.0, metavar="SECONDS", help="for each handshake (10)")
    check.add_argument("--json", action="store_true", help="print JSON instead of text")


def _ttl(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 9999999")
    return int(text)


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 999")
    return float(text)
