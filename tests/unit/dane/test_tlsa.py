import hashlib

import pytest

from certkeeper.dane.tlsa import BadTlsa, Tlsa, TlsaType, associate, publishable, read_all

DIGEST = hashlib.sha256(b"a key").digest()
GOOD = Tlsa(3, 1, 1, DIGEST)


@pytest.mark.parametrize(
    "text",
    [
        f"3 1 1 {DIGEST.hex()}",
        f"3 1 1 {DIGEST.hex().upper()}",
        f"  3\t1 1 ( {DIGEST.hex()[:20]}\n {DIGEST.hex()[20:]} )",
        f"DANE-EE SPKI SHA2-256 {DIGEST.hex()}",
        f"\\# 35 030101{DIGEST.hex()}",
    ],
)
def test_the_forms_that_servers_print(text: str) -> None:
    assert Tlsa.parse(text) == GOOD
    assert str(GOOD) == f"3 1 1 {DIGEST.hex()}"
    assert Tlsa.from_wire(GOOD.wire) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3 1",
        "3 1 x aa",
        "3 1 256 aa",
        "3 1 1 a",
        "3 1 1 zz",
        "3 -1 1 aa",
        "\\# 4 030101",
        "\\#",
        "\\# 2 0301",
        "3 1 1 " + "a" * 200000,
    ],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(BadTlsa):
        Tlsa.parse(text)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (Tlsa(4, 1, 1, DIGEST), "certificate usage 4"),
        (Tlsa(255, 1, 1, DIGEST), "certificate usage 255"),
        (Tlsa(3, 2, 1, DIGEST), "selector 2"),
        (Tlsa(3, 1, 3, DIGEST), "matching type 3"),
        (Tlsa(3, 1, 1, DIGEST[:-1]), "31 octets, and not 32"),
        (Tlsa(3, 1, 2, DIGEST), "32 octets, and not 64"),
        (Tlsa(3, 1, 1, b""), "0 octets"),
        (Tlsa(3, 1, 0, b"\x30\x03"), "no certificate and no key"),
    ],
)
def test_clients_pass_over_it_and_it_is_never_sent(record: Tlsa, said: str) -> None:
    assert said in record.unusable
    assert Tlsa.parse(str(record)) == record, "it is kept as it is, since it may be somebody's"
    with pytest.raises(BadTlsa, match="TLSA record"):
        publishable([GOOD, record])


@pytest.mark.parametrize("octets", [b"", b"\n"])
@pytest.mark.parametrize("matching_type", [1, 2])
def test_the_hash_of_nothing_is_never_sent(octets: bytes, matching_type: int) -> None:
    record = Tlsa(3, 1, matching_type, associate(matching_type, octets))
    assert record.unusable == ""
    assert "of nothing" in record.refusal
    with pytest.raises(BadTlsa, match="of nothing"):
        publishable([record])


def test_text_in_the_place_of_a_key_is_never_sent() -> None:
    assert "not DER" in Tlsa(3, 1, 0, b"-----BEGIN PUBLIC KEY-----MIIBIjANBg").refusal


def test_what_is_good_is_sent_in_a_fixed_order() -> None:
    other = Tlsa(2, 1, 1, DIGEST)
    assert publishable([GOOD, other]) == publishable([other, GOOD]) == (other, GOOD)


def test_an_rrset_of_two_hundred_records_and_some_that_are_none() -> None:
    texts = [f"3 1 1 {hashlib.sha256(bytes([n])).hexdigest()}" for n in range(200)]
    records, strange = read_all([*texts, "9 7 8 abcd", "nonsense"])
    assert (len(records), strange) == (201, ("nonsense",))
    assert len([record for record in records if not record.unusable]) == 200


@pytest.mark.parametrize("text", ["311", "3 1 1", " 3  1 1 "])
def test_types_as_people_write_them(text: str) -> None:
    kind = TlsaType.parse(text)
    assert (kind.word, str(kind)) == ("311", "3 1 1")


@pytest.mark.parametrize("text", ["", "31", "3111", "411", "321", "313", "3-1-1", "abc", "٣١١", "3" * 100])
def test_types_that_are_none(text: str) -> None:
    with pytest.raises(BadTlsa):
        TlsaType.parse(text)
