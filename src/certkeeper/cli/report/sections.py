"""The other parts of the page: what needs attention, services, DANE, zones, and what happened."""

from collections.abc import Iterator, Sequence

from certkeeper.base.events import count
from certkeeper.cli.report.html import Markup, element, joined, when
from certkeeper.cli.report.model import Certificate, Found, Happened, Mood, Owner, Zone
from certkeeper.cli.report.table import badge, listed, paragraph, section, table, time_or

_MOST = 100
"""Rows, and lines of a list: more of them is no longer read."""
_ORDER = (Mood.WRONG, Mood.WAITS, Mood.UNKNOWN, Mood.GOOD)


def attention_section(found: Sequence[Found], orphans: Sequence[str]) -> Markup | None:
    """What is not about one certificate."""
    shown = [*found[:_MOST]]
    if len(found) > _MOST:
        shown.append(Found(Mood.UNKNOWN, "note", f"{len(found) - _MOST} more: certkeeper status"))
    if orphans:
        names = ", ".join(orphans[:10]) + (f" and {len(orphans) - 10} more" if len(orphans) > 10 else "")
        said = f"{count(len(orphans), 'certificate')} that nothing asks for any more: {names}"
        shown.append(Found(Mood.UNKNOWN, "note", said, "certkeeper status says what still uses them"))
    return section("attention", "Worth a look", listed(shown)) if shown else None


def services_section(certificates: Sequence[Certificate]) -> Markup | None:
    """How many certificates each service has, and what it did not take."""
    services: dict[str, dict[str, tuple[Mood, int]]] = {}
    troubles: dict[str, list[str]] = {}
    for item in certificates:
        for given in item.services:
            numbers = services.setdefault(given.service, {})
            numbers[given.said] = (given.mood, numbers.get(given.said, (given.mood, 0))[1] + 1)
            if given.message:
                troubles.setdefault(given.service, []).append(f"{item.alias}: {given.message}")
    if not services:
        return None
    rows = (
        [
            joined(service),
            element(
                "ul", *(element("li", badge(mood, f"{number:,} {said}")) for said, (mood, number) in numbers.items())
            ),
            joined(*(paragraph(line, class_="message") for line in troubles.get(service, ())[:5])) or None,
        ]
        for service, numbers in list(services.items())[:_MOST]
    )
    return section(
        "services",
        "Services",
        paragraph("What the services of this machine showed when they were looked at.", class_="about"),
        table("Services", ("Service", "Certificates", "What is wrong"), rows),
    )


def dane_section(owners: Sequence[Owner]) -> Markup | None:
    """TLSA records, owner by owner."""
    if not owners:
        return None
    shown = sorted(owners, key=lambda item: (_ORDER.index(item.mood), item.name))
    rows = (
        [
            joined(item.name, _small(", ".join(item.certificates)), _records(item.records)),
            joined(badge(item.mood, _SAID[item.mood]), paragraph(item.said, class_="message")),
            joined(item.dnssec) if item.dnssec else None,
            time_or(item.looked, "never"),
        ]
        for item in shown[:_MOST]
    )
    return section(
        "dane",
        "DANE",
        _more(len(shown), "owner", "certkeeper tlsa status"),
        table("TLSA records", ("Owner", "State", "DNSSEC", "Seen"), rows),
    )


_SAID = {Mood.GOOD: "in order", Mood.WAITS: "under way", Mood.WRONG: "wrong", Mood.UNKNOWN: "not known"}


def _records(records: Sequence[str]) -> Markup | None:
    if not records:
        return None
    lines = (element("li", record, class_="record") for record in records)
    inside = element("ul", *lines, class_="plain")
    return element("details", element("summary", count(len(records), "record")), inside)


def zones_section(zones: Sequence[Zone] | None) -> Markup | None:
    """DNS health at the last look; without one, how to have one."""
    if zones is None:
        said = "Nobody has looked yet: certkeeper dns doctor looks, and so does certkeeper report --look."
        return section("zones", "DNS zones", paragraph(said, class_="about"))
    if not zones:
        return None
    shown = sorted(zones, key=lambda item: (_ORDER.index(item.mood), item.name))
    rows = (
        [
            joined(item.name),
            joined(badge(item.mood, _SAID[item.mood]), paragraph(item.said, class_="names") if item.said else None),
            joined(*_servers(item)) or None,
            listed(item.found) if item.found else None,
            time_or(item.looked, "never"),
        ]
        for item in shown[:_MOST]
    )
    return section(
        "zones",
        "DNS zones",
        _more(len(shown), "zone", "certkeeper dns doctor"),
        table("DNS zones", ("Zone", "State", "Name servers", "Found", "Seen"), rows),
    )


def _servers(zone: Zone) -> Iterator[Markup]:
    for server in zone.servers:
        if server.mood is Mood.GOOD:
            yield paragraph(server.name, Markup(" "), element("span", server.said, class_="soft"), class_="names")
        else:
            yield paragraph(badge(server.mood, server.said), Markup(" "), server.name, class_="names")


def events_section(events: Sequence[Happened] | None) -> Markup | None:
    """The latest first."""
    if not events:
        return None
    rows = (
        [when(item.at), joined(item.subject), joined(badge(item.mood, item.what)), joined(item.message)]
        for item in events[:_MOST]
    )
    return section(
        "events", "Recent events", table("Recent events", ("When", "Certificate", "Event", "What happened"), rows)
    )


def _small(words: str) -> Markup | None:
    return paragraph(words, class_="names") if words else None


def _more(number: int, noun: str, command: str) -> Markup | None:
    if number <= _MOST:
        return None
    return paragraph(f"{_MOST} of {count(number, noun)}; all of them: {command}", class_="about")
