"""Records against handshakes; the cases are those that clients in use got wrong."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from builders.certificates import NOW, Wish, fullchain, intermediate, new_key, root
from certkeeper.base.names import DnsName, Identifier
from certkeeper.base.value import replace
from certkeeper.dane.check import DaneVerdict, Match, Shown, check
from certkeeper.dane.der import spki_of
from certkeeper.dane.policy import ALL_TYPES, Use
from certkeeper.dane.tlsa import CERT, Tlsa, TlsaType

HOST = DnsName("example.org")
OTHER = DnsName("example.net")


def ders(pem: bytes) -> tuple[bytes, ...]:
    return tuple(item.public_bytes(Encoding.DER) for item in x509.load_pem_x509_certificates(pem))


GOOD = ders(fullchain(new_key()))
SHOWN = Shown(GOOD, (HOST,))
EXPIRED = ders(fullchain(new_key(), Wish(not_after=NOW - timedelta(hours=1))))


def of(word: str, certificate: bytes) -> Tlsa:
    kind = TlsaType.parse(word)
    return Tlsa.of(kind, certificate if kind.selector == CERT else spki_of(certificate))


def one(record: Tlsa, shown: Shown = SHOWN) -> tuple[Match, str]:
    verdict = check([record], shown, NOW)
    return verdict.records[0].match, verdict.records[0].reason


@pytest.mark.parametrize("kind", ALL_TYPES, ids=lambda kind: kind.word)
def test_every_type_matches_what_it_is_of(kind: TlsaType) -> None:
    at = 0 if kind.of_the_leaf else 1
    assert one(of(kind.word, GOOD[at])) == (Match.MATCHES, "")
    assert one(of(kind.word, GOOD[1 - at]))[0] is Match.DIFFERS, "the other certificate of the chain is not meant"


def test_usage_3_looks_at_neither_names_nor_dates() -> None:
    assert one(of("311", EXPIRED[0]), Shown(EXPIRED, (OTHER,))) == (Match.MATCHES, "")


@pytest.mark.parametrize("at", [1, 2])
def test_usage_2_looks_at_names_and_dates(at: int) -> None:
    record = of("211", GOOD[at])
    assert one(record)[0] is Match.MATCHES
    assert one(record, replace(SHOWN, names=(OTHER,))) == (Match.REFUSED, "the certificate is not for example.net")
    assert one(record, replace(SHOWN, names=(OTHER, HOST)))[0] is Match.MATCHES, "the other name of a mail server"
    match, reason = one(record, Shown(EXPIRED, (HOST,)))
    assert match is Match.REFUSED
    assert "expired" in reason


@pytest.mark.parametrize(("name", "match"), [("a.example.org", Match.MATCHES), ("a.b.example.org", Match.REFUSED)])
def test_a_wildcard_is_one_label(name: str, match: Match) -> None:
    assert one(of("211", GOOD[1]), replace(SHOWN, names=(DnsName(name),)))[0] is match


def test_a_trust_anchor_that_is_not_sent_does_not_count() -> None:
    assert one(of("211", GOOD[2]), Shown(GOOD[:2], (HOST,))) == (
        Match.DIFFERS,
        "no CA certificate in the chain has it",
    )


def test_a_certificate_that_signed_nothing_is_no_trust_anchor() -> None:
    stranger = ders(root().sub("Stranger").pem)[0]
    match, reason = one(of("211", stranger), Shown((GOOD[0], GOOD[1], stranger), (HOST,)))
    assert match is Match.REFUSED
    assert "does not lead there" in reason


def test_the_order_of_the_others_does_not_count() -> None:
    assert one(of("211", GOOD[2]), Shown((GOOD[0], GOOD[2], GOOD[1]), (HOST,)))[0] is Match.MATCHES


def test_what_is_no_ca_signs_nothing() -> None:
    false = intermediate().sub("no CA", constraints=x509.BasicConstraints(ca=False, path_length=None))
    chain = ders(false.leaf(new_key()) + false.pem + intermediate().pem)
    match, reason = one(of("211", chain[2]), Shown(chain, (HOST,)))
    assert (match, reason) == (Match.REFUSED, "certificate 2 is no CA's")


def test_path_lengths_count() -> None:
    short = root().sub("short", constraints=x509.BasicConstraints(ca=True, path_length=0))
    below = short.sub("below")
    chain = ders(below.leaf(new_key()) + below.pem + short.pem)
    assert one(of("211", chain[2]), Shown(chain, (HOST,)))[0] is Match.REFUSED
    assert one(of("211", chain[1]), Shown(chain, (HOST,)))[0] is Match.MATCHES


@pytest.mark.parametrize("word", ["011", "111"])
def test_usages_0_and_1_need_trust_besides_and_are_nothing_to_mail_servers(word: str) -> None:
    record = of(word, GOOD[1 if word[0] == "0" else 0])
    assert one(record)[0] is Match.MATCHES
    assert one(record, replace(SHOWN, untrusted="its issuer is not known"))[0] is Match.REFUSED
    assert one(record, replace(SHOWN, use=Use.SMTP))[0] is Match.IGNORED


@pytest.mark.parametrize("record", [Tlsa(3, 1, 1, b"short"), Tlsa(4, 1, 1, b"x" * 32), Tlsa(3, 2, 1, b"x" * 32)])
def test_unusable_records_are_ignored_beside_a_good_one_and_by_themselves(record: Tlsa) -> None:
    verdict = check([record, of("311", GOOD[0])], SHOWN, NOW)
    assert verdict.sound
    alone = check([record], SHOWN, NOW)
    assert (alone.usable, alone.proven, alone.failing) == (False, False, ())


def test_each_combination_has_to_match_by_itself() -> None:
    verdict = check([of("311", GOOD[0]), of("211", EXPIRED[0]), of("311", EXPIRED[0])], SHOWN, NOW)
    assert verdict.proven, "one match is enough for a client that knows all"
    assert verdict.failing == (TlsaType(2, 1, 1),)
    assert not verdict.sound


@pytest.mark.parametrize("chain", [(), (b"nonsense",), (GOOD[0], b"\x30\x00")])
def test_a_chain_that_cannot_be_read_matches_nothing(chain: tuple[bytes, ...]) -> None:
    verdict = check([of("311", GOOD[0])], Shown(chain, (HOST,)), NOW)
    assert verdict.records[0].match is Match.DIFFERS
    assert not verdict.proven


def test_certificates_that_all_signed_each_other_are_no_labyrinth() -> None:
    again = [root().crossed(root()) for _ in range(12)]
    chain = (*GOOD[:2], *(ders(item.pem)[0] for item in again))
    stranger = ders(root().sub("Stranger").pem)[0]
    assert one(of("211", stranger), Shown((*chain, stranger), (HOST,)))[0] is Match.REFUSED


def test_two_hundred_records() -> None:
    many = [Tlsa(3, 1, 1, bytes([n]) * 32) for n in range(200)]
    verdict = check([*many, of("311", GOOD[0])], SHOWN, NOW)
    assert isinstance(verdict, DaneVerdict)
    assert verdict.sound


def test_a_name_of_the_wish_is_the_name() -> None:
    mail = ders(fullchain(new_key(), Wish(identifiers=(Identifier.parse("mail.example.org"),))))
    assert one(of("211", mail[1]), Shown(mail, (DnsName("mail.example.org"),)))[0] is Match.MATCHES
    assert one(of("211", mail[1]), Shown(mail, (HOST,)))[0] is Match.REFUSED


def test_digests_are_openssl_s(tmp_path: Path) -> None:
    for number, der in enumerate(GOOD):
        (tmp_path / "c.der").write_bytes(der)
        said = subprocess.run(
            ["openssl", "x509", "-inform", "DER", "-in", tmp_path / "c.der", "-noout", "-fingerprint", "-sha256"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        digest = re.sub(r"[^0-9a-f]", "", said.partition("=")[2].lower())
        assert of("301" if not number else "201", der).data.hex() == digest


def test_what_a_use_passes_over_is_ignored_as_the_policy_says() -> None:
    for use, passed_over in ((Use.SMTP, {0, 1}), (Use.XMPP, {0, 2}), (Use.OTHER, set[int]())):
        records = [of(word, GOOD[1 if word[0] in "02" else 0]) for word in ("011", "111", "211", "311")]
        verdict = check(records, replace(SHOWN, use=use), NOW)

        assert {item.record.usage for item in verdict.records if item.match is Match.IGNORED} == passed_over
