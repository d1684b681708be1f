"""What `certkeeper history` has of TLSA records after months of runs."""

from certkeeper.base.names import Alias
from certkeeper.dane.facts import Trust
from certkeeper.plan.history import Kind
from world.danerun import DaneRuns


def kinds(world: DaneRuns) -> list[Kind]:
    return [item.kind for item in world.past]


MAIL = Alias("mail.example.org")


def test_what_was_published_and_what_was_withdrawn_is_told_once() -> None:
    world = DaneRuns()
    world.days(3)
    assert set(kinds(world)) == {Kind.TLSA_PUBLISHED}
    first = world.past[0]
    assert str(MAIL) in first.certificates
    assert first.about.startswith("_")
    assert first.text.startswith("published 3 1 1 ")
    before = len(world.past)
    world.run(forced=[MAIL])
    world.days(3)
    assert Kind.TLSA_ROLLED in kinds(world)[before:]
    assert any("withdrew 3 1 1 " in item.text for item in world.past[before:])


def test_what_holds_is_told_once_for_as_long_as_it_is_the_same() -> None:
    world = DaneRuns()
    world.tlsa.trust = Trust.UNPROVEN
    world.days(10)
    held = [item for item in world.past if item.kind is Kind.TLSA_HELD]
    assert len(held) == len({item.about for item in held}) >= 1
    assert held[0].hint
    assert held[0].hint not in held[0].text
