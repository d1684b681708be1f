"""dns-persist-01 (draft-ietf-acme-dns-persist): a record that stands, by which an account may prove a name at any time.

A record is an issue-value (RFC 8659 §4.2): the issuer's name, and parameters. Several may stand at one owner name,
for other accounts and CAs; each reader passes over those that are not its own.
"""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass

PERSIST_LABEL = "_validation-persist"
_MOST_ISSUERS = 10
_LABEL = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_ISSUER = pattern(rf"{_LABEL}(?:\.{_LABEL})*")
_TAG = pattern(r"[A-Za-z0-9](?:-*[A-Za-z0-9])*")
_VALUE = pattern(r"[\x21-\x3a\x3c-\x7e]*")
_SECONDS = pattern(r"[+-]?[0-9]{1,18}")
_BLANKS = " \t"
_WILDCARD = "wildcard"


class MalformedStanding(CertkeeperError):
    """A text that is no value of dns-persist-01; CAs pass over it, or refuse because of it."""

    label = "standing-record"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True, order=True)
class Standing:
    """What one record says: this CA may take this account's word for the name.

    `account` is the account's URL, compared octet by octet. `wildcard`: for `*.` of the name, too. `until` is the
    last instant (epoch seconds) at which a CA may look at the record, None where it stands for good.
    """

    issuer: str
    account: str
    wildcard: bool = False
    until: int | None = None

    @property
    def value(self) -> str:
        """The record's value; one form for each Standing, so that what is there already is recognized."""
        parameters = [f"accounturi={self.account}"]
        parameters += [f"policy={_WILDCARD}"] if self.wildcard else []
        parameters += [f"persistUntil={self.until}"] if self.until is not None else []
        return "; ".join([self.issuer, *parameters])

    def outlasts(self, at: int) -> bool:
        return self.until is None or self.until >= at


def persist_owner(domain: DnsName) -> DnsName:
    """Where the record stands; the same for a name and its wildcard."""
    return domain.child(PERSIST_LABEL)


def parse_standing(value: str) -> Standing:
    """Read a record's value (its character-strings joined).

    Tags are compared without case, and those that are not known are passed over (RFC 8659 §4.1.1). A policy other
    than `wildcard` is as good as none.

    Raises:
        MalformedStanding: no issue-value, without accounturi, or with a persistUntil that is no time.
    """
    issuer, *pieces = (piece.strip(_BLANKS) for piece in value.split(";"))
    if not _ISSUER.fullmatch(issuer):
        raise MalformedStanding("it names no CA")
    known: dict[str, str] = {}
    for piece in pieces:
        tag, equals, text = (part.strip(_BLANKS) for part in piece.partition("="))
        if not (equals and _TAG.fullmatch(tag) and _VALUE.fullmatch(text)):
            raise MalformedStanding("a parameter is not of the form tag=value" if piece else "it ends with a semicolon")
        if tag.lower() in known:
            raise MalformedStanding(f"it has {tag} twice")
        if tag.lower() in {"accounturi", "policy", "persistuntil"}:
            known[tag.lower()] = text
    if not known.get("accounturi"):
        raise MalformedStanding("it names no account")
    until = known.get("persistuntil")
    if until is not None and not _SECONDS.fullmatch(until):
        raise MalformedStanding("its persistUntil is no count of seconds")
    return Standing(
        issuer=issuer.lower(),
        account=known["accounturi"],
        wildcard=known.get("policy", "").lower() == _WILDCARD,
        until=int(until) if until is not None else None,
    )


def usable_issuers(names: Sequence[str]) -> tuple[str, ...]:
    """The names by which the CA of a challenge goes; none where the list is not as the draft has it.

    It has one to ten, each in lower-case A-labels without a final dot. Anything else makes the challenge unusable.
    """
    if not 1 <= len(names) <= _MOST_ISSUERS or any(not is_issuer(name) for name in names):
        return ()
    return tuple(dict.fromkeys(names))


def issuer_names(identities: Iterable[str]) -> tuple[str, ...]:
    """What a CA calls itself in CAA, as far as records may say it: in lower case, each once."""
    return tuple(dict.fromkeys(name.lower() for name in identities if is_issuer(name.lower())))


def is_issuer(name: str) -> bool:
    """Whether a CA can go by that name in a record."""
    return len(name) <= 253 and name == name.lower() and bool(_ISSUER.fullmatch(name))


class Ability(StrEnum):
    """What the records at one owner name let our account prove, the best of them deciding."""

    ALLOWS = "allows"
    MISSING = "missing"
    EXPIRED = "expired"
    NO_WILDCARD = "no-wildcard"
    """For the name alone, and a wildcard is to be proven."""


_LEAST_FIRST = (Ability.MISSING, Ability.NO_WILDCARD, Ability.EXPIRED, Ability.ALLOWS)


@dataclass(frozen=True, slots=True)
class StandingVerdict:
    """`standing` is the record that decided; None where there is none of ours."""

    ability: Ability
    standing: Standing | None = None

    @property
    def rank(self) -> tuple[int, int]:
        """What allows less comes first."""
        until = self.standing.until if self.standing is not None else None
        return _LEAST_FIRST.index(self.ability), until if until is not None else 2**63


def worst(verdicts: Iterable[StandingVerdict]) -> StandingVerdict:
    """What a CA must be expected to find, which may ask any server: the one that allows the least."""
    return min(verdicts, key=lambda verdict: verdict.rank, default=StandingVerdict(Ability.MISSING))


def judge_standing(
    values: Iterable[str], *, issuers: Collection[str], account: str, wildcard: bool, at: int
) -> StandingVerdict:
    """Do the values at an owner name let this account prove the name, or its wildcard, at that time?

    `issuers` are the names that the CA goes by; without any, every record of the account counts.
    """
    ours = ours_of(values, issuers=issuers, account=account)
    fitting = [standing for standing in ours if standing.wildcard or not wildcard]
    allowing = [standing for standing in fitting if standing.outlasts(at)]
    if allowing:
        return StandingVerdict(Ability.ALLOWS, max(allowing, key=_lasting))
    if fitting:
        return StandingVerdict(Ability.EXPIRED, max(fitting, key=_lasting))
    if ours:
        return StandingVerdict(Ability.NO_WILDCARD, max(ours, key=_lasting))
    return StandingVerdict(Ability.MISSING)


def ours_of(values: Iterable[str], *, issuers: Collection[str], account: str) -> tuple[Standing, ...]:
    """The records of this account at this CA, in a fixed order; those of others and malformed ones are left out."""
    found: dict[Standing, None] = {}
    for value in sorted(values):
        try:
            standing = parse_standing(value)
        except MalformedStanding:
            continue
        if standing.account == account and (not issuers or standing.issuer in issuers):
            found[standing] = None
    return tuple(found)


def values_of(values: Iterable[str], account: str) -> tuple[str, ...]:
    """The values, as they stand there, that name this account, whatever the CA; nothing else may be taken away."""
    found = []
    for value in sorted(values):
        try:
            standing = parse_standing(value)
        except MalformedStanding:
            continue
        if standing.account == account:
            found.append(value)
    return tuple(found)


def _lasting(standing: Standing) -> tuple[bool, int]:
    """Records by how long they stand."""
    return (standing.until is None, standing.until or 0)
