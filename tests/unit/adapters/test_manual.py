from certkeeper.adapters.dns.apexes import Apexes
from certkeeper.adapters.dns.manual import Manual
from certkeeper.base.names import DnsName
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, ZoneKind, txt_rdata

ZONE = Zone(DnsName("example.org"), "example.org", ZoneKind.NATIVE, 1)


def change(owner: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> RecordChange:
    return RecordChange(
        DnsName(f"_acme-challenge.{owner}"), "TXT", frozenset(map(txt_rdata, add)), frozenset(map(txt_rdata, remove))
    )


def test_records_are_said_in_zone_file_form_and_once_per_change() -> None:
    said: list[str] = []
    dns = Manual(Apexes(), lambda _: {}, said.append)
    changes = ChangeSet.of(
        [change("example.org", add=("b", "a")), change("www.example.org", add=("c",), remove=("old",))]
    )
    dns.change(ZONE, changes)
    dns.change(ZONE, changes)
    (text,) = said
    assert text.splitlines() == [
        "; zone example.org: publish these records beside what is there, now",
        '_acme-challenge.example.org. 60 IN TXT "a"',
        '_acme-challenge.example.org. 60 IN TXT "b"',
        '_acme-challenge.www.example.org. 60 IN TXT "c"',
        "; zone example.org: remove these records, they have served",
        '_acme-challenge.www.example.org. 60 IN TXT "old"',
    ]


def test_a_record_that_was_removed_may_be_asked_for_again() -> None:
    said: list[str] = []
    dns = Manual(Apexes(), lambda _: {}, said.append)
    changes = ChangeSet.of([change("example.org", add=("a",))])
    for step in (changes, changes.invert(), changes, changes.invert()):
        dns.change(ZONE, step)
    assert ["publish" in text for text in said] == [True, False, True, False]


def test_no_change_says_nothing() -> None:
    said: list[str] = []
    Manual(Apexes(), lambda _: {}, said.append).change(ZONE, ChangeSet())
    assert said == []
