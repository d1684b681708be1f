import json

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.lineage.model import Origin
from certkeeper.lineage.origin import parse, render

WORDS = st.text().filter(str.isprintable)
ORIGINS = st.builds(Origin, WORDS.filter(bool), WORDS, st.booleans(), st.booleans())


@given(ORIGINS)
def test_what_is_written_is_read(origin: Origin) -> None:
    assert parse(render(origin)) == origin


@given(ORIGINS, st.data())
def test_what_is_damaged_is_unknown_or_whole(origin: Origin, data: st.DataObject) -> None:
    whole = render(origin).rstrip()
    assert parse(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["ca", "profile", "test"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_a_strangers_file_never_stops_anybody(content: bytes) -> None:
    found = parse(content)
    assert found is None or (found.ca and found.ca.isprintable() and found.profile.isprintable())
