"""Whatever stands in a file, the readers answer with values or with an error that names file and line."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.names import DnsName
from certkeeper.config.domains import parse_domains
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import did_you_mean, edit_distance
from certkeeper.config.load import FailureKind
from certkeeper.config.native import parse_native
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Script, evaluate
from certkeeper.config.tables import Native
from certkeeper.config.variables import KNOWN
from unit.config.pages import CONFIG, DOMAINS, Page

SHELLISH = st.text("ABab01_=+-*/%'\"$\\{}()[]`~:;#&|<>!? \t\n\r\0\ufeff\u00e4\u2028\ud800", max_size=60)
TEXTS = st.one_of(
    st.text(max_size=60), SHELLISH, SHELLISH.map('A=1\nB="${{A:-{}'.format), SHELLISH.map("A=$(({}".format)
)
WORDS = st.one_of(
    st.sampled_from(
        [
            "a.org",
            "b.org",
            "*.a.org",
            "www.a.org",
            ">",
            "> x",
            ">x",
            ">y",
            "#",
            "# c",
            "ip:192.0.2.1",
            "ip:::1",
            "b\\",
            "A.ORG.",
        ]
    ),
    st.text(max_size=8),
)
DOMAIN_TEXTS = st.lists(
    st.tuples(WORDS, st.sampled_from([" ", "\t", "\n", "\n", "\r\n", ""])).map("".join), max_size=25
).map("".join)


def assigned(assignments: list[tuple[str, str]]) -> str:
    return "".join(f"{name}='{value}'\n" for name, value in assignments)


def outcome(text: str) -> Script | ConfigError:
    try:
        return evaluate(text, "config", {"A": "x", "HOME": "/h"})
    except ConfigError as error:
        return error


def loaded(files: Mapping[str, str | FailureKind]) -> Configuration | ConfigError:
    try:
        return Page(files).load()
    except ConfigError as error:
        return error


@given(text=TEXTS)
def test_shell(text: str) -> None:
    found = outcome(text)
    lines = range(1, text.count("\n") + 2)
    if isinstance(found, ConfigError):
        assert str(found).startswith(f"config:{found.where.line}: ")
        assert found.where.line in lines
        assert (str(found) + found.hint).isprintable()
    else:
        assert all(item.where.line in lines for item in found.assignments)


_TOML_PARTS = [
    "[certificate.",
    '"a.org"',
    "]",
    "\n",
    "names = ",
    "[",
    '"x"',
    "=",
    "renew_days",
    "3",
    "true",
    "{",
    "}",
    ",",
    "#",
    "'''",
    '"""',
    ".",
]
TOMLISH = st.one_of(
    st.text(max_size=40),
    st.lists(st.one_of(st.sampled_from(_TOML_PARTS), st.text(max_size=3)), max_size=20).map("".join),
)


@given(text=TOMLISH)
def test_toml(text: str) -> None:
    found: Native | ConfigError
    try:
        found = parse_native("x.toml", text)
    except ConfigError as error:
        found = error
    lines = range(1, text.count("\n") + 2)
    if isinstance(found, ConfigError):
        assert str(found).startswith("x.toml")
        assert (str(found) + found.hint).isprintable()
    else:
        places = [*(item.where for item in found.page), *(item.where for item in found.findings)]
        assert all(place is not None and place.line in lines for place in places)


