"""Torn lineages: what is wrong with what a folder shows, and which version it is mended from.

Only dehydrated, a person or a disk can tear a lineage. A whole version is looked for among ours and among the sets
that dehydrated left beside them; the one whose certificate services have already comes first.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.value import dataclass
from certkeeper.lineage.layout import CERT, CHAIN, FULLCHAIN, PRIVKEY
from certkeeper.lineage.model import Leaf
from certkeeper.lineage.passage import OPERATORS, Shown
from certkeeper.lineage.pem import certificates, disagreement

_SERVED = (PRIVKEY, CERT, CHAIN, FULLCHAIN)


class NothingWhole(CertkeeperError):
    """A torn lineage without a version to mend it from."""

    label = "key-or-chain"
    fault = Fault.OPERATOR
    local = True


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with the files that services use: `subject` and what it does, now and as told afterwards."""

    subject: str
    now: str
    then: str

    def __str__(self) -> str:
        return f"{self.subject} {self.now}"

    @property
    def past(self) -> str:
        return f"{self.subject} {self.then}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A whole version, or a whole set of dehydrated's that would become one (`beside`). `cert` is the leaf in PEM."""

    stamp: int
    leaf: Leaf
    cert: bytes
    beside: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class Mended:
    """That version is live again; `reason` says what was wrong."""

    stamp: int
    reason: str


@dataclass(frozen=True, slots=True)
class LeftToRun:
    """Torn on purpose: the next run issues a certificate, and nothing is mended before."""

    reason: str


@dataclass(frozen=True, slots=True)
class Present:
    """What a folder shows: `key_id` and `leaf` of the files behind the names, None where they cannot be read.

    `began`: `.live` is there, so a version was live once. `revoked`: cert.pem leads to a name that dehydrated took
    away when it revoked the certificate. `key_elsewhere`: what is live has no key of its own.
    """

    shown: Mapping[str, Shown]
    key_id: str | None = None
    leaf: Leaf | None = None
    began: bool = False
    revoked: bool = False
    key_elsewhere: bool = False

    def content(self, name: str) -> bytes | None:
        return self.shown[name].content

    @property
    def certs(self) -> tuple[bytes, ...]:
        """The leaves that are shown, the one in cert.pem first."""
        found = (certificates(self.content(name) or b"")[:1] for name in (CERT, FULLCHAIN))
        return tuple(dict.fromkeys(block for blocks in found for block in blocks))


def damage(present: Present) -> Damage | None:
    """What is wrong; None where everything belongs together, or where there has been no certificate yet."""
    served = [name for name in _SERVED if name != PRIVKEY or not present.key_elsewhere]
    missing = [name for name in served if present.content(name) is None]
    nothing = all(name in missing and present.shown[name].target is None for name in (CERT, CHAIN, FULLCHAIN))
    if nothing and not present.began:
        return None
    if missing:
        name, target = missing[0], present.shown[missing[0]].target
        if target is None:
            return Damage(name, "is missing", "was missing")
        return Damage(name, f"is a link to nothing ({target})", f"was a link to nothing ({target})")
    if present.leaf is None:
        return Damage(CERT, "holds no certificate", "held no certificate")
    if present.key_id is None and not present.key_elsewhere:
        return Damage(PRIVKEY, "holds no usable key", "held no usable key")
    if present.leaf.key_id != present.key_id and not present.key_elsewhere:
        return Damage(PRIVKEY, "does not belong to cert.pem", "did not belong to cert.pem")
    if disagreement(present.content(CERT), present.content(CHAIN), present.content(FULLCHAIN)):
        return Damage(FULLCHAIN, "is not cert.pem and chain.pem", "was not cert.pem and chain.pem")
    return None


def left_to_run(present: Present, known_keys: Collection[str], revoked: Collection[bytes]) -> LeftToRun | None:
    """Why a torn lineage is to stay as it is until the next run; None where it is to be mended.

    `known_keys` are the key_ids of all versions and sets, whole or not; `revoked` the certificates that dehydrated
    revoked: it takes cert.pem away so that a new one is issued.
    """
    if present.revoked or any(cert in revoked for cert in present.certs):
        return LeftToRun("the certificate was revoked")
    put = present.shown[PRIVKEY].place in OPERATORS and not present.key_elsewhere
    if put and present.key_id is not None and present.key_id not in known_keys:
        return LeftToRun("privkey.pem is a key that no version has")
    return None


def choose(present: Present, candidates: Collection[Candidate], now: datetime) -> Candidate | None:
    """The version to mend from: that of the certificate that is shown, expired or not; else one of the key that is
    shown; else the newest that is still valid. Of equal ones, ours comes before dehydrated's, and the live one first.

    A key of a person's that a newer version has was put there for that version, which then comes before all others.
    """
    certs = present.certs
    shown = [item for item in candidates if item.cert in certs[:1]] or [
        item for item in candidates if item.cert in certs
    ]
    of_key = [item for item in candidates if item.leaf.key_id == present.key_id]
    valid = [item for item in candidates if item.leaf.not_after > now]
    valid_of_key = [item for item in of_key if item in valid]
    meant = []
    if shown and present.shown[PRIVKEY].place in OPERATORS:
        since = max(item.leaf.not_before for item in shown)
        meant = [item for item in valid_of_key if item.leaf.not_before > since]
    best = next((group for group in (meant, shown, valid_of_key, valid, of_key) if group), [])
    return max(best, key=_rank, default=None)


def _rank(item: Candidate) -> tuple[object, ...]:
    # The certificate itself decides last, so that the order in which a folder is listed never does.
    return (item.leaf.not_before, item.live, not item.beside, item.stamp, item.cert)
