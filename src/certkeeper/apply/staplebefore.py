"""The OCSP response of a version that is about to go live: servers have it with the certificate, from the first
handshake on.
"""

from certkeeper.apply.effects import ReadLineage, ReadVersion, do
from certkeeper.apply.refused import ReadClock
from certkeeper.apply.stapleeffects import SaveStaple
from certkeeper.base.errors import CertkeeperError, Fault, Interrupted
from certkeeper.base.events import Noted, Tell
from certkeeper.base.stapled import StapleKept
from certkeeper.base.times import iso
from certkeeper.base.wire import Exchange, pause
from certkeeper.lineage.model import Leaf, VersionFiles
from certkeeper.ocsp.fetch import fetched
from certkeeper.ocsp.freshness import Asked, kept, noted_failure, noted_success
from certkeeper.ocsp.model import Flaw, NoStaple
from certkeeper.ocsp.request import Issued, issued
from certkeeper.plan.actions import LineagePlan

PAUSES = (5.0, 15.0)
"""Seconds between tries for a certificate that clients refuse without a response: CAs sign that a little later."""


class NotStapled(CertkeeperError):
    """Clients would refuse the new certificate, and the present one is still good."""

    label = "ocsp-response"
    fault = Fault.REMOTE
    # The version is whole, and no other order would help.
    local = True


def staple_before(item: LineagePlan, stamp: int, leaf: Leaf, user_agent: str, tell: Tell) -> Exchange[Asked | None]:
    """Have the response beside the version before the switch; how asking for it went, None where nobody was asked.

    Raises:
        NotStapled: there is none, the certificate must not be served without, and the present one is good enough.
    """
    if not item.spec.ocsp_fetch or leaf.ocsp_url is None:
        return None
    files, _ = yield from do(ReadVersion(item.alias, stamp))
    try:
        if files is None:
            return None
        about = issued(files.cert, files.chain)
    except NoStaple as unasked:
        tell(Noted(str(item.alias), str(unasked)))
        return None
    asked, error = yield from _tried(item, files, about, user_agent, tell)
    for seconds in PAUSES if leaf.must_staple else ():
        if error is None or asked.flaw == Flaw.REVOKED:
            break
        yield from pause(seconds)
        asked, error = yield from _tried(item, files, about, user_agent, tell)
    if error is None:
        return asked
    if leaf.must_staple and (yield from _present_is_good(item)):
        raise NotStapled(
            f"version {stamp} is not live yet, since clients refuse it without a staple: {error}",
            hint="what is live stays; the next run goes on from here",
            retry_at=asked.retry_at,
        ) from error
    tell(Noted(str(item.alias), f"goes live without a staple: {error}"))
    return asked


def _tried(
    item: LineagePlan, files: VersionFiles, about: Issued, user_agent: str, tell: Tell
) -> Exchange[tuple[Asked, CertkeeperError | None]]:
    try:
        found = kept(None, (yield from fetched(about, user_agent)))
        yield from do(SaveStaple(item.alias, files.cert, found.der))
    except Interrupted:
        raise
    except CertkeeperError as error:
        now = yield from do(ReadClock())
        return noted_failure(about.subject, None, error, now), error
    now = yield from do(ReadClock())
    tell(StapleKept(str(item.alias), iso(found.until)))
    return noted_success(about.subject, now), None


def _present_is_good(item: LineagePlan) -> Exchange[bool]:
    lineage = yield from do(ReadLineage(item.alias))
    now = yield from do(ReadClock())
    sound = lineage.sound and lineage.revoked is None and not lineage.compromised
    return sound and lineage.leaf is not None and lineage.leaf.not_after > now
