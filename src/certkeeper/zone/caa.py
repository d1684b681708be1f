"""Which CA may issue for a name: CAA records (RFC 8659) with account and method (RFC 8657). Answers in, verdict out."""

from collections.abc import Collection, Generator, Iterable, Mapping
from enum import StrEnum
from typing import TypeAlias

from certkeeper.base.names import DnsName
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass

_CRITICAL = 128
_UNDERSTOOD = frozenset({"issue", "issuewild", "iodef", "issuemail"})
"""What CAs for servers know the meaning of (RFC 8659 §4, RFC 9495); issuemail says nothing of servers."""
NO_ACCOUNT = "and there is no account here yet"
_LABEL = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_ISSUER = pattern(rf"{_LABEL}(?:\.{_LABEL})*")
_PARAMETER = pattern(rf"({_LABEL})[ \t]*=[ \t]*([\x21-\x3a\x3c-\x7e]*)")


@dataclass(frozen=True, slots=True, order=True)
class CaaRecord:
    """One property (RFC 8659 §4.1). `flags` is an octet, `value` is text as it stands in the record."""

    flags: int
    tag: str
    value: str

    @property
    def critical(self) -> bool:
        return bool(self.flags & _CRITICAL)

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.flags} {self.tag} "{escaped}"'


@dataclass(frozen=True, slots=True)
class CaaAnswer:
    """What a resolver said of one name: its records, or `trouble` where it answers with a failure (SERVFAIL)."""

    records: tuple[CaaRecord, ...] = ()
    trouble: str = ""


CaaAnswers: TypeAlias = Mapping[DnsName, CaaAnswer]
"""Names that nobody could be asked about are left out."""
CaaSearch: TypeAlias = Generator[tuple[DnsName, ...], CaaAnswers, dict[DnsName, CaaAnswer]]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who is going to issue: the names that the CA answers to in CAA, our account's URL, and how names are proven.

    `account` is None where its URL is not known: there is none yet, or (`keyed`) there is a key that the CA has not
    been asked about. Records that name an account are for somebody else then, or may be for ours.
    """

    identities: tuple[str, ...]
    account: str | None = None
    method: str = "dns-01"
    keyed: bool = False


class CaaOutcome(StrEnum):
    """`unanswered`: the lookup fails, and a CA must not issue then. `unknown`: nobody could be asked."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CaaVerdict:
    """May the CA issue? `at` is the name whose answer decided, `record` the one that forbids or allows.

    `reason` says in words why not. Without `at` no name of the path has a record.
    """

    outcome: CaaOutcome
    at: DnsName | None = None
    record: CaaRecord | None = None
    reason: str = ""


def search(names: Iterable[DnsName]) -> CaaSearch:
    """Look up what decides for these names: all a label at a time, each name once, and no further than needed.

    Yields the names to ask for, which do not depend on each other, and is sent the answers. What cannot be answered
    is not asked again.
    """
    answers: dict[DnsName, CaaAnswer] = {}
    asked: set[DnsName] = set()
    climbing = set(names)
    while climbing:
        wanted = tuple(sorted(name for name in climbing if name.labels and name not in asked))
        if wanted:
            asked.update(wanted)
            answers.update((yield wanted))
        climbing = {name.parent for name in climbing if name.labels and answers.get(name) == CaaAnswer()}
    return answers


def judge_caa(name: DnsName, issuer: Issuer, answers: CaaAnswers, *, wildcard: bool) -> CaaVerdict:
    """May this CA issue for the name, or for the wildcard below it?

    The first name on the way up that has records decides (RFC 8659 §3). CNAMEs are the resolver's business.
    """
    at = name
    while at.labels:
        answer = answers.get(at)
        if answer is None:
            return CaaVerdict(CaaOutcome.UNKNOWN, at)
        if answer.trouble:
            return CaaVerdict(CaaOutcome.UNANSWERED, at, reason=answer.trouble)
        if answer.records:
            return _judge_set(at, issuer, answer.records, wildcard=wildcard)
        at = at.parent
    return CaaVerdict(CaaOutcome.ALLOWED)


