from certkeeper.base.names import DnsName, Identifier
from certkeeper.cli.dns.caa import Advice, of_zone
from certkeeper.plan.observed import Caa
from certkeeper.zone.caa import CaaAnswer, CaaOutcome, CaaRecord, Issuer

ZONE = DnsName("example.org")
FIRST, SECOND = "https://a.test/directory", "https://b.test/directory"
ISSUERS = {FIRST: Issuer(("a.test",), "https://a.test/1"), SECOND: Issuer(("b.test",), "https://b.test/1")}


def advised(names: dict[str, list[str]], *records: str) -> Advice:
    """`names` are by CA, `records` the values of the CAA records of tag issue that are there."""
    answers = {ZONE: CaaAnswer(tuple(CaaRecord(0, "issue", value) for value in records))}
    answers |= {DnsName(name): CaaAnswer() for name in ("www.example.org", "org")}
    seen = {ca: Caa(issuer, answers) for ca, issuer in ISSUERS.items()}
    return of_zone(
        ZONE, {ca: {Identifier.parse(name): "dns-01" for name in its} for ca, its in names.items()}, seen, "me@x.org"
    )


def test_a_zone_with_two_cas_gets_the_records_of_both() -> None:
    found = advised({FIRST: ["example.org", "*.example.org"], SECOND: ["www.example.org"]})
    assert [(record.tag, record.value.partition(";")[0]) for record in found.proposed] == [
        ("issue", "a.test"),
        ("issue", "b.test"),
        ("issuewild", "a.test"),
        ("iodef", "mailto:me@x.org"),
    ]
    assert found.allowed


def test_each_name_is_judged_for_its_own_ca() -> None:
    found = advised({FIRST: ["example.org"], SECOND: ["www.example.org"]}, "a.test")
    assert {str(name): verdict.outcome for name, verdict in found.verdicts.items()} == {
        "example.org": CaaOutcome.ALLOWED,
        "www.example.org": CaaOutcome.FORBIDDEN,
    }


def test_a_name_of_two_certificates_is_allowed_where_both_cas_are() -> None:
    for names in ({FIRST: ["example.org"], SECOND: ["example.org"]}, {SECOND: ["example.org"], FIRST: ["example.org"]}):
        assert not advised(names, "a.test").allowed
        assert not advised(names, "b.test").allowed
        assert advised(names, "a.test", "b.test").allowed
