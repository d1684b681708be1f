"""The journal's entries: what a run owes or may go on with, and what neither files nor zones nor the CA tell later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from certkeeper.base.names import Alias, DnsName, Identifier

CHALLENGE_LABEL = "_acme-challenge"
"""Where dns-01 records stand below the name that they prove (RFC 8555 §8.4)."""


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order that is open at the CA, written down when the CA named its URL. One per lineage.

    `key` says which key it is for: a key_id, or the kind of a new key, which is in the version in the making.
    `stamp` is the version that it is to become (epoch seconds).
    """

    alias: Alias
    url: str
    ca: str
    identifiers: tuple[Identifier, ...]
    profile: str
    must_staple: bool
    key: str
    stamp: int


@dataclass(frozen=True, slots=True)
class ChallengeIntent:
    """A record that is about to be published, written down before the change goes out.

    `rdata` is canonical TXT rdata. `run` is the run that publishes it, filled in by the journal. `provider` is the id
    of who writes the zone; empty in entries of versions that knew one only. `token` is the challenge's, which hooks
    are called with.
    """

    zone: DnsName
    owner: DnsName
    rdata: str
    run: str = ""
    provider: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class FileIntent:
    """A challenge file that is about to be written, written down before.

    `digest` is the lower-case hex SHA-256 of its content: only a file with that content is ours. `run` is as above.
    """

    folder: str
    name: str
    digest: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class HookDebt:
    """A hook that is to be called for a version once that one is live. One per lineage: a newer version's counts."""

    alias: Alias
    hook: str
    stamp: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """A lineage failed that many times in a row; nothing is tried before `retry_at` while its inputs stay the same.

    `inputs` is a hash of what decided. `message` is the last failure's.
    """

    alias: Alias
    failures: int
    retry_at: datetime
    inputs: str
    message: str


Record: TypeAlias = OrderIntent | ChallengeIntent | FileIntent | HookDebt | Backoff


@dataclass(frozen=True, slots=True)
class Records:
    """All that the journal holds. `left` are the challenge records, `files` the files, of runs that are gone."""

    orders: Mapping[Alias, OrderIntent] = field(default_factory=dict)
    debts: Mapping[Alias, HookDebt] = field(default_factory=dict)
    backoffs: Mapping[Alias, Backoff] = field(default_factory=dict)
    left: tuple[ChallengeIntent, ...] = ()
    files: tuple[FileIntent, ...] = ()
