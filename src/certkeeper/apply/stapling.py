"""OCSP responses of certificates that are here: what is in hand, what is due, and what the responders say now."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from certkeeper.apply.ports import StapledFiles
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, together
from certkeeper.ocsp.fetch import fetched
from certkeeper.ocsp.freshness import Decision, decide
from certkeeper.ocsp.model import CertStatus, Flaw, NoStaple, Staple
from certkeeper.ocsp.request import Issued, issued
from certkeeper.ocsp.response import verified


@dataclass(frozen=True, slots=True)
class StapleLook:
    """A certificate that is live, and the response beside it, which was proven; None where there is none that counts.

    `trouble` is why a response that is there does not count.
    """

    alias: Alias
    cert: bytes
    issued: Issued
    held: Staple | None = None
    trouble: NoStaple | None = None

    def due(self, longest_age: timedelta, now: datetime) -> Decision:
        return decide(self.issued.subject, self.held, None, longest_age, now)


def look(alias: Alias, files: StapledFiles | None, now: datetime) -> StapleLook:
    """What these files come to.

    Raises:
        NoStaple: there is no certificate, or what follows it is not its issuer's.
    """
    if files is None:
        raise NoStaple(Flaw.NO_ISSUER, "there is no certificate yet", hint=f"certkeeper run {alias}")
    found = issued(files.cert, files.chain)
    if files.staple is None:
        return StapleLook(alias, files.cert, found)
    try:
        return StapleLook(alias, files.cert, found, _good(verified(files.staple, found, now)))
    except NoStaple as error:
        # Nobody was asked for this one.
        error.hint = f"certkeeper ocsp fetch {alias}"
        return StapleLook(alias, files.cert, found, trouble=error)


def asked_all(looks: Sequence[StapleLook], user_agent: str) -> Exchange[tuple[Staple | CertkeeperError, ...]]:
    """What each one's responder says now, side by side; why there is nothing where there is not."""
    return (yield from together([_asked(item, user_agent) for item in looks]))


def _asked(item: StapleLook, user_agent: str) -> Exchange[Staple | CertkeeperError]:
    try:
        return (yield from fetched(item.issued, user_agent))
    except CertkeeperError as error:
        return error


def _good(staple: Staple) -> Staple:
    """Another program may have put down what a responder said, whatever that was."""
    if staple.status is CertStatus.GOOD:
        return staple
    flaw = Flaw.REVOKED if staple.status is CertStatus.REVOKED else Flaw.UNKNOWN
    raise NoStaple(flaw, f"says that the certificate is {staple.status.value}", revoked_at=staple.revoked_at)
