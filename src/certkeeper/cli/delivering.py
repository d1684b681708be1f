"""`certkeeper deploy` where DEHYDRATED_USER keeps the page: that user's process hands over what is live, root puts it
into services, and the user's journal is told.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from certkeeper.apply.deploy.result import DeployResult, End
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.events import count
from certkeeper.cli.compose import Machine
from certkeeper.cli.compose.delivering import DEPLOY_CONFIG, Keeper, Root, RootsMachine
from certkeeper.cli.deployments import NOTHING, carried_out, deployment_summary
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.saying import Saying
from certkeeper.config.settings import CertSpec, Configuration, Purpose
from certkeeper.plan.delivery import (
    MOST_OCTETS,
    Answer,
    BadDelivery,
    Delivered,
    Delivery,
    Reply,
    beyond,
    decode,
    decode_reply,
    encode,
    encode_reply,
)
from certkeeper.plan.deploy import unfit
from certkeeper.plan.history import Kind
from certkeeper.plan.records import Deployment, Shown

_MORE = "certkeeper deploy, as root, says more"


class NothingHandedOver(CertkeeperError):
    """The user's process ended without a word."""

    label = "handed-over"
    fault = Fault.OPERATOR
    local = True


def hand_over(machine: Machine, ready: Configuration, root: Root, *, put_right: int, failed: bool) -> None:
    """As that user: say what is live, and write down what root answers.

    Raises:
        CertkeeperError: it is too much, or the journal cannot be written to.
    """
    specs = {spec.alias: spec for spec in ready.certificates if spec.targets and spec.purpose is not Purpose.REHEARSE}
    certificates = []
    for item in (item for spec in specs.values() for item in _delivered(machine, spec)):
        if trouble := beyond(item):
            failed = True
            print_error(BadDelivery(f"not handed to root: {trouble}"), subject=item.alias.text)
        else:
            certificates.append(item)
    octets = encode(Delivery(tuple(certificates), put_right, failed))
    sys.stdout.flush()
    try:
        root.deliver(octets)
    except BrokenPipeError:
        # Root has said why.
        return
    if said := root.answer(MOST_OCTETS):
        reply = decode_reply(said)
        refused = _refused(machine, certificates, reply.refusal) if reply.refusal else ()
        _write_down(machine, [item for item in (*reply.answers, *refused) if item.alias in specs])


def deploy_as_root(keeper: Keeper, options: argparse.Namespace) -> int:
    """As root: put what that user's process hands over into services that root's own file describes.

    Raises:
        CertkeeperError: that file, or what is handed over, is nothing that root goes by.
    """
    with keeper:
        octets = keeper.hear(MOST_OCTETS)
        if not octets:
            if code := keeper.end():
                # It has said why.
                return code
            raise NothingHandedOver(f"user {keeper.user}: handed nothing over")
        delivery = decode(octets)
        wanted = bool(delivery.certificates) and not options.fix_permissions
        shown, failed = _deployed(keeper, delivery, options) if wanted else (NOTHING, False)
        code = keeper.end()
    said = [f"{count(delivery.put_right, 'certificate')} put right"] if delivery.put_right else []
    said += deployment_summary(shown)
    nothing = "nothing to put right" if options.fix_permissions else "nothing to do"
    sys.stdout.write((", ".join(said) or nothing) + "\n")
    if shown.fatal is not None:
        return shown.fatal.exit_code
    return ExitCode.FAILED if code or failed or delivery.failed or shown.failed else ExitCode.DONE


def _deployed(keeper: Keeper, delivery: Delivery, options: argparse.Namespace) -> tuple[DeployResult, bool]:
    try:
        machine = RootsMachine(options.deploy_config or DEPLOY_CONFIG, delivery, keeper.user)
    except CertkeeperError as error:
        keeper.tell(encode_reply(Reply(refusal=str(error))))
        raise
    try:
        for rejected in machine.rejected:
            print_error(rejected.error, subject=rejected.label)
        for line in finding_lines(tuple(machine.findings())):
            sys.stdout.write(f"{line}\n")
        shown = carried_out(lambda: machine.planned(machine.aliases), machine.carry_out, saying=Saying.ALL)
        keeper.tell(encode_reply(Reply(machine.answers(shown), str(shown.fatal or ""))))
    finally:
        machine.close()
    return shown, bool(machine.rejected)


def _delivered(machine: Machine, spec: CertSpec) -> Iterator[Delivered]:
    lineage = machine.store.lineage(spec.alias)
    if lineage.stamp is None or unfit(lineage, machine.clock.now()):
        return
    files = machine.store.version(spec.alias, lineage.stamp)
    if files is not None:
        # Root looks where its own file says, not where PROBE names: there it would connect to anything.
        looked_at = spec.probe is None or bool(spec.probe)
        yield Delivered(
            spec.alias,
            spec.identifiers,
            spec.targets,
            looked_at,
            lineage.stamp,
            files.privkey,
            files.fullchain,
            files.staple if spec.ocsp_fetch else b"",
        )


def _refused(machine: Machine, handed_over: Sequence[Delivered], why: str) -> Iterator[Answer]:
    """Root did nothing at all. What services have already, they have still."""
    known = machine.journal.records().deployments
    for item in handed_over:
        for name in item.targets:
            before = known.get((name, item.alias))
            if before is None or before.shown is Shown.OWED or before.stamp != item.stamp:
                failures = before.failures if before is not None and before.stamp == item.stamp else 0
                yield Answer(name, item.alias, item.stamp, Shown.OWED, failures + 1, why)


def _write_down(machine: Machine, answers: list[Answer]) -> None:
    known = machine.journal.records().deployments
    entries = [
        Deployment(item.target, item.alias, item.stamp, item.shown, item.failures, None, _why(item)) for item in answers
    ]
    changed = tuple(entry for entry in entries if known.get((entry.target, entry.alias)) != entry)
    if changed:
        machine.journal.prepare()
        machine.journal.write(changed, ())
    for entry in changed:
        kind = Kind.NOT_DEPLOYED if entry.failures else Kind.DEPLOYED
        if entry.shown is Shown.OWED and not entry.failures:
            continue
        machine.happened(kind, [entry.alias], entry.message or "by root", about=entry.target)


def _why(answer: Answer) -> str:
    if answer.shown is not Shown.OWED or not answer.failures:
        return answer.reason
    return f"{answer.reason}; {_MORE}" if answer.reason else _MORE


def for_root(shown: DeployResult) -> bool:
    """Somebody else than root asked, and only root can."""
    return any(item.end is End.FOR_ROOT for item in shown.deployed)
