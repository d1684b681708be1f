"""What can be typed to begin with certkeeper on a machine."""

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

DNS = ("powerdns", "rfc2136", "none")

_INIT = """\
Write a first certkeeper.toml for this machine, with comments. What serves names here (nginx, Apache, Postfix, Dovecot,
Prosody, haproxy) and PowerDNS's API are looked for in /etc, read only. On a terminal it asks, with what it found as the
answer to Enter; else, or with --yes, what was found and typed counts. Nothing is ever written over, and no secret goes
into the file: PowerDNS's key is copied from pdns.conf into pdns.key (0600) beside it, or stays where --dns-key-file
says. Then the file is checked, and the plan of a first run is shown.

Where there is a configuration already, dehydrated's or our own, that one counts: it is checked, what could be added is
proposed, and nothing is written.

example: certkeeper init
example: certkeeper init --yes --contact hostmaster@example.org --domains "example.org www.example.org"

exit codes: 0 done, 1 an error was found in what was written or planned, 2 usage or configuration, or nothing written
"""


def add_init(commands: "Commands") -> None:
    """`certkeeper init`."""
    init = commands.add_parser("init", help="write a first configuration for this machine", description=_INIT)
    init.add_argument("--ca", metavar="CA", help="letsencrypt, zerossl, …, or a directory URL (default: letsencrypt)")
    init.add_argument("--contact", metavar="MAIL", help="where the CA may write to")
    init.add_argument(
        "--domains",
        action="append",
        metavar="NAMES",
        help="one certificate's names, as a line of domains.txt; may be given again (default: what is served here)",
    )
    init.add_argument(
        "--dns", choices=DNS, help="who writes records; none: by http-01 (default: powerdns where it is found)"
    )
    init.add_argument("--dns-server", metavar="HOST", help="PDNS_HOST or RFC2136_SERVER (default: that of pdns.conf)")
    init.add_argument("--dns-key-file", metavar="FILE", help="the file that holds the API's or the TSIG key")
    init.add_argument(
        "--deploy", metavar="SERVICES", help='services that take every certificate, or "" for none: "nginx postfix"'
    )
    init.add_argument("--out", "-o", metavar="FILE", help="where to write (default: /etc/certkeeper/certkeeper.toml)")
    init.add_argument("--root", metavar="DIR", default="/", help="look for services below DIR (default: /)")
    init.add_argument("--yes", "-y", action="store_true", help="do not ask")
