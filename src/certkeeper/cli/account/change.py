"""`certkeeper account register`, `update`, `roll-key`, `deactivate`, `recover` and `import`."""

import argparse
import sys
from collections.abc import Sequence

from certkeeper.apply import accountcare
from certkeeper.apply.accountcare import Care
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, printable
from certkeeper.cli.account.show import lines
from certkeeper.cli.compose import Machine, handed_files
from certkeeper.cli.confirm import confirmed


class NoContact(CertkeeperError):
    """Nobody says which contact the account is to have, or it is none that a CA could write to."""

    label = "ca-account"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def register(machine: Machine, care: Care, options: argparse.Namespace) -> int:
    """Make an account, or show the one that is there."""
    before = machine.accounts.read(care.settings.ca)
    seen = machine.converse(accountcare.register(care, terms_accepted=options.accept_terms))
    if before is not None and before.kid is not None:
        sys.stdout.write("there is an account already\n")
    for line in lines(seen, care.settings.ca, machine.accounts.folder(care.settings.ca)):
        sys.stdout.write(f"{line}\n")
    return ExitCode.DONE


def update(machine: Machine, care: Care, options: argparse.Namespace) -> int:
    """Change the contact at the CA."""
    wanted = contact_urls(options.contact, care.settings.contact_email)
    before, after = machine.converse(accountcare.set_contact(care, wanted))
    told = " ".join(after.contact) or "none"
    if after is before:
        sys.stdout.write(f"contact: {told}, as before\n")
        return ExitCode.DONE
    sys.stdout.write(f"contact: {told}, before: {' '.join(before.contact) or 'none'}\n")
    if after.contact != tuple(wanted):
        sys.stdout.write("the CA took the change and does not show what was asked for: some CAs keep no contact\n")
    return ExitCode.DONE


def contact_urls(typed: Sequence[str] | None, from_page: str) -> tuple[str, ...]:
    """`mailto:` URLs of what was typed, else of the page's contact. Empty text that was typed means none.

    Raises:
        NoContact: neither says anything, or it is no mail address.
    """
    if typed is None and not from_page:
        raise NoContact("CONTACT_EMAIL is not set", hint="set it, or give --contact ADDRESS; --contact '' leaves none")
    addresses = [text.removeprefix("mailto:") for text in (typed if typed is not None else [from_page]) if text]
    for address in addresses:
        name, at, host = address.rpartition("@")
        if not (name and at and host and address.isprintable() and not set(" ,?") & set(address)):
            raise NoContact(f"{printable(address, 80)!r}: not a mail address", hint="write it as admin@example.org")
    return tuple(f"mailto:{address}" for address in addresses)


def roll_key(machine: Machine, care: Care, _options: argparse.Namespace) -> int:
    """Give the account another key."""
    rolled = machine.converse(accountcare.roll_key(care))
    how = "has the key that an earlier command gave it" if rolled.unfinished else "has a new key"
    sys.stdout.write(f"the account {how}: {rolled.key.description}, {rolled.key.key_id}\n")
    return ExitCode.DONE


def deactivate(machine: Machine, care: Care, options: argparse.Namespace) -> int:
    """Give the account up, after a question."""
    ca = care.settings.ca
    stored = machine.accounts.read(ca)
    if stored is None:
        raise accountcare.NoAccount(f"{ca}: there is no account here", hint="certkeeper account import FILE")
    sys.stdout.write(f"account {stored.kid or machine.accounts.folder(ca)} at {ca}\n")
    sys.stdout.write("it cannot be activated again: a new account is needed for every further certificate\n")
    sys.stdout.flush()
    if not confirmed("deactivate it for good?", yes=options.yes):
        return ExitCode.FAILED
    machine.converse(accountcare.deactivate(care))
    sys.stdout.write(f"deactivated; its files are kept under other names in {machine.accounts.folder(ca)}\n")
    return ExitCode.DONE


def recover(machine: Machine, care: Care, _options: argparse.Namespace) -> int:
    """Write the account's URL down, as the CA tells it."""
    before, url = machine.converse(accountcare.recover(care))
    how = ", as before" if before == url else f", before: {printable(before)}" if before else ""
    sys.stdout.write(f"account {printable(url)}{how}\n")
    return ExitCode.DONE


def take_over(machine: Machine, care: Care, options: argparse.Namespace) -> int:
    """Take another program's key over."""
    key = handed_files().account_key(options.file)
    url = machine.converse(accountcare.take_over(care, key, terms_accepted=options.accept_terms))
    sys.stdout.write(f"account {printable(url)}, {key.description}, in {machine.accounts.folder(care.settings.ca)}\n")
    return ExitCode.DONE
