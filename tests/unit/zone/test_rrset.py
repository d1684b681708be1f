import pytest

from builders.plans import zone
from certkeeper.base.names import DnsName
from certkeeper.zone.rrset import Zone, ZoneKind, canonical_txt, txt_rdata


def edited(api: str, edit: str = "", *, serial: int = 1, served: int = 1) -> Zone:
    return Zone(DnsName("example.org"), "example.org.", ZoneKind.PRIMARY, serial, served, api, edit)


def test_a_text_is_quoted_and_escaped() -> None:
    assert txt_rdata("plain") == '"plain"'
    assert txt_rdata("") == '""'
    assert txt_rdata('say "hi" \\ bye') == '"say \\"hi\\" \\\\ bye"'
    assert txt_rdata("ä\t") == '"\\195\\164\\009"'


def test_a_text_is_split_after_255_octets_not_characters() -> None:
    assert txt_rdata("a" * 255) == '"' + "a" * 255 + '"'
    assert txt_rdata("a" * 256) == '"' + "a" * 255 + '" "a"'
    assert txt_rdata('"' * 256) == '"' + '\\"' * 255 + '" "\\""'


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ('"v"', "v"),
        ('"one" "two"', "onetwo"),
        ('"one""two"', "onetwo"),
        ('"\\118alue"', "value"),
        ('"a\\"b"', 'a"b'),
        ('"a\\\\"', "a\\"),
        ('"a;b"', "a;b"),
        ('"a\\;b"', "a;b"),
        ('""', ""),
        ('"\\195\\164"', "ä"),
        ('"ä"', "ä"),
    ],
)
def test_what_servers_print_becomes_one_form(printed: str, text: str) -> None:
    assert canonical_txt(printed) == txt_rdata(text)


@pytest.mark.parametrize("rdata", ["", "bare", "two words", '"open', "10 mail.example.org."])
def test_what_is_no_quoted_text_stays(rdata: str) -> None:
    assert canonical_txt(rdata) == rdata


@pytest.mark.parametrize("rdata", ['bare "quoted"', '"quoted" bare', '"one" "open'])
def test_nothing_of_a_foreign_text_is_lost_where_it_is_only_half_quoted(rdata: str) -> None:
    assert canonical_txt(rdata) == rdata


@pytest.mark.parametrize("api", ["DEFAULT", "default", "INCREASE", "EPOCH", "SOA-EDIT-INCREASE"])
def test_these_rules_raise_the_serial(api: str) -> None:
    assert edited(api).raises_serial


@pytest.mark.parametrize("api", ["", "SOA-EDIT", "INCEPTION-INCREMENT", "OFF", "nonsense"])
def test_every_other_rule_leaves_the_serial_to_us(api: str) -> None:
    assert not edited(api).raises_serial


def test_increase_does_not_show_where_the_date_of_the_signatures_is_shown() -> None:
    assert not edited("INCREASE", "INCEPTION-INCREMENT").raises_serial
    assert not edited("increase", "inception-epoch").raises_serial
    assert edited("DEFAULT", "INCEPTION-INCREMENT").raises_serial
    assert edited("INCREASE", "INCREMENT-WEEKS").raises_serial


def test_the_next_serial_is_one_more_than_the_stored_one() -> None:
    assert edited("", serial=7, served=900).next_serial == 8
    assert edited("", serial=2**32 - 1).next_serial == 0


def test_the_next_serial_is_one_more_than_the_shown_one_where_that_is_ahead() -> None:
    assert edited("", "INCEPTION-INCREMENT", serial=7, served=2026112301).next_serial == 2026112302
    assert edited("", "INCEPTION-INCREMENT", serial=9, served=7).next_serial == 10


def test_only_secondaries_refuse_changes() -> None:
    assert [kind for kind in ZoneKind if not zone("example.org", kind).kind.writable] == [ZoneKind.SECONDARY]
