"""How far a decision about keys has come is said as it is: what is done is not said to be asked for."""

from datetime import timedelta

from builders.certificates import NOW
from builders.plans import leaf, lineage, spec
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import replace
from certkeeper.cli.tlsa.turns import Step, Way, way, ways_document
from certkeeper.dane.age import TlsaAge
from certkeeper.dane.tlsa import Tlsa
from certkeeper.lineage.model import Version
from certkeeper.plan.records import Deployment, KnownKey, Records, Shown, TlsaMemory, TlsaTurn, TurnKind

ALIAS, PLACE = Alias("mail.example.org"), DnsName("_25._tcp.mail.example.org")
SPEC = spec("mail.example.org")
LIVE = lineage("mail.example.org", leaf("mail.example.org"))
OLD = Tlsa(3, 1, 1, b"o" * 32)
END = NOW + timedelta(hours=3)
TURN = TlsaTurn(ALIAS, TurnKind.COMPROMISE, "of the old key", NOW)
assert LIVE.leaf is not None
WITH_OLD = Version(1, "of the old key", replace(LIVE.leaf, key_id="of the old key", not_after=NOW + timedelta(days=9)))


def remembered(*former: Tlsa) -> Records:
    age = TlsaAge(NOW, frozenset({PLACE}), {}, {OLD: END}, {3600: NOW}, frozenset({OLD}))
    memory = TlsaMemory(PLACE, DnsName("example.org"), age, (KnownKey(ALIAS, "", NOW, frozenset(former)),))
    return Records(tlsa={PLACE: memory}, turns={ALIAS: TURN})


def of(turn: TlsaTurn, records: Records, *versions: Version) -> Way:
    return way(SPEC, turn, LIVE, versions, records, NOW)


def test_a_compromise_from_its_first_day_to_its_last() -> None:
    assert LIVE.key_id is not None
    asked = of(replace(TURN, key_id=LIVE.key_id), remembered(), WITH_OLD)
    assert (asked.step, "its key stays until caches know the next one" in asked.sentence) == (Step.KEY, True)

    owed = Deployment("postfix", ALIAS, 2, Shown.OWED)
    somewhere = of(TURN, replace(remembered(OLD), deployments={("postfix", ALIAS): owed}), WITH_OLD)
    assert somewhere.step is Step.SERVICES

    assert of(TURN, remembered(OLD), WITH_OLD).step is Step.REVOKE

    over = of(TURN, remembered(OLD))
    assert (over.step, over.until) == (Step.RECORDS, END)
    assert "asked for" not in over.sentence
    assert over.sentence == (
        "mail.example.org: the compromise of 2026-11-23T12:00:00Z is dealt with: another key is live, the old one's "
        "certificates are revoked; caches may hold its record until 2026-11-23T15:00:00Z"
    )
    (document,) = ways_document([over])
    assert (document["step"], document["until"]) == ("records", "2026-11-23T15:00:00Z")


def test_an_expired_certificate_is_revoked_by_nobody() -> None:
    assert WITH_OLD.leaf is not None
    ended = replace(WITH_OLD, leaf=replace(WITH_OLD.leaf, not_after=NOW))
    assert of(TURN, remembered(OLD), ended).step is Step.RECORDS


def test_records_that_are_retired() -> None:
    turn = replace(TURN, kind=TurnKind.RETIRE)
    assert "caches may hold one until 2026-11-23T15:00:00Z" in of(turn, remembered()).sentence
    assert "no cache holds one any more" in of(turn, Records()).sentence
