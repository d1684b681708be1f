"""All that the planner may look at, `now` included. The same inputs always give the same plan."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.lineage.model import Lineage, Version
from certkeeper.plan.advice import Advice, Suggestion
from certkeeper.plan.gates import Gate
from certkeeper.plan.records import Records
from certkeeper.zone.caa import CaaAnswers, Issuer
from certkeeper.zone.rrset import Zone


@dataclass(frozen=True, slots=True)
class Place:
    """Where a challenge value is written: `owner` is the challenge name, or where a CNAME at it leads."""

    zone: Zone
    owner: DnsName


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one provider is to be asked for: places for challenge names, and zones by their own names."""

    owners: tuple[DnsName, ...] = ()
    zones: tuple[DnsName, ...] = ()


@dataclass(frozen=True, slots=True)
class Zones:
    """What one DNS provider said of what was wanted of it. `provider` is how messages call it.

    A challenge name that is missing in `places` and in `errors` has no zone there. `trouble` is why the provider
    could not be asked at all.
    """

    provider: str
    places: Mapping[DnsName, Place] = field(default_factory=dict)
    by_name: Mapping[DnsName, Zone] = field(default_factory=dict)
    errors: Mapping[DnsName, CertkeeperError] = field(default_factory=dict)
    trouble: CertkeeperError | None = None


@dataclass(frozen=True, slots=True)
class Caa:
    """Who is going to issue, and what CAA says of the names that are due and of those above them."""

    issuer: Issuer
    answers: CaaAnswers


@dataclass(frozen=True, slots=True)
class StandingLook:
    """What is served where a standing record may be: values by server, of those that answered.

    `trouble` is why nobody did, empty where somebody did.
    """

    served: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What of the world decides how names are proven to one CA.

    `account` is the URL of ours there, empty while there is none; `identities` are the names that the CA goes by,
    empty where it does not say. `zones` and `standing` are those of `Observed`.
    """

    now: datetime
    account: str
    identities: tuple[str, ...]
    zones: Mapping[str, Zones] | None
    standing: Mapping[DnsName, StandingLook] | None


@dataclass(frozen=True, slots=True)
class Observed:
    """The world as a run finds it. `zones`, by the provider's id, is None until it is known which lineages are due,
    and which zones still hold records of a run that was killed. `registered` are the CAs where an account of ours is
    known, `accounts` their URLs, `unusable` the CAs whose account cannot be used, with the reason. `caa`, `profiles`
    (which a CA offers), `identities` (the names that it goes by) and `clock_behind` (by how much this machine's clock
    is behind the CA's) are by CA too, and lack the CAs that were not asked; `caa` and `identities` also those that do
    not say who they are. `advice` is what CAs said of certificates that are live. `scripts` are hooks that cannot be
    called, and why. `standing` is what is served at the owner names of standing records, None until it was looked for;
    `ends` are those of standing records that were seen before (epoch seconds), by CA. `orphans` are lineages in
    CERTDIR that no line of domains.txt asks for. `folders` are those for challenge files that are missing, and why; a
    run looks for them by itself. `versions` are all those of lineages that are held. `gates` say which key TLSA
    records let a certificate have. `later_runs` says why certificates have their turn in a later run, where a look at
    all of this run showed it (RUN_LIMIT).
    """

    now: datetime
    lineages: Mapping[Alias, Lineage]
    registered: frozenset[str] = frozenset()
    unusable: Mapping[str, CertkeeperError] = field(default_factory=dict)
    config_folders: tuple[str, ...] = ()
    zones: Mapping[str, Zones] | None = None
    records: Records = field(default_factory=Records)
    caa: Mapping[str, Caa] = field(default_factory=dict)
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    advice: Mapping[Alias, Advice] = field(default_factory=dict)
    clock_behind: Mapping[str, timedelta] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    standing: Mapping[DnsName, StandingLook] | None = None
    identities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ends: Mapping[str, Mapping[DnsName, int]] = field(default_factory=dict)
    scripts: Mapping[str, CertkeeperError] = field(default_factory=dict)
    orphans: Mapping[Alias, Lineage] = field(default_factory=dict)
    folders: Mapping[str, CertkeeperError] = field(default_factory=dict)
    versions: Mapping[Alias, tuple[Version, ...]] = field(default_factory=dict)
    gates: Mapping[Alias, Gate] = field(default_factory=dict)
    later_runs: Mapping[Alias, CertkeeperError] = field(default_factory=dict)

    def at(self, ca: str) -> Outlook:
        """As certificates of that CA see it."""
        return Outlook(self.now, self.accounts.get(ca, ""), self.identities.get(ca, ()), self.zones, self.standing)

    def suggestion(self, alias: Alias) -> Suggestion | None:
        """When the CA wants the lineage renewed."""
        advice = self.advice.get(alias)
        return advice.suggestion if advice is not None else None
