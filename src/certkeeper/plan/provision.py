"""Which standing records are needed, and what has to change at an owner name for one to be there, or to be gone."""

from collections.abc import Collection

from certkeeper.acme.persist import (
    MalformedStanding,
    Standing,
    StandingVerdict,
    judge_standing,
    ours_of,
    parse_standing,
    persist_owner,
    values_of,
    worst,
)
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.base.value import dataclass, replace
from certkeeper.plan.observed import StandingLook
from certkeeper.zone.changes import RecordChange
from certkeeper.zone.rrset import txt_rdata

TTL = 3600
"""Of a record that is the first at its owner; it stands for a long time, so caches may keep it."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a record is for: the names that the CA goes by, the one that we write first, and our account's URL."""

    issuers: tuple[str, ...]
    account: str


@dataclass(frozen=True, slots=True)
class Site:
    """One owner name: which record is needed there, and what is served."""

    domain: DnsName
    needed: Standing
    look: StandingLook

    @property
    def owner(self) -> DnsName:
        return persist_owner(self.domain)

    @property
    def identifier(self) -> Identifier:
        """The name that needs the most of the record."""
        return Identifier(IdentifierType.DNS, f"*.{self.domain}" if self.needed.wildcard else self.domain.text)

    @property
    def values(self) -> frozenset[str]:
        """All values that any server shows."""
        return frozenset[str]().union(*self.look.served.values())

    def verdict(self, party: Party, at: int) -> StandingVerdict:
        """What the server lets us prove that shows the least."""
        return worst(
            judge_standing(values, issuers=party.issuers, account=party.account, wildcard=self.needed.wildcard, at=at)
            for values in self.look.served.values()
        )


def widened(needed: Standing, values: Collection[str], party: Party) -> Standing:
    """The record to write: it goes on to allow wildcards where one of ours that is there does."""
    ours = ours_of(values, issuers=party.issuers, account=party.account)
    return replace(needed, wildcard=needed.wildcard or any(item.wildcard for item in ours))


def writing(owner: DnsName, standing: Standing, values: Collection[str]) -> RecordChange:
    """The record in the place of those that the same account has there for the same CA; all others stay."""
    before = [value for value in values_of(values, standing.account) if _issuer(value) == standing.issuer]
    old = frozenset(txt_rdata(value) for value in before if value != standing.value)
    return RecordChange(owner, "TXT", add=frozenset({txt_rdata(standing.value)}), remove=old, ttl=TTL)


def removing(owner: DnsName, values: Collection[str], party: Party) -> RecordChange:
    """The account's records for this CA taken away; all others stay."""
    ours = [value for value in values_of(values, party.account) if _issuer(value) in party.issuers]
    return RecordChange(owner, "TXT", remove=frozenset(txt_rdata(value) for value in ours), ttl=TTL)


def whose(value: str, party: Party) -> str:
    """A value in words: ours, or what else it is."""
    try:
        standing = parse_standing(value)
    except MalformedStanding as error:
        return f"no record of this kind: {error}"
    if standing.account != party.account:
        return "for another account"
    return "ours" if standing.issuer in party.issuers else "ours, for another CA"


def _issuer(value: str) -> str:
    return parse_standing(value).issuer
