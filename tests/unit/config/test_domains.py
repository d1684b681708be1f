import time

import pytest

from certkeeper.base.errors import Location
from certkeeper.config.domains import DomainList, parse_domains
from certkeeper.config.errors import ConfigError


def parse(*texts: str) -> DomainList:
    return parse_domains([(f"d{number}", text) for number, text in enumerate(texts)])


def lines(*texts: str) -> list[tuple[str, str]]:
    return [(line.alias.text, " ".join(map(str, line.identifiers))) for line in parse(*texts).lines]


@pytest.mark.parametrize(
    ("text", "alias", "names"),
    [
        pytest.param("example.org", "example.org", "example.org", marks=pytest.mark.row("D01"), id="D01"),
        pytest.param(
            "example.net www.example.net cloud.example.net",
            "example.net",
            "example.net www.example.net cloud.example.net",
            marks=pytest.mark.row("D02"),
            id="D02",
        ),
        pytest.param("  a.org\t \tb.org  \r", "a.org", "a.org b.org", id="tabs and a carriage return"),
        pytest.param("WWW.Example.ORG > Alias", "alias", "www.example.org", id="lower case"),
        pytest.param("a.org >x b.org", "x", "a.org b.org", id="alias anywhere"),
        pytest.param("a.org>x", "x", "a.org", id="alias without blanks"),
        pytest.param("a.org b.org >  x", "x", "a.org b.org", id="alias after blanks"),
        pytest.param("*.s.org s.org > star", "star", "*.s.org s.org", marks=pytest.mark.row("D10"), id="D10"),
        pytest.param("s.org *.s.org", "s.org", "s.org *.s.org", marks=pytest.mark.row("D11"), id="D11"),
        pytest.param(
            "ip:2001:0db8:0:0:0:0:0:1 ip:192.0.2.7 > ipc",
            "ipc",
            "ip:2001:db8::1 ip:192.0.2.7",
            marks=pytest.mark.row("D19"),
            id="D19",
        ),
        pytest.param("ip:192.0.2.8", "ip:192.0.2.8", "ip:192.0.2.8", marks=pytest.mark.row("D20"), id="D20"),
        pytest.param("IP:2001:DB8::1", "ip:2001:db8::1", "ip:2001:db8::1", id="an address in upper case"),
        pytest.param("dot.org. www.dot.org.", "dot.org.", "dot.org www.dot.org", id="final dots"),
        pytest.param("bücher.example", "bücher.example", "xn--bcher-kva.example", id="IDNA"),
        pytest.param("BÜCHER.EXAMPLE", "bÜcher.example", "xn--bcher-kva.example", id="IDNA in upper case"),
        pytest.param("bücher.example > Bücher", "bücher", "xn--bcher-kva.example", id="IDNA with an alias"),
        pytest.param("faß.example > x", "x", "xn--fa-hia.example", id="IDNA 2008"),
        pytest.param("例え。テスト > x", "x", "xn--r8jz45g.xn--zckzah", id="IDNA with a full stop of its own"),
    ],
)
def test_reads(text: str, alias: str, names: str) -> None:
    assert lines(text) == [(alias, names)]
    assert parse(text).findings == ()


@pytest.mark.row("D04")
def test_d04_comments_and_blank_lines_are_ignored() -> None:
    assert parse("   # text\n\n  \t\n#x\r\n") == DomainList()


@pytest.mark.row("D05")
def test_d05_a_trailing_comment_is_left_out_with_one_finding_for_the_file() -> None:
    found = parse("b.org\na.org www.a.org # note # x\nc.org #y\n")
    assert [line.alias.text for line in found.lines] == ["b.org", "a.org", "c.org"]
    assert [(item.code, item.where) for item in found.findings] == [("trailing-comment", Location("d0", 2))]
    assert "1 more" in found.findings[0].message


