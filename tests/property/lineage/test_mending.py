"""Whatever a folder shows and keeps: what is chosen is a whole version, and the nearest to what is shown."""

from datetime import timedelta
from functools import cache
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW, Wish, fullchain, new_key
from certkeeper.lineage.layout import CERT, FULLCHAIN, NAMES, PRIVKEY, Place
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.mending import Candidate, Present, choose
from certkeeper.lineage.passage import Shown
from certkeeper.lineage.pem import certificates

KEYS = [new_key() for _ in range(3)]


@cache
def certificate(key: int, days: int) -> bytes:
    """Of that key, valid for that many days from now on."""
    wish = Wish(not_before=NOW - timedelta(days=100 - days), not_after=NOW + timedelta(days=days))
    return certificates(fullchain(KEYS[key], wish))[0]


CERTIFICATES = [certificate(key, days) for key in range(3) for days in (-1, 30, 60)]
CANDIDATES = st.builds(
    lambda stamp, cert, beside, live: Candidate(stamp, parse_leaf(cert), cert, beside=beside, live=live and not beside),
    st.integers(1, 5),
    st.sampled_from(CERTIFICATES),
    st.booleans(),
    st.booleans(),
)
SHOWN = st.one_of(st.none(), st.sampled_from(CERTIFICATES))
PLACES = st.sampled_from([Place.OURS, Place.STAMPED, Place.PLAIN])


@st.composite
def presents(draw: st.DrawFn) -> Present:
    contents = {CERT: draw(SHOWN), FULLCHAIN: draw(SHOWN)}
    key = draw(st.sampled_from([*KEYS, None]))
    shown = {name: Shown(draw(PLACES), content=contents.get(name)) for name in NAMES if name != PRIVKEY}
    shown[PRIVKEY] = Shown(draw(PLACES), content=key.pem if key is not None else None)
    return Present(shown, key_id=key.key_id if key is not None else None)


@given(presents(), st.lists(CANDIDATES, max_size=6))
def test_the_nearest_whole_version_is_chosen(present: Present, candidates: list[Candidate]) -> None:
    best = choose(present, candidates, NOW)
    if best is None:
        valid = [item for item in candidates if item.leaf.not_after > NOW]
        near = [item for item in candidates if item.cert in present.certs or item.leaf.key_id == present.key_id]
        assert (valid, near) == ([], [])
        return
    assert best in candidates
    assert best.leaf.not_after > NOW or best.cert in present.certs or best.leaf.key_id == present.key_id
    shown = [item for item in candidates if item.cert in present.certs]
    if shown and present.shown[PRIVKEY].place is not Place.PLAIN:
        assert best in shown
    elif shown and best not in shown:
        assert best.leaf.key_id == present.key_id
        assert any(best.leaf.not_before > item.leaf.not_before for item in shown)


@given(presents(), st.lists(CANDIDATES, min_size=1, max_size=6), st.randoms())
def test_the_order_that_versions_are_found_in_does_not_matter(
    present: Present, candidates: list[Candidate], random: Random
) -> None:
    first = choose(present, candidates, NOW)
    random.shuffle(candidates)
    assert choose(present, candidates, NOW) == first
