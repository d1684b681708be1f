"""What can be typed behind `certkeeper tlsa`."""

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

_TLSA = """\
TLSA records (DANE): what to publish so that clients know the key of a service.
"""

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


def add_tlsa(commands: "Commands") -> None:
    """`certkeeper tlsa …`."""
    raw = argparse.RawDescriptionHelpFormatter
    tlsa = commands.add_parser("tlsa", help="TLSA records (DANE)", description=_TLSA, formatter_class=raw)
    parts = tlsa.add_subparsers(dest="tlsa_command", metavar="COMMAND", required=True)
    generate = parts.add_parser(
        "generate", help="print records for a chain, a key or a server", description=_GENERATE, formatter_class=raw
    )
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


def _ttl(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 9999999")
    return int(text)


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 999")
    return float(text)
