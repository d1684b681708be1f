"""What is to be said of a handshake: is it the certificate that is live here, and will clients take it?"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from enum import IntEnum

from certkeeper.base.names import Identifier, IdentifierType
from certkeeper.base.times import duration_text, iso
from certkeeper.base.value import dataclass
from certkeeper.lineage.integrity import served
from certkeeper.lineage.model import BadChain, Leaf
from certkeeper.service.handshake import Handshake, Look, Staple, Trouble, Unseen


class Grade(IntEnum):
    """As monitoring plugins count: also their exit codes. The worst of several is the highest that `worst` finds."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_BADNESS = (Grade.OK, Grade.WARNING, Grade.UNKNOWN, Grade.CRITICAL)


@dataclass(frozen=True, slots=True)
class Remark:
    grade: Grade
    text: str


@dataclass(frozen=True, slots=True)
class Margins:
    """How much life has to be left in a certificate before it is a warning, and before it is critical."""

    warning: timedelta = timedelta(days=14)
    critical: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`leaf` is what was served, None where nothing was. `remarks` are what is wrong, the worst first."""

    look: Look
    leaf: Leaf | None
    remarks: tuple[Remark, ...]

    @property
    def grade(self) -> Grade:
        return worst(remark.grade for remark in self.remarks)


def worst(grades: "Iterator[Grade] | Collection[Grade]") -> Grade:
    """A certain failure counts more than something that could not be found out."""
    return max(grades, key=_BADNESS.index, default=Grade.OK)


def judge(look: Look, *, live: Collection[Leaf], margins: Margins, now: datetime) -> Verdict:
    """`live` are the certificates one of which the endpoint should serve; empty where any valid one will do.

    `now` is aware.
    """
    if isinstance(look, Unseen):
        grade = Grade.UNKNOWN if look.trouble in {Trouble.UNRESOLVED, Trouble.NO_SUCH_KEY} else Grade.CRITICAL
        return Verdict(look, None, (Remark(grade, look.message),))
    try:
        leaf, mismatches = served(look.chain, now)
    except BadChain as error:
        return Verdict(look, None, (Remark(Grade.CRITICAL, str(error)),))
    remarks = [
        *_about_life(leaf, margins, now),
        *_about_names(look, leaf),
        *_about_live(leaf, live),
        *(Remark(Grade.CRITICAL, text) for text in mismatches),
        *_about_chain(look, leaf, live),
        *_about_staple(leaf, look.staple, now),
    ]
    if look.untrusted and not any(remark.grade is Grade.CRITICAL for remark in remarks):
        # OpenSSL's word comes last: what is said above says the same in a better way.
        remarks.append(Remark(Grade.CRITICAL, f"not trusted: {look.untrusted}"))
    remarks.sort(key=lambda remark: -_BADNESS.index(remark.grade))
    return Verdict(look, leaf, tuple(remarks))


def covers(identifiers: Collection[Identifier], name: str) -> bool:
    """Whether a certificate with these names is valid for a name (RFC 6125 §6.4.3) or an address."""
    if Identifier(IdentifierType.DNS, name) in identifiers or Identifier(IdentifierType.IP, name) in identifiers:
        return True
    _, dot, rest = name.partition(".")
    return bool(dot) and Identifier(IdentifierType.DNS, f"*.{rest}") in identifiers


def _about_life(leaf: Leaf, margins: Margins, now: datetime) -> Iterator[Remark]:
    left = leaf.not_after - now
    if left <= timedelta():
        yield Remark(Grade.CRITICAL, f"expired at {iso(leaf.not_after)}")
    elif leaf.not_before > now:
        yield Remark(Grade.CRITICAL, f"not valid before {iso(leaf.not_before)}")
    elif left <= margins.warning:
        grade = Grade.CRITICAL if left <= margins.critical else Grade.WARNING
        yield Remark(grade, f"ends in {duration_text(left)}, at {iso(leaf.not_after)}")


def _about_names(look: Handshake, leaf: Leaf) -> Iterator[Remark]:
    name = look.target.endpoint.name
    if not covers(leaf.identifiers, name):
        names = ", ".join(sorted(str(item) for item in leaf.identifiers)[:3]) or "no name at all"
        yield Remark(Grade.CRITICAL, f"not valid for {name}, but for {names}")


def _about_live(leaf: Leaf, live: Collection[Leaf]) -> Iterator[Remark]:
    if not live or _is_live(leaf, live):
        return
    # Another host's certificate is no older one of ours, however soon it ends.
    alike = [item for item in live if item.identifiers == leaf.identifiers]
    if alike and all(leaf.not_after < item.not_after for item in alike):
        yield Remark(Grade.CRITICAL, f"an older certificate is served, until {iso(leaf.not_after)}: reload the service")
    else:
        yield Remark(Grade.CRITICAL, f"another certificate is served: serial {leaf.serial}, issued by {leaf.issuer}")


def _is_live(leaf: Leaf, live: Collection[Leaf]) -> bool:
    return any((leaf.serial, leaf.key_id) == (item.serial, item.key_id) for item in live)


def _about_chain(look: Handshake, leaf: Leaf, live: Collection[Leaf]) -> Iterator[Remark]:
    """Browsers that saw the intermediate elsewhere go on; all other clients fail."""
    if len(look.chain) != 1 or not look.unknown_issuer:
        return
    if _is_live(leaf, live):
        text = "the intermediate is missing: the server sends the leaf only; have it serve fullchain.pem"
    else:
        text = f"the server sent no intermediate certificate, and {leaf.issuer} is not known here"
    yield Remark(Grade.CRITICAL, text)


def _about_staple(leaf: Leaf, staple: Staple | None, now: datetime) -> Iterator[Remark]:
    if staple is None:
        if leaf.must_staple:
            yield Remark(Grade.CRITICAL, "demands a stapled OCSP response, and none came: many clients refuse it")
        return
    grade = Grade.CRITICAL if leaf.must_staple or staple.status == "revoked" else Grade.WARNING
    if staple.status != "good":
        yield Remark(grade, f"the stapled OCSP response says {staple.status}")
    elif staple.next_update is not None and staple.next_update <= now:
        yield Remark(grade, f"the stapled OCSP response is too old: until {iso(staple.next_update)}")
