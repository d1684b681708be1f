"""`certkeeper account show`."""

import argparse
import sys
from collections.abc import Iterator

from certkeeper.acme.account import AccountStatus
from certkeeper.apply.accountcare import Care, Seen, look
from certkeeper.base.errors import ExitCode, printable
from certkeeper.cli.compose import Machine
from certkeeper.cli.documents import write_document


def show(machine: Machine, care: Care, options: argparse.Namespace) -> int:
    """Show the account as the CA has it. 1 where it is not valid any more."""
    seen = machine.converse(look(care))
    folder = machine.accounts.folder(care.settings.ca)
    if options.json:
        write_document("account", _document(seen, care.settings.ca, folder))
    else:
        for line in lines(seen, care.settings.ca, folder):
            sys.stdout.write(f"{line}\n")
    return ExitCode.DONE if seen.account.status is AccountStatus.VALID else ExitCode.FAILED


def lines(seen: Seen, ca: str, folder: str) -> Iterator[str]:
    """The account in words."""
    yield f"account {printable(seen.url)}"
    yield f"  CA       {ca}"
    yield f"  status   {seen.account.status}"
    yield f"  contact  {' '.join(seen.account.contact) or 'none that the CA tells'}"
    yield f"  terms    {printable(seen.terms, 300) or 'none'}{_agreed(seen)}"
    yield f"  key      {seen.kind}, {seen.key_id}"
    yield f"  print    {seen.thumbprint}"
    yield f"  folder   {folder}"


def _agreed(seen: Seen) -> str:
    match seen.account.agreed:
        case True:
            return " (agreed to)"
        case False:
            return " (not agreed to)"
        case _:
            return ""


def _document(seen: Seen, ca: str, folder: str) -> dict[str, object]:
    return {
        "url": printable(seen.url),
        "ca": ca,
        "status": seen.account.status.value,
        "contact": list(seen.account.contact),
        "terms": printable(seen.terms, 300) or None,
        "terms_agreed": seen.account.agreed,
        "key": {"kind": seen.kind, "key_id": seen.key_id, "thumbprint": seen.thumbprint},
        "folder": folder,
    }
