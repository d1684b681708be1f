from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.plans import zone
from certkeeper.apply.berths import AT_ALL, AT_ONCE, IN_ZONE, Berth, Berths, Room
from certkeeper.zone.rrset import Zone

A, B = zone("a.org"), zone("b.org")


def begun(queue: Berths[str]) -> list[tuple[str, Berth]]:
    found = []
    while (each := queue.begin()) is not None:
        found.append(each)
    return found


def test_the_order_is_the_lists_while_there_is_room() -> None:
    queue = Berths[str]()
    for number in range(20):
        queue.add(str(number), "ca", [A] if number % 3 else [B])
    assert [item for item, _ in begun(queue)] == [str(number) for number in range(20)]
    assert queue.waiting == 0


def test_a_zone_takes_no_more_than_a_wave_of_places() -> None:
    queue = Berths[str]()
    for number in range(IN_ZONE + 50):
        queue.add(f"a{number}", "one", [A])
    queue.add("b", "two", [B])
    queue.add("both", "three", [A, B])
    first = begun(queue)
    assert [item for item, _ in first[-2:]] == [f"a{IN_ZONE - 1}", "b"]
    queue.end(first[0][1])
    assert [item for item, _ in begun(queue)] == [f"a{IN_ZONE}"]


def test_who_waits_for_name_servers_takes_no_place_of_its_ca() -> None:
    queue = Berths[str]()
    for number in range(AT_ONCE):
        queue.add(f"slow{number}", "ca", [A])
    queue.add("quick", "ca", [B])
    slow = begun(queue)
    assert len(slow) == AT_ONCE
    with queue.lent(slow[0][1]):
        assert [item for item, _ in begun(queue)] == ["quick"]
    queue.add("next", "ca", [B])
    assert begun(queue) == []


def test_a_ca_that_is_slow_leaves_others_their_places() -> None:
    queue = Berths[str]()
    for ca in ("one", "two"):
        for number in range(AT_ONCE + 1):
            queue.add(f"{ca}{number}", ca, [])
    assert Counter(berth.ca for _, berth in begun(queue)) == {"one": AT_ONCE, "two": AT_ONCE}


def test_so_many_are_under_way_and_no_more() -> None:
    queue = Berths[str]()
    for number in range(3 * AT_ALL):
        queue.add(str(number), f"ca{number % 20}", [zone(f"z{number % 50}.org")])
    first = begun(queue)
    assert len(first) == AT_ALL
    queue.end(first[7][1])
    assert len(begun(queue)) == 1


SMALL = Room(at_ca=3, in_zone=2, at_all=4)
"""Used up all the time."""
_ITEMS = st.lists(
    st.tuples(st.sampled_from(["one", "two"]), st.sets(st.sampled_from([A, B, zone("c.org")]))), max_size=60
)
Items: TypeAlias = list[tuple[str, set[Zone]]]


@given(items=_ITEMS, choices=st.lists(st.integers(0, 999), min_size=200, max_size=200))
@settings(deadline=None)
def test_all_are_begun_and_nobody_waits_where_there_is_room(items: Items, choices: list[int]) -> None:
    queue = Berths[int](SMALL)
    for left, working, idle in _played(queue, items, deque(choices)):
        in_zone = Counter(share for berth in (*working, *idle) for share in berth.zones)
        at_ca = Counter(berth.ca for berth in working)
        everywhere = len(working) + len(idle)
        assert everywhere <= SMALL.at_all
        assert all(number <= SMALL.in_zone for number in in_zone.values())
        for ca, zones in left:
            full = everywhere == SMALL.at_all or at_ca[ca] >= SMALL.at_ca
            assert full or any(in_zone[each] >= SMALL.in_zone for each in zones)
    assert queue.waiting == 0


def _played(queue: Berths[int], items: Items, choices: deque[int]) -> Iterator[tuple[Items, list[Berth], list[Berth]]]:
    """Who is left, who works and who only waits, each time that all who may have begun; ends and lends as chosen."""
    for number, (ca, zones) in enumerate(items):
        queue.add(number, ca, zones)
    left, working = set(range(len(items))), dict[int, Berth]()
    idle = dict[int, tuple[Berth, ExitStack]]()
    while left or working or idle:
        while (each := queue.begin()) is not None:
            left.remove(each[0])
            working[each[0]] = each[1]
        yield [items[number] for number in left], [*working.values()], [berth for berth, _ in idle.values()]
        choice = choices.popleft() if choices else 0
        if working and choice % 3 == 1:
            number = sorted(working)[choice % len(working)]
            lent = ExitStack()
            lent.enter_context(queue.lent(working[number]))
            idle[number] = (working.pop(number), lent)
        elif idle and (choice % 3 == 2 or not working):
            number = sorted(idle)[choice % len(idle)]
            working[number], lent = idle.pop(number)
            lent.close()
        elif working:
            queue.end(working.pop(sorted(working)[choice % len(working)]))