@pytest.mark.parametrize(
    ("text", "label", "reason", "hint"),
    [
        pytest.param(
            "a.org > x > y", "x", "more than one alias", "one > ALIAS", marks=pytest.mark.row("D07"), id="D07"
        ),
        pytest.param("a.org >", "a.org", "a.org: no alias after >", "> ALIAS", marks=pytest.mark.row("D08"), id="D08"),
        pytest.param("a.org > # note", "a.org", "a.org: no alias after >", "> ALIAS", id="D08 with a comment"),
        pytest.param("> x", "x", "no name on the line", "before", id="alias alone"),
        pytest.param("*.s.org s.org", "*.s.org", "a wildcard cannot name a folder", "> ALIAS", id="wildcard first"),
        pytest.param("a.org > *.a.org", "*.a.org", "a wildcard cannot name a folder", "alias", id="wildcard alias"),
        pytest.param("a.org > ../x", "../x", "not the name of a folder", "", id="alias that leaves CERTDIR"),
        pytest.param("a.org b.org \\", "a.org", "does not go on after a backslash", "one line", id="continuation"),
        pytest.param("a.org b..org", "a.org", "b..org: an empty label", "correct", id="empty label"),
        pytest.param("a.org localhost", "a.org", "localhost: a public name has", "correct", id="one label"),
        pytest.param("a.org b.*.org", "a.org", "b.*.org", "correct", id="wildcard inside"),
        pytest.param("a.org#x", "a.org#x", "a.org#x", "correct", id="comment without a blank"),
        pytest.param("ip:192.0.2.300", "ip:192.0.2.300", "not an ip address", "correct", id="bad address"),
        pytest.param(";; a comment", ";;", ";;", "#", id="semicolon comment"),
        pytest.param("a_b.org", "a_b.org", "a_b.org", "correct", id="underscore"),
        pytest.param("/etc/x.org", "/etc/x.org", "/etc/x.org: label", "correct", id="a path"),
        pytest.param("a.org > /etc", "/etc", "not the name of a folder", "", id="an absolute alias"),
        pytest.param("a.org > .live", ".live", "starts with '.'", "", id="a hidden alias"),
        pytest.param("a.org > -x", "-x", "starts with '-'", "", id="an alias like an option"),
        pytest.param("a.org > x\0y", "x y", "not the name of a folder", "", id="NUL in an alias"),
        pytest.param("a.org b\0.org", "a.org", "b .org: label", "correct", id="NUL in a name"),
        pytest.param("a.org b\x1bc.org", "a.org", "b c.org: label", "correct", id="an escape in a name"),
        pytest.param("a.org\u00a0b.org", "a.org b.org", "a.org b.org: ", "correct", id="a no-break space"),
        pytest.param("a.org\u2028b.org", "a.org b.org", "a.org b.org: ", "correct", id="a line separator"),
        pytest.param("a.org > x\u00a0y", "x y", "holds blanks or control", "", id="a no-break space in an alias"),
        pytest.param("☃..example", "☃..example", "☃..example: ", "correct", id="no name in Unicode either"),
        pytest.param("x" * 300, "x" * 80 + " …", "longer than 253", "correct", id="a long word"),
        pytest.param("ü" * 300 + ".org", "ü" * 80 + " …", "longer than 253", "correct", id="a long word in Unicode"),
    ],
)
def test_rejects_the_line_and_goes_on(text: str, label: str, reason: str, hint: str) -> None:
    found = parse(f"first.org\n{text}\nlast.org\n")
    assert [line.alias.text for line in found.lines] == ["first.org", "last.org"]
    (rejected,) = found.rejected
    assert rejected.label == label
    assert isinstance(rejected.error, ConfigError)
    assert rejected.error.where == Location("d0", 2)
    assert str(rejected.error).startswith("d0:2: ")
    assert reason in str(rejected.error).lower()
    assert hint in rejected.error.hint


def test_the_same_alias_twice_rejects_the_second_and_names_the_first() -> None:
    found = parse("a.org\nb.org > x\n", "c.org > A.org\nx.org > x\n")
    assert [line.where for line in found.lines] == [Location("d0", 1), Location("d0", 2)]
    assert [str(item.error) for item in found.rejected] == [
        "d1:1: a.org: the same certificate as at d0:1",
        "d1:2: x: the same certificate as at d0:2",
    ]


@pytest.mark.row("D16", "D17")
def test_d16_d17_files_are_joined_with_a_newline_between() -> None:
    assert lines("one.org www.one.org", "two.org") == [("one.org", "one.org www.one.org"), ("two.org", "two.org")]


def test_d22_an_empty_list_is_fine() -> None:
    assert parse("") == DomainList()


@pytest.mark.parametrize(
    ("text", "names", "code", "message"),
    [
        pytest.param(
            "a.org b.org A.org b.org.", "a.org b.org", "duplicate-name", "a.org, b.org: more", id="duplicates"
        ),
        pytest.param(
            "x.org *.x.org www.x.org a.b.x.org",
            "x.org *.x.org www.x.org a.b.x.org",
            "redundant-name",
            "www.x.org: c",
            id="covered",
        ),
    ],
)
def test_finds(text: str, names: str, code: str, message: str) -> None:
    found = parse(text)
    assert " ".join(map(str, found.lines[0].identifiers)) == names
    assert [(item.code, item.where) for item in found.findings] == [(code, Location("d0", 1))]
    assert found.findings[0].message.startswith(message)


def test_more_than_100_names_are_found() -> None:
    hundred = [f"n{number}.org" for number in range(100)]
    assert parse(" ".join(hundred)).findings == ()
    assert [item.code for item in parse(" ".join([*hundred, "x.org"])).findings] == ["many-names"]


def test_2000_names_on_a_line_are_read_fast() -> None:
    text = " ".join(f"host-{number}.example.org" for number in range(2000)) + " *.example.org"
    started = time.monotonic()
    assert len(parse(text).lines[0].identifiers) == 2001
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "ü" * 1_000_000, "a.org " * 170_000, ">" * 1_000_000, "a.org #" * 140_000]
)
def test_a_line_of_a_megabyte_is_read_and_its_error_is_short(text: str) -> None:
    """What would take time beyond the square of it never ends here."""
    found = parse(f"{text}\nb.org")
    assert found.lines[-1].alias.text == "b.org"
    assert all(len(str(item.error)) < 300 for item in found.rejected)


def test_a_byte_order_mark_is_found() -> None:
    found = parse("\ufeffa.org")
    assert [line.alias.text for line in found.lines] == ["a.org"]
    assert [item.code for item in found.findings] == ["byte-order-mark"]
