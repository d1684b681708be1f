"""What `certkeeper status` says of OCSP responses."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Lineage
from certkeeper.lineage.revocation import KEY_COMPROMISE
from certkeeper.ocsp.model import Flaw
from certkeeper.plan.instaples import InStaple, Response


def revocations_known(
    machine: Machine, specs: Iterable[CertSpec], lineages: Mapping[Alias, Lineage]
) -> Mapping[Alias, Lineage]:
    """The lineages, and what was found to be revoked that no run has replaced yet."""
    after, asked, now = dict(lineages), machine.asked.read(), machine.clock.now()
    for spec in specs:
        last = asked.get(spec.alias)
        if last is None or last.flaw != Flaw.REVOKED or lineages[spec.alias].leaf is None:
            continue
        with suppress(CertkeeperError):
            if machine.staple_looks.look(spec.alias, now).issued.subject.name == last.subject:
                after[spec.alias] = replace(lineages[spec.alias], revoked=KEY_COMPROMISE, compromised=True)
    return after


def staple_of(machine: Machine, spec: CertSpec, lineage: Lineage) -> InStaple | None:
    """How it is with a certificate's response, by what is on this machine; None where nobody needs or wants one."""
    leaf = lineage.leaf
    if leaf is None or not (leaf.must_staple or (spec.ocsp_fetch and leaf.ocsp_url is not None)):
        return None
    return replace(_beside(machine, spec.alias), needed=leaf.must_staple)


def _beside(machine: Machine, alias: Alias) -> InStaple:
    now = machine.clock.now()
    if not machine.staple_looks.is_there(alias):
        return InStaple(Response.MISSING, message="there is none")
    if (known := machine.staple_looks.known(alias, now)) is not None:
        return InStaple(Response.GOOD, known[1].until, since=known[1].this_update)
    try:
        found = machine.staple_looks.look(alias, now)
    except CertkeeperError as error:
        return InStaple(Response.USELESS, message=_bare(error))
    if found.held is not None:
        return InStaple(Response.GOOD, found.held.until, since=found.held.this_update)
    if found.trouble is None:
        # The link leads to nothing.
        return InStaple(Response.MISSING, message="there is none")
    ended = found.trouble.flaw is Flaw.EXPIRED
    return InStaple(Response.ENDED if ended else Response.USELESS, message=_bare(found.trouble))


def staple_status_lines(alias: Alias, staple: InStaple | None) -> Iterator[str]:
    """What is wrong with it."""
    if staple is not None and staple.wrong:
        because = "; clients refuse the certificate without one" if staple.needed else ""
        yield f"    OCSP response: {staple.message}{because}"
        yield f"    hint: certkeeper ocsp fetch {alias}"


def staple_status_document(staple: InStaple | None) -> Mapping[str, object] | None:
    if staple is None:
        return None
    return {
        "state": staple.response.value,
        "until": iso(staple.until) if staple.until is not None else None,
        "message": staple.message,
        "needed": staple.needed,
    }


def _bare(error: CertkeeperError) -> str:
    return str(error).removeprefix("OCSP response: ")
