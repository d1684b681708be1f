from collections.abc import Iterable

from certkeeper.base.names import DnsName
from certkeeper.zone.apex import ZoneSearch, find_zones


def search(owners: Iterable[str], zones: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The zone of each owner, and every name that was asked for, in order."""
    held = {DnsName(zone) for zone in zones}
    exchange: ZoneSearch[str] = find_zones([DnsName(owner) for owner in owners])
    asked: list[str] = []
    answers: dict[DnsName, str] | None = None
    while True:
        try:
            names = next(exchange) if answers is None else exchange.send(answers)
        except StopIteration as stop:
            found: dict[DnsName, str] = stop.value
            return {owner.text: zone for owner, zone in found.items()}, asked
        asked += [name.text for name in names]
        answers = {name: name.text for name in names if name in held}


def test_the_longest_zone_holds_the_name() -> None:
    found, _ = search(["_acme-challenge.www.sub.example.org"], ["example.org", "sub.example.org", "org"])
    assert found == {"_acme-challenge.www.sub.example.org": "sub.example.org"}


def test_an_owner_may_be_a_zone_of_its_own() -> None:
    found, asked = search(["_acme-challenge.example.org"], ["example.org", "_acme-challenge.example.org"])
    assert found == {"_acme-challenge.example.org": "_acme-challenge.example.org"}
    assert asked == ["_acme-challenge.example.org"]


def test_each_name_is_asked_once() -> None:
    found, asked = search(
        [f"_acme-challenge.{host}.example.org" for host in ("a", "b", "c")] + ["_acme-challenge.example.org"],
        ["example.org"],
    )
    assert len(found) == 4
    assert sorted(asked) == sorted(set(asked))
    assert asked.count("example.org") == 1


def test_a_top_level_domain_is_never_asked_for() -> None:
    found, asked = search(["_acme-challenge.example.org", "org"], ["org"])
    assert found == {}
    assert asked == ["_acme-challenge.example.org", "example.org"]


def test_owners_without_zone_do_not_hide_the_others() -> None:
    found, _ = search(["a.example.org", "a.example.net"], ["example.net"])
    assert found == {"a.example.net": "example.net"}


def test_no_owners_no_question() -> None:
    assert search([], ["example.org"]) == ({}, [])


def test_names_of_a_level_are_asked_side_by_side() -> None:
    exchange: ZoneSearch[str] = find_zones([DnsName("a.example.org"), DnsName("b.example.org")])
    assert next(exchange) == (DnsName("a.example.org"), DnsName("b.example.org"))
