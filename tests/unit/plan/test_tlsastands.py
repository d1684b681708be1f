"""Where the last run left TLSA records, and what of it somebody is told."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import spec
from certkeeper.adapters.tlsastands import parse, render
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.tlsalines import in_dns, tlsa_document, tlsa_lines
from certkeeper.config.tlsa import TlsaWish
from certkeeper.plan.tlsastands import TlsaStand, TlsaStands, after, lasting

MAIL, WEB = Alias("mail.example.org"), Alias("www.example.org")
OWNER = "_25._tcp.mail.example.org"
FINE = TlsaStand(MAIL, OWNER, "ageing", "ageing, waits for caches", NOW + timedelta(hours=2))
HELD = TlsaStand(MAIL, OWNER, "steady", "steady, held: the clocks", None, "the clocks are 11 min apart", "set it")
NOWHERE = TlsaStand(WEB, "", "nowhere", "no service", None, "no service was found", "name owners")
HOUR = timedelta(hours=1)


def test_what_holds_it_up_is_told_once_a_second_run_ended_with_it_however_much_there_is_of_it() -> None:
    first = after(None, [HELD], NOW)
    assert list(lasting(first)) == []
    second = after(first, [replace(HELD, trouble="the clocks are 14 min apart"), NOWHERE], NOW + HOUR)
    (told,) = lasting(second)
    assert (told.subject, told.message, told.hint) == (f"TLSA {OWNER}", "the clocks are 14 min apart", "set it")
    assert second.of(MAIL)[0].since == NOW
    third = after(second, [FINE, NOWHERE], NOW + 2 * HOUR)
    assert [told.subject for told in lasting(third)] == [f"TLSA {WEB}"]


def test_another_reason_is_another_trouble_and_begins_anew() -> None:
    first = after(None, [HELD], NOW)
    second = after(first, [replace(HELD, trouble="the zone is not signed")], NOW + HOUR)
    assert list(lasting(second)) == []


def test_certificates_behind_one_owner_are_one_trouble() -> None:
    both = [HELD, replace(HELD, alias=WEB)]
    assert len(list(lasting(after(after(None, both, NOW), both, NOW + HOUR)))) == 1


def test_it_is_read_as_it_was_written() -> None:
    stands = after(None, [FINE, HELD, NOWHERE], NOW)
    assert parse(render(stands)) == stands


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 1, "at": 1, "stands": [{}]}', b'{"version": 2}'])
def test_a_file_that_makes_no_sense_is_none(content: bytes) -> None:
    assert parse(content) is None


def test_a_row_and_its_lines() -> None:
    wanting = replace(spec("mail.example.org"), tlsa=TlsaWish(derived=True))
    stands = after(None, [HELD, replace(FINE, owner="_465._tcp.mail.example.org")], NOW)
    found = in_dns(wanting, stands)
    assert found is not None
    assert found.phrase == "TLSA steady, held"
    assert list(tlsa_lines(found, details=False)) == [
        f"    TLSA {OWNER}: steady, held, since 2026-11-23T12:00:00Z: the clocks are 11 min apart",
        "    hint: set it",
    ]
    assert list(tlsa_lines(found, details=True))[2:] == [
        "    TLSA _465._tcp.mail.example.org: ageing, waits for caches"
    ]
    document = tlsa_document(found)
    assert document is not None
    assert (document["state"], document["phrase"], len(document["owners"])) == ("steady", "steady, held", 2)  # type: ignore[arg-type]


def test_a_page_that_wants_none_has_none_until_no_cache_has_one_left() -> None:
    page = spec("mail.example.org")
    assert in_dns(page, None) is None
    assert in_dns(page, TlsaStands(NOW)) is None
    assert in_dns(page, TlsaStands(NOW, (replace(FINE, state="leaving"),))) is not None
    unseen = in_dns(replace(page, tlsa=TlsaWish(derived=True)), None)
    assert unseen is not None
    assert unseen.phrase == "TLSA not looked at yet"
