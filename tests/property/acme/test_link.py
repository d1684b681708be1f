"""Link headers of strangers: nothing crashes, and what comes out can be asked."""

from hypothesis import example, given
from hypothesis import strategies as st

from certkeeper.acme.link import targets

BASE = "https://ca.test/acme/cert/abc"
PARTS = st.sampled_from(
    ["<", ">", ";", ",", '"', "\\", "=", " ", "rel", "alternate", "anchor", "/1", "https://", "[", ":"]
)
FIELDS = st.one_of(st.text(), st.lists(PARTS).map("".join))
SEGMENT = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._~", min_size=1, max_size=8).filter(
    lambda text: text.strip(".")
)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


@given(st.lists(FIELDS, max_size=5))
@example(['<1>;rel="' + '\\"' * 5000])
@example(["<1>" + ";" * 9000 + "rel"])
@example(["<1>;" + " " * 9000 + "rel=alternate"])
def test_whatever_a_ca_sends_is_read(fields: list[str]) -> None:
    for url in targets(fields, "alternate", BASE):
        assert url.startswith(("https://", "http://"))
        assert url.isascii()
        assert url.isprintable()
        assert " " not in url


@given(st.lists(st.tuples(SEGMENT, st.booleans(), TEXT), max_size=6, unique_by=lambda item: item[0]), st.booleans())
def test_what_is_written_is_read_back(links: list[tuple[str, bool, str]], together: bool) -> None:  # noqa: FBT001
    escaped = [(name, wanted, title.replace("\\", "\\\\").replace('"', '\\"')) for name, wanted, title in links]
    written = [
        f'</acme/{name}>; title="{title}"; rel="{"alternate" if wanted else "index"}"'
        for name, wanted, title in escaped
    ]
    fields = [", ".join(written)] if together else written
    expected = tuple(f"https://ca.test/acme/{name}" for name, wanted, _ in links if wanted)
    assert targets(fields, "alternate", BASE) == expected
