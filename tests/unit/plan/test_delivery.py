"""Each limit of what another user hands to root."""

import pytest

from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import replace
from certkeeper.plan.delivery import (
    MOST_CHAIN,
    MOST_KEY,
    MOST_NAMES,
    MOST_STAPLE,
    MOST_TARGETS,
    Answer,
    BadDelivery,
    Delivered,
    Delivery,
    Reply,
    beyond,
    decode,
    decode_reply,
    encode,
    encode_reply,
    for_others,
)
from certkeeper.plan.records import Shown

ONE = Delivered(Alias("a.org"), (Identifier.parse("a.org"),), ("nginx",), True, 1, b"key", b"chain", b"response")


@pytest.mark.parametrize(
    "item",
    [
        replace(ONE, alias=Alias("../etc")),
        replace(ONE, alias=Alias(".live")),
        replace(ONE, alias=Alias("a\nb")),
        replace(ONE, identifiers=()),
        replace(ONE, identifiers=ONE.identifiers * (MOST_NAMES + 1)),
        replace(ONE, targets=("../nginx",)),
        replace(ONE, targets=("NGINX",)),
        replace(ONE, stamp=0),
        replace(ONE, stamp=-1),
        replace(ONE, stamp=10**13),
        replace(ONE, privkey=b"k" * (MOST_KEY + 1)),
        replace(ONE, fullchain=b"c" * (MOST_CHAIN + 1)),
        replace(ONE, staple=b"r" * (MOST_STAPLE + 1)),
    ],
)
def test_what_root_does_not_take(item: Delivered) -> None:
    with pytest.raises(BadDelivery):
        decode(encode(Delivery((item,))))


def test_a_certificate_twice_and_more_after_the_end() -> None:
    with pytest.raises(BadDelivery, match="twice"):
        decode(encode(Delivery((ONE, ONE))))
    with pytest.raises(BadDelivery, match="after its end"):
        decode(encode(Delivery((ONE,))) + b"x")
    assert decode(encode(Delivery((ONE,)))).certificates == (ONE,)


def test_one_delivery_has_one_form() -> None:
    octets = encode(Delivery((replace(ONE, alias=Alias("b.org")),)))
    with pytest.raises(BadDelivery, match="another way"):
        decode(octets.replace(b"a.org", b"A.org"))
    octets = encode(Delivery(failed=True))
    with pytest.raises(BadDelivery, match="neither yes nor no"):
        decode(octets.replace(b"yes", b"yep"))


@pytest.mark.parametrize(
    ("item", "what"),
    [
        (replace(ONE, identifiers=ONE.identifiers * (MOST_NAMES + 1)), "1001 names, root takes 1000"),
        (replace(ONE, targets=("nginx",) * (MOST_TARGETS + 1)), "65 services, root takes 64"),
        (replace(ONE, privkey=b"k" * (MOST_KEY + 1)), "8193 octets of a key, root takes 8192"),
        (replace(ONE, fullchain=b"c" * (MOST_CHAIN + 1)), "octets of a chain"),
    ],
)
def test_the_user_s_process_knows_before_what_root_does_not_take(item: Delivered, what: str) -> None:
    assert what in beyond(item)
    with pytest.raises(BadDelivery):
        decode(encode(Delivery((item,))))


def test_at_its_limits_it_is_taken() -> None:
    item = replace(
        ONE,
        identifiers=ONE.identifiers * MOST_NAMES,
        targets=("nginx",) * MOST_TARGETS,
        privkey=b"k" * MOST_KEY,
        fullchain=b"c" * MOST_CHAIN,
    )
    assert beyond(item) == ""
    assert decode(encode(Delivery((item,)))).certificates == (item,)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("smtp://a.org: still shows serial 5", "smtp://a.org: still shows serial 5"),
        (
            "its test says: nginx -t ended with status 1: secret\nin 3 lines; went back to version 5",
            "its test says: nginx -t ended with status 1",
        ),
        ("sh -c x ended with signal 9: secret ended with status 1: y", "sh -c x ended with signal 9"),
        ("postmap -F hash:/x warns: /x, line 2: secret", "postmap -F hash:/x warns"),
        ("reload ended with status 1", "reload ended with status 1"),
        ("a\x1b[2Jb\nc", "a [2Jb c"),
    ],
)
def test_what_a_program_of_root_s_printed_is_not_for_others(message: str, told: str) -> None:
    assert for_others(message) == told


@pytest.mark.parametrize("text", ["x" * 2000, "€" * 2000, "\U0001f600" * 2000, "a b " * 500])
def test_a_long_reason_is_cut_and_read(text: str) -> None:
    reply = Reply((Answer("nginx", Alias("a.org"), 1, Shown.OWED, 1, text),), text)
    read = decode_reply(encode_reply(reply))
    assert read == Reply((replace(reply.answers[0], reason=for_others(text)),), for_others(text))
    assert text.startswith(for_others(text).removesuffix(" …"))
    assert 100 < len(for_others(text)) < 410