def _judge_set(at: DnsName, issuer: Issuer, records: Collection[CaaRecord], *, wildcard: bool) -> CaaVerdict:
    for record in records:
        if record.critical and record.tag.lower() not in _UNDERSTOOD:
            reason = f"it is critical, and no CA knows what {record.tag} means"
            return CaaVerdict(CaaOutcome.FORBIDDEN, at, record, reason)
    counting = [record for record in records if record.tag.lower() == "issuewild"] if wildcard else []
    counting = counting or [record for record in records if record.tag.lower() == "issue"]
    refusals = []
    for record in counting:
        closeness, reason = _refusal(record, issuer)
        if not reason:
            return CaaVerdict(CaaOutcome.ALLOWED, at, record)
        refusals.append((closeness, reason, record))
    if not refusals:
        return CaaVerdict(CaaOutcome.ALLOWED, at)
    # The one that fails last is the one to mend: it names the CA, and only the account or the method is another.
    _, reason, record = max(refusals, key=lambda refusal: refusal[0])
    return CaaVerdict(CaaOutcome.FORBIDDEN, at, record, reason)


def _refusal(record: CaaRecord, issuer: Issuer) -> tuple[int, str]:
    """Why this record does not allow it, and how far it would have; no reason means that it does."""
    domain, parameters = _parse_issue(record.value)
    identities = " or ".join(issuer.identities)
    if domain is None:
        return 0, "its value has not the form that RFC 8659 asks for, so it names no CA"
    if domain.lower() not in {identity.lower() for identity in issuer.identities}:
        return 0, f"it names {domain} and not {identities}" if domain else "it names no CA"
    accounts = parameters.get("accounturi", [])
    if len(accounts) > 1:
        return 1, "it names more than one account, which nobody can be"
    if accounts and issuer.account is not None and accounts[0] != issuer.account:
        return 1, f"it is for the account {accounts[0]}, and ours is {issuer.account}"
    if accounts and issuer.account is None and not issuer.keyed:
        return 1, f"it is for the account {accounts[0]}, {NO_ACCOUNT}"
    methods = parameters.get("validationmethods", [])
    if len(methods) > 1:
        return 2, "it has more than one validationmethods, which nothing can meet"
    if methods and issuer.method not in methods[0].split(","):
        return 2, f"it allows the methods {methods[0] or '(none)'}, and not {issuer.method}"
    return 3, ""


def _parse_issue(value: str) -> tuple[str | None, dict[str, list[str]]]:
    """The issuer's domain and the parameters (RFC 8659 §4.2); None for a value of another form, which names nobody."""
    domain, semicolon, rest = value.strip(" \t").partition(";")
    domain = domain.strip(" \t")
    if domain and not _ISSUER.fullmatch(domain):
        return None, {}
    parameters: dict[str, list[str]] = {}
    if semicolon and rest.strip(" \t"):
        for piece in rest.split(";"):
            match = _PARAMETER.fullmatch(piece.strip(" \t"))
            if match is None:
                return None, {}
            parameters.setdefault(match[1], []).append(match[2])
    return domain, parameters


def proposal(
    issuer: Issuer, *, wildcards: bool, contact: str = "", methods: Collection[str] = ()
) -> tuple[CaaRecord, ...]:
    """The records that let this CA issue to this account by this method, and nobody else.

    Wildcards get records of their own where they are used. `contact` is the mail address that CAs may report to.
    `methods` are those in use where there are several.
    """
    parameters = [f"accounturi={issuer.account}"] if issuer.account else []
    value = "; ".join([issuer.identities[0], *parameters, f"validationmethods={','.join(methods or (issuer.method,))}"])
    records = [CaaRecord(0, "issue", value)]
    if wildcards:
        records.append(CaaRecord(0, "issuewild", value))
    if contact:
        records.append(CaaRecord(0, "iodef", f"mailto:{contact}"))
    return tuple(records)
