"""Does this RRset match this handshake? Per record, and per combination of usage, selector and matching type.

Any record that matches lets a client in, but clients may know some combinations only, so each one has to match by
itself (RFC 7671 §8).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.dane.chain import Chain, UnreadableChain
from certkeeper.dane.der import NotDer, spki_of
from certkeeper.dane.policy import Use, ignored
from certkeeper.dane.tlsa import CERT, DANE_EE, PKIX_EE, PKIX_TA, Tlsa, TlsaType, associate


class Match(StrEnum):
    """What one record says to one handshake. Those that are ignored say nothing at all."""

    MATCHES = "matches"
    DIFFERS = "differs"
    """No certificate of the chain has that key or digest."""
    REFUSED = "refused"
    """One has it, and something else is wrong: names, dates, signatures, trust."""
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """`position` is the certificate that it is about, 0 for the leaf; None where there is none."""

    record: Tlsa
    match: Match
    reason: str = ""
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client met: the chain in DER, the leaf first; the names it asked for; and who it is.

    `untrusted` is why the chain leads to no root that counts for usages 0 and 1, empty where it does.
    """

    chain: tuple[bytes, ...]
    names: tuple[DnsName, ...]
    use: Use = Use.OTHER
    untrusted: str = ""


@dataclass(frozen=True, slots=True)
class DaneVerdict:
    """All that is to be said of an RRset and a handshake. `failing` are the combinations that no record matches."""

    records: tuple[RecordVerdict, ...]
    failing: tuple[TlsaType, ...]

    @property
    def proven(self) -> bool:
        """A client that knows all combinations goes on."""
        return any(item.match is Match.MATCHES for item in self.records)

    @property
    def usable(self) -> bool:
        """Some record says something. Where none does, opportunistic clients go on without proof (RFC 7671 §10.3)."""
        return any(item.match is not Match.IGNORED for item in self.records)

    @property
    def sound(self) -> bool:
        """Every client goes on, whatever combinations it knows."""
        return self.proven and not self.failing


def check(records: Collection[Tlsa], shown: Shown, now: datetime) -> DaneVerdict:
    """Compare each record with what was shown; `now` is aware."""
    try:
        chain, keys, trouble = Chain(shown.chain), [spki_of(der) for der in shown.chain], ""
    except (UnreadableChain, NotDer) as error:
        chain, keys, trouble = None, [], str(error)
    verdicts = []
    for record in sorted(records):
        if passed_over := record.unusable or ignored(record.type, shown.use):
            verdicts.append(RecordVerdict(record, Match.IGNORED, passed_over))
        elif chain is None:
            verdicts.append(RecordVerdict(record, Match.DIFFERS, trouble))
        else:
            verdicts.append(_judge(record, shown, chain, keys, now))
    kinds = sorted({item.record.type for item in verdicts if item.match is not Match.IGNORED})
    good = {item.record.type for item in verdicts if item.match is Match.MATCHES}
    return DaneVerdict(tuple(verdicts), tuple(kind for kind in kinds if kind not in good))


def _judge(record: Tlsa, shown: Shown, chain: Chain, keys: Sequence[bytes], now: datetime) -> RecordVerdict:
    candidates = (0,) if record.type.of_the_leaf else range(1, len(chain))
    found = [at for at in candidates if _has(record, shown.chain[at], keys[at])]
    if not found:
        where = "the leaf" if record.type.of_the_leaf else "no CA certificate in the chain"
        differs = f"{where} does not have it" if record.type.of_the_leaf else f"{where} has it"
        return RecordVerdict(record, Match.DIFFERS, differs)
    if record.usage == DANE_EE:
        # Names and dates do not count (RFC 7671 §5.1).
        return RecordVerdict(record, Match.MATCHES, position=0)
    reasons = [_refusal(record, shown, chain, at, now) for at in found]
    for at, reason in zip(found, reasons, strict=True):
        if not reason:
            return RecordVerdict(record, Match.MATCHES, position=at)
    return RecordVerdict(record, Match.REFUSED, reasons[0], found[0])


def _refusal(record: Tlsa, shown: Shown, chain: Chain, at: int, now: datetime) -> str:
    if not chain.is_for(shown.names):
        return f"the certificate is not for {' or '.join(str(name) for name in shown.names) or 'any name'}"
    if record.usage in {PKIX_TA, PKIX_EE} and shown.untrusted:
        return f"the chain is not trusted besides: {shown.untrusted}"
    return "" if record.usage == PKIX_EE else chain.path_to(at, now)


def _has(record: Tlsa, certificate: bytes, key: bytes) -> bool:
    return associate(record.matching_type, certificate if record.selector == CERT else key) == record.data
