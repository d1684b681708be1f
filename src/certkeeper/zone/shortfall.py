"""What a server lacks, in words: for errors, and for whoever watches."""

from collections.abc import Collection, Iterable, Mapping

from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Evidence, Server, Verdict, newer

UNSIGNED = "unsigned although the zone is signed"


def shortfall(
    server: Server, owners: Collection[DnsName], evidence: Mapping[Server, Evidence], verdict: Verdict
) -> str:
    """`still answers without NAME (still at serial 4, others are at 5)`, or what is wrong with what it serves."""
    said = evidence[server].said
    left = sorted(owner for owner in verdict.lacking.get(server, frozenset()) if owner in frozenset(owners))
    by_words: dict[str, list[DnsName]] = {}
    for owner in left:
        flaw = said.flaws.get(owner) or said.bogus.get(owner, "" if owner not in said.unsigned else UNSIGNED)
        by_words.setdefault(flaw, []).append(owner)
    parts = [
        f"serves {listed(flawed)} {words}" if words else f"still answers without {listed(flawed)}"
        for words, flawed in by_words.items()
    ]
    behind = _serial_words(server, evidence, verdict) if "" in by_words else ""
    return ", ".join(parts) + (f" ({behind})" if behind else "")


def latest_serial(confirmed: Iterable[Server], evidence: Mapping[Server, Evidence]) -> int | None:
    """The newest serial among servers that serve the values; None where none shows any."""
    found: int | None = None
    for server in confirmed:
        serial = evidence[server].serial
        if serial is not None and (found is None or newer(serial, found)):
            found = serial
    return found


def _serial_words(server: Server, evidence: Mapping[Server, Evidence], verdict: Verdict) -> str:
    """A server that lacks the values, beside one that has them."""
    serial = evidence[server].serial
    if serial is None:
        return ""
    reached = latest_serial(verdict.confirmed, evidence)
    if reached is None:
        return f"at serial {serial}"
    if newer(reached, serial):
        return f"still at serial {serial}, others are at {reached}"
    if serial == reached:
        return f"although it says serial {serial} as others do"
    return f"although its serial {serial} is newer than {reached} of others"


def listed(owners: Collection[DnsName]) -> str:
    """The first five."""
    shown = list(owners)
    return ", ".join(owner.text for owner in shown[:5]) + (" …" if len(shown) > 5 else "")
