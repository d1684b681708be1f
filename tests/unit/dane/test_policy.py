"""The page that people work from today has a table of all types; its three groups are here, as they stand there."""

import pytest

from certkeeper.dane.policy import ALL_TYPES, DEFAULT_TYPES, Advised, Use, Weight, advise, object_to, use_of
from certkeeper.dane.tlsa import TlsaType

POSSIBLE = {"012", "212", "312"}
RECOMMENDED = {"011", "211", "311"}


@pytest.mark.parametrize("kind", ALL_TYPES, ids=lambda kind: kind.word)
def test_the_table(kind: TlsaType) -> None:
    advice = advise(kind)
    expected = Advised.NOT_RECOMMENDED
    if kind.word in POSSIBLE | RECOMMENDED:
        expected = Advised.POSSIBLE if kind.word in POSSIBLE else Advised.RECOMMENDED
    assert advice.advised is expected
    assert advice.reasons
    assert all(reason and not reason.endswith(".") for reason in advice.reasons)


def test_reasons_are_those_of_the_table() -> None:
    assert "too big" in advise(TlsaType(3, 1, 0)).reasons[0]
    assert "after each renewal" in advise(TlsaType(3, 0, 1)).reasons[0]
    assert "after each renewal" in advise(TlsaType(3, 0, 0)).reasons[1]
    assert "may be replaced" in advise(TlsaType(2, 0, 1)).reasons[0]


@pytest.mark.parametrize("word", ["011", "111", "012"])
def test_mail_servers_pass_over_usages_0_and_1(word: str) -> None:
    kind = TlsaType.parse(word)
    assert use_of(25) is Use.SMTP
    assert advise(kind, Use.SMTP).advised is Advised.NOT_RECOMMENDED
    (objection,) = object_to([kind], Use.SMTP, renewed=True)
    assert objection.weight is Weight.REFUSED
    assert "RFC 7672" in objection.reason


def test_xmpp_knows_usages_1_and_3() -> None:
    assert use_of(5269) is Use.XMPP
    (objection,) = object_to([TlsaType(2, 1, 1), *DEFAULT_TYPES], Use.XMPP, renewed=True)
    assert (objection.type.word, objection.weight) == ("211", Weight.WARNED)
    assert objection.hint == "write 311"


def test_what_breaks_at_renewal_is_warned_of_where_certificates_are_renewed() -> None:
    (objection,) = object_to([TlsaType(3, 0, 1)], Use.SMTP, renewed=True)
    assert objection.weight is Weight.WARNED
    assert "after each renewal" in objection.reason
    assert object_to([TlsaType(3, 0, 1)], Use.SMTP, renewed=False) == ()


def test_whole_keys_are_too_big() -> None:
    (objection,) = object_to([TlsaType(3, 1, 0)], Use.OTHER, renewed=True)
    assert "too big" in objection.reason


@pytest.mark.parametrize("use", [Use.SMTP, Use.OTHER])
def test_nothing_is_wrong_with_what_is_recommended(use: Use) -> None:
    kinds = [TlsaType(3, 1, 1), TlsaType(2, 1, 1), TlsaType(3, 1, 2)]
    assert object_to(kinds, use, renewed=True) == ()
