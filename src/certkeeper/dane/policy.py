"""Which types of records are worth publishing, for whom, and why (RFC 7671, RFC 7672 §3.1.3, RFC 7712 §5.1)."""

from collections.abc import Collection, Iterator
from enum import StrEnum

from certkeeper.base.value import dataclass
from certkeeper.dane.tlsa import CERT, DANE_EE, DANE_TA, FULL, PKIX_EE, PKIX_TA, SHA512, TlsaType

DEFAULT_TYPES = (TlsaType(3, 1, 1),)
"""RFC 7671 §5.1 recommends it: it depends on the key alone, and neither names nor dates can break it."""

ALL_TYPES = tuple(TlsaType(usage, selector, match) for usage in range(4) for selector in range(2) for match in range(3))


class Use(StrEnum):
    """Who the clients of a port are, as far as it decides on what they look at."""

    SMTP = "smtp"
    XMPP = "xmpp"
    OTHER = "other"


_USES = {25: Use.SMTP, **dict.fromkeys((5222, 5223, 5269, 5270), Use.XMPP)}


def use_of(port: int | None) -> Use:
    """Who connects to that port, None for any."""
    return _USES.get(port or 0, Use.OTHER)


class Advised(StrEnum):
    """The three words of the advice, best first."""

    RECOMMENDED = "recommended"
    POSSIBLE = "possible"
    NOT_RECOMMENDED = "not recommended"


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be said of a type. `reasons` are sentences without a final period, the weightiest first."""

    advised: Advised
    reasons: tuple[str, ...]


class Weight(StrEnum):
    """What an objection to a type does."""

    REFUSED = "refused"
    WARNED = "warned"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a type that somebody wants for a port is refused, or should not be used."""

    type: TlsaType
    weight: Weight
    reason: str
    hint: str


def advise(kind: TlsaType, use: Use = Use.OTHER) -> Advice:
    """What to think of a type, for certificates that are renewed."""
    against = tuple(_against(kind, use))
    if against:
        return Advice(Advised.NOT_RECOMMENDED, against)
    if kind.matching_type == SHA512:
        reason = "SHA-512 is no safer here than SHA-256 and makes answers bigger; some clients do not know it"
        return Advice(Advised.POSSIBLE, (reason,))
    return Advice(Advised.RECOMMENDED, (_FOR[kind.usage],))


_FOR = {
    PKIX_TA: "the CA's key stays when its certificate is renewed; clients have to trust that CA besides DANE, "
    "and mail servers pass over this record",
    DANE_TA: "the CA's key stays when certificates are renewed; the CA has to be in the chain that is served, and "
    "names and dates count",
    DANE_EE: "it stays while the key stays; names and dates of the certificate do not count, so only the key can break "
    "it",
}


def _against(kind: TlsaType, use: Use) -> Iterator[str]:
    if passed_over := ignored(kind, use):
        yield passed_over
    if kind.matching_type == FULL:
        what = "whole certificate" if kind.selector == CERT else "whole public key"
        yield f"a {what} is too big for DNS over UDP (RFC 7671 section 10.1.2)"
    if kind.selector == CERT:
        yield _broken_by_renewal(kind)
    if kind.usage == PKIX_EE and kind.selector != CERT and kind.matching_type != FULL:
        yield "clients have to trust the CA besides DANE, which adds a way to fail; 3 1 1 says the same without it"


def _broken_by_renewal(kind: TlsaType) -> str:
    """What becomes of a record about a certificate."""
    if kind.of_the_leaf:
        return "the certificate is another one after each renewal, and the record breaks with it"
    return "the CA's certificate may be replaced by another one with the same key, and the record breaks with it"


def ignored(kind: TlsaType, use: Use) -> str:
    """Why that use's clients pass over records of the type; empty where they do not."""
    if use is Use.SMTP and kind.usage in {PKIX_TA, PKIX_EE}:
        return "mail servers pass over it: they trust no CA besides DANE (RFC 7672 section 3.1.3)"
    if use is Use.XMPP and kind.usage in {PKIX_TA, DANE_TA}:
        return "XMPP proves names by DANE with usages 1 and 3 only (RFC 7712 section 5.1)"
    return ""


def object_to(types: Collection[TlsaType], use: Use, *, renewed: bool) -> tuple[Objection, ...]:
    """What is wrong with these types for that use; `renewed`: certificates come from a CA and are replaced in time."""
    found = []
    for kind in sorted(set(types)):
        instead = "write 211" if kind.usage in {PKIX_TA, DANE_TA} and use is not Use.XMPP else "write 311"
        if passed_over := ignored(kind, use):
            weight = Weight.REFUSED if use is Use.SMTP else Weight.WARNED
            found.append(Objection(kind, weight, passed_over, instead))
        elif kind.selector == CERT and renewed:
            reason = f"{_broken_by_renewal(kind)} unless each renewal waits for DNS"
            found.append(Objection(kind, Weight.WARNED, reason, instead))
        elif kind.matching_type == FULL:
            found.append(Objection(kind, Weight.WARNED, next(_against(kind, use)), instead))
    return tuple(found)
