"""`certkeeper check`."""

import argparse
import sys
from collections.abc import Iterator, Sequence

from certkeeper.apply.verdict import Grade, Verdict, covers, judge, worst
from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.times import iso
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine, look_at, open_machine, system_clock
from certkeeper.cli.documents import write_document
from certkeeper.cli.margins import margins
from certkeeper.cli.render import print_error
from certkeeper.lineage.model import Leaf
from certkeeper.service.endpoint import Endpoint, parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, KeyFamily

FAMILIES = {
    "any": (KeyFamily.ANY,),
    "rsa": (KeyFamily.RSA,),
    "ecdsa": (KeyFamily.ECDSA,),
    "both": (KeyFamily.RSA, KeyFamily.ECDSA),
}


def check(options: argparse.Namespace) -> int:
    """Shake hands with the endpoints, and judge what is seen, or judge the page where none is named; exit codes as
    monitoring plugins have them.
    """
    try:
        if options.endpoints:
            return _check(options)
        from certkeeper.cli.pagecheck import check_page  # noqa: PLC0415 - who shakes hands looks at no page

        return check_page(options)
    except CertkeeperError as error:
        if not options.json:
            # What monitoring shows is on standard output.
            sys.stdout.write(f"CERTKEEPER UNKNOWN - {printable(str(error), 300).replace('|', '/')}\n")
        print_error(error)
        return Grade.UNKNOWN


def _check(options: argparse.Namespace) -> int:
    endpoints = [parse_endpoint(text) for text in options.endpoints]
    within = margins(options)
    machine = _page(options)
    live = _live(machine, endpoints) if machine is not None else ()
    bundle = options.ca_bundle or (machine.settings.ca_bundle if machine is not None else None)
    targets = [Contact(endpoint, family) for endpoint in endpoints for family in FAMILIES[options.family]]
    looks = look_at(targets, patience=options.timeout, ca_bundle=bundle)
    now = system_clock().now()
    verdicts = [
        judge(
            look,
            live=[leaf for leaf in live if covers(leaf.identifiers, look.target.endpoint.name)],
            margins=within,
            now=now,
        )
        for look in looks
    ]
    grade = worst([item.grade for item in verdicts])
    if options.json:
        seen = [_document(item) for item in verdicts]
        write_document("check", {"grade": grade.name.lower(), "endpoints": seen})
    else:
        for line in _lines(verdicts, grade):
            sys.stdout.write(f"{line}\n")
    return grade


def _page(options: argparse.Namespace) -> Machine | None:
    """The page, whose live certificates are compared with; None on a machine that has none.

    Raises:
        CertkeeperError: it is named and cannot be read.
    """
    try:
        return open_machine(options.config, evaluator=options.evaluator)
    except CertkeeperError as error:
        if options.config is not None:
            raise
        if "not found" not in str(error):
            sys.stderr.write(f"certkeeper: compared with no certificate of this machine: {error}\n")
        return None


def _live(machine: Machine, endpoints: Sequence[Endpoint]) -> tuple[Leaf, ...]:
    """The live certificates that are for a name of these endpoints."""
    configuration = machine.configuration
    meant = tuple(
        spec
        for spec in configuration.certificates
        if any(covers(spec.identifiers, endpoint.name) for endpoint in endpoints)
    )
    few = replace(machine, configuration=replace(configuration, certificates=meant))
    return tuple(item.leaf for item in few.lineages().values() if item.leaf is not None)


def _lines(verdicts: Sequence[Verdict], grade: Grade) -> Iterator[str]:
    """The first line is what monitoring shows; one line for each address follows."""
    good = sum(1 for item in verdicts if item.grade is Grade.OK)
    first = next((item for item in verdicts if item.grade is grade), None)
    what = f"{good} of {len(verdicts)} handshakes as they should be"
    if grade is not Grade.OK and first is not None:
        what = f"{_place(first)}: {printable(first.remarks[0].text, 160)} ({what})"
    yield f"CERTKEEPER {grade.name} - {what}"
    for item in verdicts:
        yield f"{item.grade.name:8} {_place(item)}{_shown(item)}"
        for remark in item.remarks:
            yield f"         {remark.grade.name.lower()}: {printable(remark.text, 300)}"


def _place(item: Verdict) -> str:
    target = item.look.target
    family = "" if target.family is KeyFamily.ANY else f" {target.family.value}"
    at = f" at {item.look.address}" if item.look.address and item.look.address != target.endpoint.connect_to else ""
    return f"{target.endpoint}{family}{at}"


def _shown(item: Verdict) -> str:
    if item.leaf is None or not isinstance(item.look, Handshake):
        return ""
    staple = f", staple {item.look.staple.status}" if item.look.staple is not None else ""
    return f": until {iso(item.leaf.not_after)}, {item.look.version}{staple}"


def _document(item: Verdict) -> dict[str, object]:
    look, leaf = item.look, item.leaf
    seen = look if isinstance(look, Handshake) else None
    staple = seen.staple if seen is not None else None
    return {
        "endpoint": str(look.target.endpoint),
        "family": look.target.family.value,
        "address": look.address or None,
        "grade": item.grade.name.lower(),
        "remarks": [{"grade": remark.grade.name.lower(), "text": remark.text} for remark in item.remarks],
        "trouble": None if isinstance(look, Handshake) else look.trouble.value,
        "version": seen.version if seen is not None else None,
        "certificates": len(seen.chain) if seen is not None else 0,
        "seconds": round(seen.seconds, 3) if seen is not None else None,
        "staple": None
        if staple is None
        else {
            "status": staple.status,
            "next_update": iso(staple.next_update) if staple.next_update is not None else None,
        },
        "certificate": None
        if leaf is None
        else {
            "names": [str(name) for name in sorted(leaf.identifiers)],
            "not_after": iso(leaf.not_after),
            "serial": leaf.serial,
            "issuer": leaf.issuer,
            "key_id": leaf.key_id,
            "must_staple": leaf.must_staple,
        },
    }
