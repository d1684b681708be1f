"""ari.json: any advice comes back as it was, and no content breaks the reader."""

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.acme.renewal_info import Window
from certkeeper.adapters.advice import parse, render
from certkeeper.base.names import Alias
from certkeeper.base.times import from_epoch
from certkeeper.plan.advice import Advice, Suggestion

INSTANTS = st.integers(-60_000_000_000, 250_000_000_000).map(from_epoch)
TEXTS = st.text(st.characters(categories=("L", "N", "P")), max_size=20)


@st.composite
def suggestions(draw: st.DrawFn) -> Suggestion:
    start = draw(INSTANTS)
    length = draw(st.integers(1, 10**9))
    chosen = draw(st.integers(0, length - 1))
    window = Window(start, start + timedelta(seconds=length))
    return Suggestion(window, start + timedelta(seconds=chosen), draw(TEXTS), draw(st.booleans()))


ADVICE = st.builds(Advice, TEXTS, TEXTS, INSTANTS, st.none() | suggestions(), st.integers(0, 10**6))
KEPT = st.dictionaries(TEXTS.map(Alias), ADVICE, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(KEPT)
def test_it_comes_back_as_it_was(kept: dict[Alias, Advice]) -> None:
    assert parse(render(kept)) == kept


@given(st.binary(max_size=200))
def test_no_octets_break_the_reader(content: bytes) -> None:
    parse(content)


@given(KEPT, st.sampled_from(["ca", "id", "ask_at", "failures", "window", "renew_at", "explanation", "hurried"]), JSON)
def test_no_other_value_breaks_the_reader(kept: dict[Alias, Advice], name: str, value: object) -> None:
    document = json.loads(render(kept))
    for members in document["certificates"].values():
        members[name] = value
    for advice in parse(json.dumps(document).encode()).values():
        assert advice.failures >= 0
        if advice.suggestion is not None:
            assert advice.suggestion.window.start <= advice.suggestion.renew_at < advice.suggestion.window.end
            assert advice.suggestion.explanation.isprintable()
