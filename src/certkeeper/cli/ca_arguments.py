"""What can be typed behind the commands that talk to the CA and issue nothing for the page."""

import argparse
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it
    MakeCommand = Callable[[Commands, str, str, str], argparse.ArgumentParser]

_ACCOUNT = """\
Look at the account at the CA, change it, give it up, or take one over. Its files stay as dehydrated has them.
"""

_SHOW = """\
Ask the CA for the account: its URL, status and contact, the terms of service; with the key and the folder here.

example: certkeeper account show --json --ca letsencrypt-test

exit codes: 0 the account is valid, 1 it is not, there is none or the CA cannot be asked, 2 usage or configuration
"""

_REGISTER = """\
Make an account at the CA, bound to EAB_KID where that is set. An account that is there already is shown.

example: certkeeper account register --accept-terms

exit codes: 0 there is an account, 1 the CA refused or cannot be reached, 2 usage, configuration, or terms that are not
accepted, 3 another run holds the lock
"""

_UPDATE = """\
Have the CA keep another contact: that of CONTACT_EMAIL, or the addresses of --contact. Says so where nothing changes.

example: certkeeper account update --contact admin@example.org

exit codes: 0 done or nothing to change, 1 the CA refused or cannot be reached, 2 usage or configuration, 3 another run
holds the lock
"""

_ROLL_KEY = """\
Give the account a new key, of the kind of ACCOUNT_KEY_ALGO. The account, its URL and its certificates stay. It may be
interrupted at any point: the next command that uses the account finds out which key the CA knows, and goes on with it.

exit codes: 0 the account has a new key, 1 the CA refused or cannot be reached, 2 usage or configuration, 3 another run
holds the lock
"""

_DEACTIVATE = """\
Give the account up for good, after a question. Certificates stay valid, and can be revoked with their own keys only.
The files of the account are kept under other names, and later commands say that it is deactivated.

exit codes: 0 it is deactivated, 1 it is not, 2 usage or configuration, 3 another run holds the lock
"""

_RECOVER = """\
Ask the CA for the URL of the account that account_key.pem belongs to, and write it down. A change of keys that was cut
off is finished.

exit codes: 0 done, 1 the CA does not know the key or cannot be reached, 2 usage or configuration, 3 another run holds
the lock
"""

_IMPORT = """\
Take the key of another program over as the account's: PEM, or a JWK such as certbot's private_key.json. A key that is
there already is never overwritten. Nothing is written before the CA knows the key.

example: certkeeper account import private_key.json

exit codes: 0 done, 1 another key is there, or the CA cannot be reached, 2 usage, configuration, or a key that the CA
does not know and terms that are not accepted, 3 another run holds the lock
"""


_REVOKE = """\
Have the CA revoke a certificate for good, after a question. What is served stays until the next run replaces it, which
is due at once. After keyCompromise the key is never used again, whatever PRIVATE_KEY_RENEW says.

examples: certkeeper revoke www.example.org --reason superseded
          certkeeper revoke /etc/dehydrated/certs/www.example.org/cert-1700000000.pem --reason keyCompromise

exit codes: 0 it is revoked, 1 it is not, 2 usage or configuration, 3 another run holds the lock
"""


_SIGN = """\
Have the CA sign a request (CSR) whose key is somebody else's. Its names are proven as those of a certificate of the
page are; the chain goes to standard output or to a file, all else to standard error. Nothing is kept.

examples: certkeeper sign appliance.csr > appliance.pem
          certkeeper sign appliance.csr --out appliance.pem

exit codes: 0 signed, 1 it failed, or records could not be withdrawn, 2 usage or configuration, 3 another run holds the
lock, 130 interrupted
"""


def add_account(commands: "Commands", make: "MakeCommand") -> None:
    """Its commands; `make` makes one that takes no names of certificates."""
    account = commands.add_parser("account", help="look at the account at the CA, or change it", description=_ACCOUNT)
    parts = account.add_subparsers(dest="account_command", metavar="COMMAND", required=True)
    show = make(parts, "show", "show the account as the CA has it", _SHOW)
    show.add_argument("--json", action="store_true", help="print JSON instead of text")
    register = make(parts, "register", "make an account", _REGISTER)
    update = make(parts, "update", "change the contact", _UPDATE)
    update.add_argument(
        "--contact",
        action="append",
        metavar="ADDRESS",
        help="a mail address, in the place of CONTACT_EMAIL; may be repeated; an empty one leaves no contact",
    )
    roll = make(parts, "roll-key", "give the account a new key", _ROLL_KEY)
    deactivate = make(parts, "deactivate", "give the account up for good", _DEACTIVATE)
    deactivate.add_argument("--yes", "-y", action="store_true", help="do not ask")
    recover = make(parts, "recover", "find the account of the key that is there", _RECOVER)
    take = make(parts, "import", "take over an account's key", _IMPORT)
    take.add_argument("file", metavar="FILE", help="the key: PEM, or JSON as certbot keeps it")
    for command in (register, take):
        command.add_argument("--accept-terms", action="store_true", help="agree to the CA's terms of service")
    for command in (show, register, update, roll, deactivate, recover, take):
        add_ca(command)


def add_revoke(commands: "Commands", make: "MakeCommand") -> None:
    revoke = make(commands, "revoke", "have the CA revoke a certificate", _REVOKE)
    revoke.add_argument("what", metavar="NAME_OR_FILE", help="an alias, a name of a live certificate, or a PEM file")
    revoke.add_argument(
        "--reason",
        default="unspecified",
        metavar="REASON",
        help="unspecified (0, the default), keyCompromise (1), affiliationChanged (3), superseded (4) or "
        "cessationOfOperation (5)",
    )
    revoke.add_argument(
        "--by-certificate-key",
        action="store_true",
        help="sign with the certificate's key, not the account's; keyCompromise does so where the key is there",
    )
    revoke.add_argument("--yes", "-y", action="store_true", help="do not ask")
    add_ca(revoke)


def add_sign(commands: "Commands", make: "MakeCommand") -> None:
    sign = make(commands, "sign", "have the CA sign somebody else's request", _SIGN)
    sign.add_argument("file", metavar="CSR_FILE", help="a certificate signing request in PEM")
    sign.add_argument("--out", metavar="FILE", help="where the chain goes, instead of standard output")
    sign.add_argument("--yes", "-y", action="store_true", help="replace FILE without a question")
    sign.add_argument("--accept-terms", action="store_true", help="agree to the CA's terms of service (once per CA)")
    add_ca(sign)


def add_ca(command: argparse.ArgumentParser) -> None:
    command.add_argument("--ca", metavar="CA", help="a preset or the URL of a directory (default: CA of the page)")
