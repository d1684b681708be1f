"""What is said of TLSA records from outside, and how bad it is."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from builders.certificates import NOW, Wish, fullchain, new_key
from builders.fakelooks import SERVERS, tlsa_look
from certkeeper.apply.daneports import Resolved, TlsaLook
from certkeeper.apply.daneservices import DaneService, Unfound
from certkeeper.apply.daneverdict import ServiceVerdict, about_unfound, judge, owner_of
from certkeeper.apply.verdict import Grade, Margins
from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.dane.der import spki_of
from certkeeper.dane.facts import Answer, Trust
from certkeeper.dane.tlsa import CERT, Tlsa, TlsaType
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, KeyFamily, Look, Trouble, Unseen

SECURE = Resolved(trust=Trust.SECURE)
HOST = DnsName("example.org")
OWNER = DnsName("_25._tcp.example.org")
MX = DaneService(HOST, parse_endpoint("smtp://example.org"), HOST, "MX", SECURE, ("192.0.2.1",), SECURE, expected=True)
MARGINS = Margins(timedelta(days=14), timedelta(days=3))
LATER = NOW + timedelta(days=20)


def chain(wish: Wish | None = None) -> tuple[bytes, ...]:
    pem = fullchain(new_key(), wish or Wish())
    return tuple(item.public_bytes(Encoding.DER) for item in x509.load_pem_x509_certificates(pem))


CHAIN = chain()
OTHER = chain()


def of(word: str, certificate: bytes = CHAIN[0]) -> Tlsa:
    kind = TlsaType.parse(word)
    return Tlsa.of(kind, certificate if kind.selector == CERT else spki_of(certificate))


GOOD, WRONG = of("311"), of("311", OTHER[0])


def shows(ders: tuple[bytes, ...] = CHAIN, family: KeyFamily = KeyFamily.ANY) -> Handshake:
    return Handshake(Contact(MX.endpoint, family), "192.0.2.1", ders, "TLSv1.3")


def judged(
    records: Iterable[Tlsa] = (GOOD,),
    *seen: Look,
    service: DaneService = MX,
    look: TlsaLook | None = None,
) -> ServiceVerdict:
    what = look or tlsa_look(OWNER, records, signed_until=LATER)
    return judge(service, OWNER, what, seen or (shows(),), MARGINS, NOW)


def said(verdict: ServiceVerdict) -> list[tuple[Grade, str]]:
    return [(remark.grade, remark.text) for remark in verdict.remarks]


def test_everything_is_well() -> None:
    verdict = judged([GOOD, WRONG])

    assert (verdict.grade, verdict.remarks, verdict.proven) == (Grade.OK, (), True)


@pytest.mark.parametrize(
    ("records", "ders", "grade", "text"),
    [
        ([WRONG], CHAIN, Grade.CRITICAL, "192.0.2.1: no record matches what is served"),
        ([GOOD], OTHER, Grade.CRITICAL, "192.0.2.1: no record matches what is served"),
        ([GOOD, of("312", OTHER[0])], CHAIN, Grade.CRITICAL, "192.0.2.1: nothing of 3 1 2 matches"),
        ([GOOD, of("011")], CHAIN, Grade.OK, ""),
        ([Tlsa.parse("3 1 1 abcd")], CHAIN, Grade.CRITICAL, "no client can use any of the records"),
    ],
)
def test_records_against_what_is_served(records: list[Tlsa], ders: tuple[bytes, ...], grade: Grade, text: str) -> None:
    verdict = judged(records, shows(ders))

    assert verdict.grade is grade
    assert [words.startswith(text) for _, words in said(verdict)] == [True] * (grade is not Grade.OK)


def test_each_kind_of_key_is_compared() -> None:
    missing = Unseen(Contact(MX.endpoint, KeyFamily.ECDSA), "192.0.2.1", Trouble.NO_SUCH_KEY, "none")
    verdict = judged([GOOD], shows(), shows(OTHER, KeyFamily.RSA), missing)

    assert said(verdict) == [(Grade.CRITICAL, "192.0.2.1 (rsa): no record matches what is served")]


def test_every_set_that_a_name_server_shows_is_compared() -> None:
    look = replace(
        tlsa_look(OWNER, [GOOD]),
        answers=(Answer(SERVERS[0], frozenset({GOOD, WRONG}), 60), Answer(SERVERS[1], frozenset({WRONG}), 60)),
    )
    verdict = judged(look=look)

    assert [grade for grade, _ in said(verdict)] == [Grade.CRITICAL, Grade.WARNING]
    assert said(verdict)[1][1] == f"name servers show different records: compare {SERVERS[1]}"


@pytest.mark.parametrize(
    ("trust", "grade"),
    [
        (Trust.BOGUS, Grade.CRITICAL),
        (Trust.HIDDEN, Grade.CRITICAL),
        (Trust.UNPROVEN, Grade.UNKNOWN),
        (Trust.UNSIGNED, Grade.WARNING),
        (Trust.NO_DS, Grade.WARNING),
    ],
)
def test_records_that_are_not_secure(trust: Trust, grade: Grade) -> None:
    verdict = judged(look=tlsa_look(OWNER, [GOOD], trust=trust))

    assert (verdict.grade, verdict.proven) == (grade, False)


@pytest.mark.parametrize("trust", [Trust.UNSIGNED, Trust.NO_DS])
def test_an_insecure_mx_or_address_makes_records_useless(trust: Trust) -> None:
    insecure = Resolved(("192.0.2.1",), trust)

    assert judged(service=replace(MX, lead=insecure)).grade is Grade.WARNING
    assert judged(service=replace(MX, secured=insecure)).grade is Grade.WARNING


def test_bogus_addresses_defer_mail() -> None:
    verdict = judged(service=replace(MX, secured=Resolved(trust=Trust.BOGUS, flaw="expired")))

    assert said(verdict)[0] == (Grade.CRITICAL, "the addresses of example.org are bogus, so mail is deferred: expired")


def test_where_records_are_expected_their_absence_is_told() -> None:
    nothing = tlsa_look(OWNER)

    assert said(judged(look=nothing)) == [(Grade.WARNING, f"there are no TLSA records at {OWNER}")]
    assert said(judged(look=nothing, service=replace(MX, expected=False))) == []


def test_a_mail_exchanger_that_is_a_cname() -> None:
    verdict = judged(service=replace(MX, alias=DnsName("real.example.org")))

    assert said(verdict) == [(Grade.WARNING, "example.org is a CNAME of real.example.org, which MX may not name")]


@pytest.mark.parametrize(
    ("left", "grade"), [(-1, Grade.CRITICAL), (12, Grade.CRITICAL), (48, Grade.WARNING), (24 * 8, Grade.OK)]
)
def test_how_long_signatures_last(left: int, grade: Grade) -> None:
    look = tlsa_look(OWNER, [GOOD], signed_until=NOW + timedelta(hours=left))

    assert judged(look=look).grade is grade


@pytest.mark.parametrize(("word", "grade"), [("311", Grade.OK), ("301", Grade.OK)])
def test_the_end_of_a_certificate_counts_for_no_usage_3(word: str, grade: Grade) -> None:
    soon = chain(Wish(not_after=NOW + timedelta(days=5)))

    assert judged([of(word, soon[0])], shows(soon)).grade is grade


def test_the_end_of_a_certificate_counts_for_usage_2() -> None:
    soon = chain(Wish(not_after=NOW + timedelta(days=5)))
    verdict = judged([of("211", soon[1])], shows(soon))

    assert verdict.grade is Grade.WARNING
    assert "the certificate ends in" in verdict.remarks[0].text


def test_a_server_that_is_not_there() -> None:
    gone = Unseen(Contact(MX.endpoint), "192.0.2.1", Trouble.UNREACHABLE, "connection refused")

    assert said(judged([GOOD], gone)) == [(Grade.CRITICAL, "192.0.2.1: connection refused")]


def test_a_silent_name_server() -> None:
    look = tlsa_look(OWNER, [GOOD])
    answers = (look.answers[0], Answer(SERVERS[1], None))

    verdict = judged(look=replace(look, answers=answers, troubles={SERVERS[1]: "no answer"}))
    assert said(verdict) == [(Grade.WARNING, f"name server {SERVERS[1]}: no answer")]


def test_the_first_owner_with_secure_records_counts() -> None:
    real = DnsName("_25._tcp.real.example.org")
    service = replace(MX, alias=DnsName("real.example.org"))
    looks = {real: tlsa_look(real, [GOOD]), OWNER: tlsa_look(OWNER, [GOOD])}

    assert owner_of(service, looks) == real
    assert owner_of(service, looks | {real: tlsa_look(real)}) == OWNER
    assert owner_of(service, looks | {real: tlsa_look(real, [GOOD], trust=Trust.NO_DS)}) == OWNER


def test_lookup_errors() -> None:
    bogus = about_unfound(Unfound(HOST, "MX", Resolved(trust=Trust.BOGUS, flaw="expired")))
    assert (bogus.grade, bogus.text) == (Grade.CRITICAL, "MX records are bogus, so mail is deferred: expired")
    silent = about_unfound(Unfound(HOST, "SRV imaps", Resolved(trouble="no answer")))
    assert (silent.grade, silent.text) == (Grade.UNKNOWN, "SRV imaps records: no answer")
