"""`certkeeper versions`."""

import argparse
import sys
from collections.abc import Iterator, Mapping

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.times import from_epoch, iso
from certkeeper.cli.compose import open_machine
from certkeeper.cli.documents import write_document
from certkeeper.cli.plan import error_document
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.switching import Present, present
from certkeeper.config.settings import Settings
from certkeeper.plan.versionlist import Listed, Standing, listed


def versions(options: argparse.Namespace) -> int:
    """List the versions of certificates, newest first, and what each of them is good for.

    Raises:
        CertkeeperError: nothing could be looked at.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected, records = select(machine.configuration, options.names), machine.journal.records()
    documents, failed = list[Mapping[str, object]](), False
    for spec in selected.certificates:
        try:
            found = present(machine, spec, records)
        except CertkeeperError as error:
            failed = True
            print_error(error, subject=str(spec.alias))
            continue
        if options.json:
            documents.append(_document(found, machine.settings))
        else:
            sys.stdout.write("".join(f"{line}\n" for line in _lines(found, machine.settings)))
    if options.json:
        rejected = [{"name": item.label, "error": error_document(item.error)} for item in selected.rejected]
        write_document("versions", {"certificates": documents, "rejected": rejected})
    for item in () if options.json else selected.rejected:
        print_error(item.error, subject=item.label)
    return ExitCode.FAILED if failed else ExitCode.DONE


def _rows(found: Present, settings: Settings) -> tuple[Listed, ...]:
    return listed(found.spec, settings, found.lineage, found.versions, found.now)


def _lines(found: Present, settings: Settings) -> Iterator[str]:
    held = f": {found.held.message}" if found.held is not None else ""
    yield f"{found.spec.alias}{held}"
    rows = _rows(found, settings)
    if not rows:
        yield "    no version yet"
    width = max((len(row.standing.value) for row in rows), default=0)
    for row in rows:
        stamp = str(row.stamp) if row.stamp is not None else "-"
        made = f"{from_epoch(row.stamp):%Y-%m-%d %H:%M}" if row.stamp is not None else ""
        yield f"    {stamp:>10}  {made:16}  {row.standing.value:{width}}  {row.good_for}".rstrip()
        leaf = row.leaf
        if leaf is not None:
            names = " ".join(str(name) for name in sorted(leaf.identifiers))
            key = row.key_id[:16] if row.key_id is not None else "elsewhere"
            yield f"        {leaf.not_before:%Y-%m-%d} to {leaf.not_after:%Y-%m-%d}, key {key}, {names}"


def _document(found: Present, settings: Settings) -> Mapping[str, object]:
    held = found.held
    return {
        "alias": str(found.spec.alias),
        "folder": settings.folder(found.spec),
        "held": None
        if held is None
        else {"message": held.message, "until": iso(held.until) if held.until is not None else None},
        "versions": [
            {
                "stamp": row.stamp,
                "made": iso(from_epoch(row.stamp)) if row.stamp is not None else None,
                "standing": row.standing.value,
                "live": row.standing is Standing.LIVE,
                "names": [str(name) for name in sorted(row.leaf.identifiers)] if row.leaf is not None else None,
                "not_before": iso(row.leaf.not_before) if row.leaf is not None else None,
                "not_after": iso(row.leaf.not_after) if row.leaf is not None else None,
                "serial": row.leaf.serial if row.leaf is not None else None,
                "key_id": row.key_id,
                "ca": row.ca,
                "good_for": row.good_for,
            }
            for row in _rows(found, settings)
        ],
    }
