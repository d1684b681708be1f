"""Where a service has to show a certificate, and what is to be said of what was seen there before and after."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from certkeeper.base.names import Identifier, IdentifierType
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, field
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.integrity import served
from certkeeper.lineage.model import BadChain, Leaf
from certkeeper.service.endpoint import Endpoint, parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, KeyFamily, Look, Unseen
from certkeeper.service.kinds import KINDS
from certkeeper.service.target import Target


@dataclass(frozen=True, slots=True)
class Wish:
    """An endpoint that is to show the certificate.

    `here`: at the addresses of its name that are this machine's. `asked`: the operator named it, so that it counts as
    unproven where it is not seen; of the usual ones one that is seen is enough.
    """

    endpoint: Endpoint
    here: bool
    asked: bool


def wishes(spec: CertSpec, target: Target) -> tuple[Wish, ...]:
    """The endpoints of a certificate at a service: the certificate's word, else the target's."""
    if spec.probe is not None:
        return tuple(Wish(endpoint, here=False, asked=True) for endpoint in spec.probe)
    patterns = target.probe
    names = [
        item.value for item in spec.identifiers if item.type is IdentifierType.DNS and not item.value.startswith("*.")
    ]
    texts = dict.fromkeys(
        pattern.replace("{name}", name) for pattern in patterns for name in (names if "{name}" in pattern else [""])
    )
    found = [parse_endpoint(text) for text in texts]
    usual = target.kind in KINDS and target.probe == KINDS[target.kind].probe
    return tuple(Wish(endpoint, here=not endpoint.host, asked=not usual) for endpoint in found)


Mark: TypeAlias = tuple[str, str]
"""What a certificate is known by: serial and key_id."""
_BOTH = 2


@dataclass(frozen=True, slots=True)
class LiveLeaves:
    """The live certificates of all lineages of a page: some have the same names, as one with an RSA key beside one with
    an ECDSA key. `families` are the kinds of keys by names.
    """

    marks: frozenset[Mark] = frozenset()
    families: Mapping[frozenset[Identifier], frozenset[KeyFamily]] = field(default_factory=dict)


NO_LEAVES = LiveLeaves()


def live_leaves(leaves: Iterable[Leaf]) -> LiveLeaves:
    marks: set[Mark] = set()
    families: dict[frozenset[Identifier], frozenset[KeyFamily]] = {}
    for leaf in leaves:
        marks.add(_mark(leaf))
        families[leaf.identifiers] = families.get(leaf.identifiers, frozenset()) | {key_family(leaf)}
    return LiveLeaves(frozenset(marks), families)


def _mark(leaf: Leaf) -> Mark:
    return leaf.serial, leaf.key_id


def key_family(leaf: Leaf) -> KeyFamily:
    """By the words of a KeySpec; ANY for a kind of key that servers cannot be asked for."""
    if leaf.key_kind.startswith("rsa"):
        return KeyFamily.RSA
    return KeyFamily.ECDSA if leaf.key_kind in {"prime256v1", "secp384r1", "secp521r1"} else KeyFamily.ANY


class Sight(StrEnum):
    """What a look showed of a lineage."""

    LIVE = "live"
    OLDER = "older"
    """A certificate that the lineage had before."""
    OTHER = "other"
    """A certificate of somebody else's."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Family:
    """The certificate that a service is to show, and those of the same lineage that it may still show.

    `page` is about all lineages.
    """

    live: Leaf
    others: tuple[Leaf, ...] = ()
    page: LiveLeaves = NO_LEAVES

    @property
    def keys(self) -> KeyFamily:
        """Which of two certificates a server is to be asked for, where it may have two. After a change of keys the old
        one is looked for, too.
        """
        if len(self.page.families.get(self.live.identifiers, ())) < _BOTH:
            return KeyFamily.ANY
        families = {key_family(leaf) for leaf in (self.live, *self.others)}
        return families.pop() if len(families) == 1 else KeyFamily.ANY

    def sight(self, look: Look, now: datetime) -> tuple[Sight, str]:
        """What was seen, and in words."""
        if isinstance(look, Unseen):
            return Sight.NOTHING, look.message
        try:
            leaf, _ = served(look.chain, now)
        except BadChain as error:
            return Sight.OTHER, f"a certificate that cannot be read: {'; '.join(error.mismatches)}"
        if _same(leaf, self.live):
            return Sight.LIVE, "the certificate"
        foreign = _mark(leaf) in self.page.marks
        alike = leaf.identifiers == self.live.identifiers and leaf.not_after < self.live.not_after and not foreign
        if alike or any(_same(leaf, other) for other in self.others):
            return Sight.OLDER, f"the certificate with serial {leaf.serial}, which ends at {iso(leaf.not_after)}"
        return Sight.OTHER, f"another certificate: serial {leaf.serial}, issued by {leaf.issuer}"

    def unstapled(self, look: Look) -> str:
        """Why clients refuse the live certificate as it was shown, since it must come with an OCSP response."""
        if not self.live.must_staple or not isinstance(look, Handshake):
            return ""
        if look.staple is None:
            return "sends no OCSP response along, and clients refuse the certificate without one"
        status = look.staple.status
        return "" if status == "good" else f"sends an OCSP response along that says {status}"


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at for one certificate: contacts, and which of them the operator named."""

    family: Family
    contacts: tuple[Contact, ...]
    asked: frozenset[Contact] = frozenset()


Looks = Mapping[Contact, Sequence[Look]]
"""What was seen, by contact; more than one look where a host has more addresses."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What came of looking for one certificate; each entry is a place with words, but for `seen` and `without`.

    `without` are places that show another certificate, of whomever.
    """

    seen: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        return bool(self.seen) and not (self.failed or self.unproven)


def compare(watched: Watched, before: Looks, after: Looks, now: datetime) -> Showing:
    """A failure is what was reachable and is not any more, what still shows an older certificate, and what showed this
    lineage's and shows somebody else's now, and what shows a must-staple certificate without a good response.
    """
    seen, failed, unproven, without = list[str](), list[str](), list[str](), list[str]()
    for contact in watched.contacts:
        earlier = {look.address: watched.family.sight(look, now)[0] for look in before.get(contact, ())}
        for look in after.get(contact, ()):
            sight, words = watched.family.sight(look, now)
            place = _place(contact, look)
            had = earlier.get(look.address, Sight.NOTHING)
            if sight is Sight.LIVE and (lacking := watched.family.unstapled(look)):
                failed.append(f"{place} {lacking}")
            elif sight is Sight.LIVE:
                seen.append(place)
            elif sight is Sight.OLDER:
                failed.append(f"{place} still shows {words}")
            elif sight is Sight.NOTHING and had is not Sight.NOTHING:
                failed.append(f"{place} could be reached before, and now: {words}")
            elif sight is Sight.OTHER and had in {Sight.LIVE, Sight.OLDER}:
                failed.append(f"{place} showed this certificate, or one before it, and now {words}")
            elif contact in watched.asked or sight is Sight.OTHER:
                unproven.append(f"{place}: {words}")
            if sight in {Sight.OLDER, Sight.OTHER}:
                without.append(place)
    return Showing(tuple(seen), tuple(failed), tuple(unproven), tuple(without))


def _place(contact: Contact, look: Look) -> str:
    at = f" at {look.address}" if look.address and look.address != contact.endpoint.host else ""
    return f"{contact.endpoint}{at}"


def _same(one: Leaf, other: Leaf) -> bool:
    return _mark(one) == _mark(other)
