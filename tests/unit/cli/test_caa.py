from certkeeper.base.names import DnsName, Identifier
from certkeeper.cli.dns.caa import Advice, of_zone
from certkeeper.plan.observed import Caa
from certkeeper.zone.caa import CaaAnswer, CaaOutcome, CaaRecord, Issuer

ZONE, SUB = DnsName("example.org"), DnsName("www.example.org")
FIRST, SECOND = "https://a.test/directory", "https://b.test/directory"
ISSUERS = {FIRST: Issuer(("a.test",), "https://a.test/1"), SECOND: Issuer(("b.test",), "https://b.test/1")}


def advised(names: dict[str, list[str]], *records: str, sub: tuple[str, ...] = ()) -> list[Advice]:
    """`names` are by CA, `records` the values of the CAA records of tag issue at the zone, `sub` those at www."""
    answers = {
        at: CaaAnswer(tuple(CaaRecord(0, "issue", value) for value in values))
        for at, values in ((ZONE, records), (SUB, sub), (DnsName("org"), ()))
    }
    seen = {ca: Caa(issuer, answers) for ca, issuer in ISSUERS.items()}
    inside = {(Identifier.parse(name), ca): ("dns-01",) for ca, its in names.items() for name in its}
    return list(of_zone(ZONE, inside, seen, "me@x.org", powerdns=True))


def proposed(advice: Advice) -> list[tuple[str, str]]:
    return [(record.tag, record.value.partition(";")[0]) for record in advice.proposed]


def test_a_zone_with_two_cas_gets_the_records_of_both() -> None:
    (found,) = advised({FIRST: ["example.org", "*.example.org"], SECOND: ["www.example.org"]})
    assert proposed(found) == [
        ("issue", "a.test"),
        ("issue", "b.test"),
        ("issuewild", "a.test"),
        ("iodef", "mailto:me@x.org"),
    ]
    assert found.allowed


def test_the_name_whose_records_decide_gets_those_of_the_cas_that_it_decides_for() -> None:
    names = {FIRST: ["example.org", "www.example.org"], SECOND: ["www.example.org", "*.www.example.org"]}
    above, below = advised(names, "a.test", sub=("b.test",))
    assert (above.at, below.at) == (ZONE, SUB)
    assert proposed(above) == [("issue", "a.test"), ("iodef", "mailto:me@x.org")]
    assert proposed(below) == [
        ("issue", "a.test"),
        ("issue", "b.test"),
        ("issuewild", "b.test"),
        ("iodef", "mailto:me@x.org"),
    ]
    assert (above.allowed, below.allowed) == (True, False)
    assert {record.value for record in below.present} == {"b.test"}


def test_each_name_is_judged_for_its_own_ca() -> None:
    (found,) = advised({FIRST: ["example.org"], SECOND: ["www.example.org"]}, "a.test")
    assert {(str(name), ca): verdict.outcome for (name, ca), verdict in found.verdicts.items()} == {
        ("example.org", FIRST): CaaOutcome.ALLOWED,
        ("www.example.org", SECOND): CaaOutcome.FORBIDDEN,
    }


def test_a_name_of_two_certificates_is_allowed_where_both_cas_are() -> None:
    for names in ({FIRST: ["example.org"], SECOND: ["example.org"]}, {SECOND: ["example.org"], FIRST: ["example.org"]}):
        for records, allowed in ((("a.test",), False), (("b.test",), False), (("a.test", "b.test"), True)):
            (found,) = advised(names, *records)
            assert len(found.verdicts) == 2
            assert found.allowed is allowed
