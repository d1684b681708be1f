"""Which key the next certificate gets, and what becomes of the one that was made ahead."""

from certkeeper.base.keys import KeyPolicy
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import KeyPlace, Lineage
from certkeeper.plan.actions import Action, DropNextKey, KeySource, MakeNextKey
from certkeeper.plan.gates import FREE, Allowed, Gate


def about_next_key(spec: CertSpec, lineage: Lineage) -> tuple[Action, ...]:
    """What happens to the key that was made ahead, with a new certificate. What is no key is nobody's to remove."""
    if spec.request is not None:
        return ()
    if spec.key.policy is KeyPolicy.ROLLOVER:
        return (MakeNextKey(spec.key),)
    return (DropNextKey(),) if spec.key.policy is KeyPolicy.NEW and lineage.next_key_id is not None else ()


def next_key(spec: CertSpec, lineage: Lineage) -> tuple[Action, ...]:
    """The next key's successor, where a run ended between the switch and making it.

    A folder that dehydrated wrote to last is left as it is until something is due.
    """
    missing = lineage.next_key_used or (lineage.next_key_id is None and not lineage.next_key_trouble)
    if spec.key.policy is KeyPolicy.ROLLOVER and missing and lineage.stamp is not None and not lineage.key_elsewhere:
        return (MakeNextKey(spec.key),)
    return ()


def key_source(spec: CertSpec, lineage: Lineage, gate: Gate = FREE) -> KeySource:
    """Where the key of the next certificate comes from. The gate says which key clients that know TLSA records take."""
    if spec.request is not None:
        return KeySource.ELSEWHERE
    made_ahead = lineage.next_key_id is not None and not lineage.next_key_used
    if gate.allowed is Allowed.CURRENT and lineage.key_place is not KeyPlace.ABSENT:
        return KeySource.PLAIN if lineage.key_place is KeyPlace.PLAIN else KeySource.REUSE
    if made_ahead and (spec.key.policy is KeyPolicy.ROLLOVER or gate.allowed is Allowed.NEXT):
        return KeySource.NEXT
    # Where rollover begins, the present key is used once more: its successor must be announced before it is used.
    # One that others have is never used again; key_error stops those that a person put there.
    if spec.key.policy is KeyPolicy.NEW or lineage.key_place is KeyPlace.ABSENT or lineage.compromised:
        return KeySource.NEW
    return KeySource.PLAIN if lineage.key_place is KeyPlace.PLAIN else KeySource.REUSE
