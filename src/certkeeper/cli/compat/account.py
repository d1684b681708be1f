"""`--register`, `--account`, `--display-terms` and `--deactivate`."""

import sys
from contextlib import closing
from pathlib import Path

from certkeeper.base.errors import ExitCode
from certkeeper.cli.compat.sitting import Sitting, locked
from certkeeper.cli.compat.words import Command
from certkeeper.cli.compose import USER_AGENT, Machine
from certkeeper.config.domains import DomainList


def account(sitting: Sitting) -> int:
    """Do what was asked for with the account.

    Raises:
        CertkeeperError: it could not be done.
    """
    machine = sitting.open(DomainList())
    with locked(machine), closing(machine):
        known = account_ready(sitting, machine, making=sitting.typed.command is Command.REGISTER)
        match sitting.typed.command:
            case Command.REGISTER:
                if known:
                    return _said("+ Account already registered!")
                return _said("+ Done!")
            case Command.TERMS:
                return _terms(sitting, machine)
            case Command.DEACTIVATE:
                return _deactivate(sitting, machine)
            case _:
                return _update(sitting, machine)


def account_ready(sitting: Sitting, machine: Machine, *, making: bool = False) -> bool:
    """See to it that there is an account; whether nothing was to be done for that.

    `making`: a key that was typed is to become an account's.

    Raises:
        CertkeeperError: there is none, and nobody agreed to the CA's terms, or the CA refused.
    """
    settings = machine.settings
    stored = machine.accounts.look(settings.ca)
    if stored is not None and stored.kid is not None and not stored.pending:
        if machine.accounts.has_registration(settings.ca):
            return True
        from certkeeper.apply import accountcare  # noqa: PLC0415 - most runs ask the CA nothing

        sys.stdout.write("Fetching missing account information from CA...\n")
        sitting.converse(machine, accountcare.recover(sitting.care(machine)))
        return True
    from certkeeper.apply.account import open_session  # noqa: PLC0415 - as above

    accepted = sitting.terms_accepted or (making and bool(sitting.typed.privkey))
    sitting.converse(
        machine, open_session(settings, user_agent=USER_AGENT, terms_accepted=accepted, tell=sitting.telling.tell)
    )
    if stored is None:
        # dehydrated asks for it in a request of its own; here the CA's answer to the registration had it.
        _said("+ Fetching account URL...")
    return False


def _terms(sitting: Sitting, machine: Machine) -> int:
    from certkeeper.apply import accountcare  # noqa: PLC0415 - as above

    seen = sitting.converse(machine, accountcare.look(sitting.care(machine)))
    return _said(f"The current terms of service: {seen.terms}", "+ Done!")


def _deactivate(sitting: Sitting, machine: Machine) -> int:
    from certkeeper.apply import accountcare  # noqa: PLC0415 - as above

    stored = machine.accounts.read(machine.settings.ca)
    if stored is not None:
        _said(f"Deactivating account {stored.kid}")
    sitting.converse(machine, accountcare.deactivate(sitting.care(machine)))
    return _said(" + Done.")


def _update(sitting: Sitting, machine: Machine) -> int:
    from certkeeper.apply import accountcare  # noqa: PLC0415 - as above
    from certkeeper.cli.account.change import contact_urls  # noqa: PLC0415 - as above

    settings = machine.settings
    stored = machine.accounts.read(settings.ca)
    _said(f"+ Updating registration url: {stored.kid if stored else ''} contact information...")
    wanted = contact_urls([settings.contact_email], "")
    kept = Path(machine.accounts.folder(settings.ca))
    earlier = set(kept.glob("registration_info-*.json"))
    before, after = sitting.converse(machine, accountcare.set_contact(sitting.care(machine), wanted))
    backups = sorted(set(kept.glob("registration_info-*.json")) - earlier)
    if after is before or not backups:
        return _said("+ Account information was the same after the update", "+ Done!")
    current = kept / "registration_info.json"
    return _said(f"+ Backup {current} as {backups[-1]}", f"+ Populate {current}", "+ Done!")


def _said(*lines: str) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return ExitCode.DONE
