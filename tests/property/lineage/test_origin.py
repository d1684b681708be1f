import json

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.errors import printable
from certkeeper.base.names import Identifier
from certkeeper.lineage.model import Dropped, Origin
from certkeeper.lineage.origin import parse, render

NAMES = [Identifier.parse(text) for text in ("example.org", "*.example.org", "ip:2001:db8::1")]
MEMBERS = ["ca", "profile", "test", "dropped", "name", "inputs", "why"]
WORDS = st.text().filter(str.isprintable)
DROPPED = st.builds(Dropped, st.sampled_from(NAMES), st.text(), WORDS.map(printable))
ORIGINS = st.builds(
    Origin, WORDS.filter(bool), WORDS, st.booleans(), st.booleans(), st.lists(DROPPED, max_size=3).map(tuple)
)


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
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(MEMBERS), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_a_strangers_file_never_stops_anybody(content: bytes) -> None:
    found = parse(content)
    assert found is None or (found.ca and found.ca.isprintable() and found.profile.isprintable())
