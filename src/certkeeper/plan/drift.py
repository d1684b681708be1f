"""Where a healthy certificate is not what the page asks for: another CA, profile, kind of key or extension.

What is not known is no difference: an installation that is taken over stays as it is until something is due.
"""

from collections.abc import Iterator

from certkeeper.base.errors import printable
from certkeeper.base.keys import KeyPolicy
from certkeeper.config.authority import is_local
from certkeeper.config.settings import CertSpec, Purpose
from certkeeper.lineage.model import KeyPlace, Leaf, Lineage, is_test_issuer
from certkeeper.plan.actions import Reason
from certkeeper.plan.profiles import acceptable


def from_test_ca(lineage: Lineage) -> bool:
    """Whether no client trusts the live certificate: what was written down says so, else its issuer's name."""
    if lineage.origin is not None:
        return lineage.origin.test
    return lineage.leaf is not None and is_test_issuer(lineage.leaf)


def drift(spec: CertSpec, lineage: Lineage, *, can_staple: bool) -> Iterator[tuple[Reason, str]]:
    """Each difference with its explanation, the weightiest first; `can_staple`: the CA runs an OCSP responder."""
    leaf = lineage.leaf
    if leaf is None:
        return
    yield from _ca(spec, lineage, leaf)
    yield from _profile(spec, lineage)
    yield from _key(spec, lineage, leaf)
    yield from _staple(spec, lineage, leaf, can_staple=can_staple)


def _ca(spec: CertSpec, lineage: Lineage, leaf: Leaf) -> Iterator[tuple[Reason, str]]:
    origin = lineage.origin
    # A CA on this host may be what a test CA's name stands for, if nothing better is known.
    if spec.purpose is Purpose.SERVE and from_test_ca(lineage) and not (origin is None and is_local(spec.ca)):
        yield Reason.TEST_ISSUED, f"issued by a test CA, {leaf.issuer}, which no client trusts"
    if origin is not None and origin.ca != spec.ca:
        yield Reason.CA_CHANGED, f"from {origin.ca}, to be from {spec.ca}"


def _profile(spec: CertSpec, lineage: Lineage) -> Iterator[tuple[Reason, str]]:
    wanted = acceptable(spec)
    if lineage.origin is not None and lineage.origin.profile not in wanted:
        present, next_ = (printable(name, 80) or "the CA's default" for name in (lineage.origin.profile, wanted[0]))
        yield Reason.PROFILE_CHANGED, f"issued under {present}, to be under {next_}"


def _staple(spec: CertSpec, lineage: Lineage, leaf: Leaf, *, can_staple: bool) -> Iterator[tuple[Reason, str]]:
    # A CA may leave out what it was asked for: asking again would not change that.
    present = lineage.origin.must_staple if lineage.origin is not None else leaf.must_staple
    if present and not spec.must_staple:
        yield Reason.STAPLE_CHANGED, "must-staple was asked for, and is not any more"
    # The certificate's own responder counts, too. Which of a CA's certificates is the newest changes with every run,
    # and where only some of them have one, this must not come and go with it.
    elif spec.must_staple and not present and can_staple and leaf.ocsp_url is not None:
        yield Reason.STAPLE_CHANGED, "must-staple is asked for, and was not"


def _key(spec: CertSpec, lineage: Lineage, leaf: Leaf) -> Iterator[tuple[Reason, str]]:
    """Where the next key is made ahead, its kind changes with the renewals that come anyway."""
    if spec.key.policy is not KeyPolicy.NEW or lineage.key_place is KeyPlace.PLAIN or lineage.key_elsewhere:
        return
    kinds = (leaf.key_kind, leaf.key_kind.partition("-")[0])
    if spec.wished_key and leaf.key_kind and spec.wished_key not in kinds:
        yield Reason.KEY_CHANGED, f"its key is {leaf.key_kind}, to be {spec.key}"
