"""What is remembered of TLSA records, as text in the journal. It may be lost: waits begin anew then."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from certkeeper.base.names import Alias, DnsName
from certkeeper.base.times import from_epoch
from certkeeper.dane.age import Standing, TlsaAge
from certkeeper.dane.tlsa import BadTlsa, Tlsa
from certkeeper.plan.records import KnownKey, TlsaMemory
from certkeeper.zone.behind import Behind


def written(memory: TlsaMemory) -> tuple[str, str, str, str, str]:
    """The row."""
    behind = {server: [item.serial, item.since.timestamp()] for server, item in memory.behind.items()}
    return (memory.place.text, memory.zone.text, _age_text(memory.age), _known_text(memory.known), json.dumps(behind))


def _age_text(age: TlsaAge) -> str:
    return json.dumps(
        {
            "at": age.at.timestamp(),
            "owners": sorted(owner.text for owner in age.owners),
            "standing": {
                _text(record): [stands.since.timestamp(), stands.bound, stands.margin.total_seconds()]
                for record, stands in age.standing.items()
            },
            "lingering": {_text(record): until.timestamp() for record, until in age.lingering.items()},
            "ttls": {str(ttl): seen.timestamp() for ttl, seen in age.ttls.items()},
            "ours": sorted(map(_text, age.ours)),
        }
    )


def _known_text(known: Sequence[KnownKey]) -> str:
    return json.dumps(
        [[item.alias.text, item.key_id, item.since.timestamp(), sorted(map(_text, item.former))] for item in known]
    )


def read_memory(place: str, zone: str, age: str, known: str, behind: str) -> TlsaMemory:
    """One row.

    Raises:
        ValueError, KeyError, TypeError: it makes no sense.
    """
    try:
        return _memory(place, zone, age, known, behind)
    except (AttributeError, BadTlsa) as error:
        raise ValueError(f"what is remembered of {place} makes no sense: {error}") from error


def _memory(place: str, zone: str, age: str, known: str, behind: str) -> TlsaMemory:
    keys = tuple(
        KnownKey(Alias(alias), key_id, from_epoch(since), _records(former))
        for alias, key_id, since, former in json.loads(known)
    )
    servers = {server: Behind(serial, from_epoch(since)) for server, (serial, since) in json.loads(behind).items()}
    return TlsaMemory(DnsName(place), DnsName(zone), _age(json.loads(age)), keys, servers)


def _age(found: Mapping[str, Any]) -> TlsaAge:
    return TlsaAge(
        at=from_epoch(found["at"]),
        owners=frozenset(DnsName(owner) for owner in found["owners"]),
        standing={
            _record(text): Standing(from_epoch(since), bound, timedelta(seconds=margin))
            for text, (since, bound, margin) in found["standing"].items()
        },
        lingering=_times(found["lingering"]),
        ttls={int(ttl): from_epoch(seen) for ttl, seen in found["ttls"].items()},
        ours=_records(found["ours"]),
    )


def _times(found: Mapping[str, float]) -> dict[Tlsa, datetime]:
    return {_record(text): from_epoch(until) for text, until in found.items()}


def _text(record: Tlsa) -> str:
    # Octets as they are: a stranger's record may be none that has a presentation form of its own.
    return record.wire.hex()


def _record(text: str) -> Tlsa:
    return Tlsa.from_wire(bytes.fromhex(text))


def _records(texts: Sequence[str]) -> frozenset[Tlsa]:
    return frozenset(map(_record, texts))