@pytest.mark.parametrize("text", ["A=", "", "export ", "A='", 'A="', "A=$((", "#", ";", "A=${A:-"])
@pytest.mark.parametrize("piece", ["x", "$A", "${A:-", "((", "''", '""', "\\\n", "~:", "A=1 ", " ", "\0", "1+", "-"])
def test_a_long_line_is_read_in_time_that_grows_with_its_length(text: str, piece: str) -> None:
    started = time.monotonic()
    outcome(text + piece * (50_000 // len(piece)))
    assert time.monotonic() - started < 5


@given(text=DOMAIN_TEXTS)
def test_each_line_of_domains_gives_a_certificate_or_a_rejection(text: str) -> None:
    found = parse_domains([("domains.txt", text)])
    meant = [
        number
        for number, line in enumerate(text.replace("\r", "").removeprefix("\ufeff").split("\n"), 1)
        if line.strip(" \t\v\f") and not line.strip(" \t\v\f").startswith("#")
    ]
    lines = [line.where.line for line in found.lines]
    rejected = [error.where.line for item in found.rejected if isinstance(error := item.error, ConfigError)]
    assert sorted(lines + rejected) == meant
    assert len({line.alias for line in found.lines}) == len(found.lines)
    for line in found.lines:
        assert line.identifiers
        assert len(set(line.identifiers)) == len(line.identifiers)
    for item in found.rejected:
        assert str(item.error).isprintable()


ASSIGNMENTS = st.lists(
    st.tuples(st.sampled_from(sorted(KNOWN)), st.text("a1.:/=,[]-yes \u00e4\n@", max_size=12)), max_size=8
)


@given(
    assignments=ASSIGNMENTS,
    domains=DOMAIN_TEXTS,
    own=TEXTS | ASSIGNMENTS.map(assigned),
    zone=TEXTS | ASSIGNMENTS.map(assigned),
    more=TEXTS,
    zone_name=st.sampled_from(["a.org", "org", "b.org.", "..", "a b", "\u00e4.org"]),
)
def test_a_whole_page(
    assignments: list[tuple[str, str]], domains: str, own: str, zone: str, more: str, zone_name: str
) -> None:
    config = assigned(assignments)
    folder = "/etc/dehydrated/certs"
    files: dict[str, str | FailureKind] = {
        CONFIG: f"{config}ZONES_D=/z\nCONFIG_D=/c\nCERTDIR={folder}\nDOMAINS_TXT={DOMAINS}\nDOMAINS_D=\n",
        DOMAINS: domains,
        f"{DOMAINS}.d/a.txt": more,
        f"{folder}/a.org/config": own,
        f"/z/{zone_name}": zone,
        "/c/a.sh": more,
    }
    for one in (files, {path: text for path, text in files.items() if not path.startswith("/c/")} | {"/c/a.sh": ""}):
        found = loaded(one)
        if isinstance(found, ConfigError):
            assert found.where.file in {*one, "/z", "/c"}
            assert (str(found) + found.hint).isprintable()
            continue
        errors = [item.error for item in found.rejected] + [rule.error for rule in found.settings.zone_rules]
        assert all(isinstance(error, ConfigError) and error.where.file for error in errors if error is not None)


@given(left=st.text("abc", max_size=7), right=st.text("abc", max_size=7), limit=st.integers(0, 3))
def test_edit_distance_is_the_plain_definition_cut_at_the_limit(left: str, right: str, limit: int) -> None:
    assert edit_distance(left, right, limit) == min(plain_distance(left, right), limit + 1)


def plain_distance(left: str, right: str) -> int:
    rows = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(right) + 1)] for i in range(len(left) + 1)]
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            changed = left[i - 1] != right[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + changed)
            if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(candidates=st.lists(st.text("ab.", max_size=5)), label=st.text("ab.", max_size=5))
def test_a_suggestion_is_the_first_of_the_closest(candidates: list[str], label: str) -> None:
    others = [item for item in candidates if item != label and plain_distance(label, item) <= 2]
    expected = min(others, key=lambda item: plain_distance(label, item), default=None)
    assert did_you_mean(label, candidates) == expected


@given(text=st.text("ab.*", max_size=20))
def test_names_that_are_accepted_are_canonical(text: str) -> None:
    for line in parse_domains([("d", f"{text} > x")]).lines:
        for identifier in line.identifiers:
            assert DnsName.parse(identifier.domain.text) == identifier.domain
