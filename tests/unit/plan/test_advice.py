"""Which certificates the CA is asked about, what is kept of its answers, and what of them counts."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders.certificates import NOW
from builders.plans import CA, configuration, leaf, lineage, observed, spec, zone
from certkeeper.acme.renewal_info import Window, cert_id
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.wire import Response
from certkeeper.config.findings import Finding, Severity
from certkeeper.lineage.model import Lineage, Origin
from certkeeper.plan.actions import Reason
from certkeeper.plan.advice import (
    Advice,
    Suggestion,
    advice_finding,
    heard,
    of_live,
    questions,
    unheard,
    unoffered,
)
from certkeeper.plan.explain import explain
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ALIAS = Alias("example.org")
ID = cert_id(b"\xaa", 0x81)
NEW = Advice(CA, ID, NOW)
PAGE = "https://ca.test/why"


def live(left: timedelta = 60 * DAY, *, authority: str = "aa", serial: str = "81") -> Lineage:
    return lineage("example.org", leaf("example.org", left=left, serial=serial, authority_key_id=authority))


def window(start: timedelta, end: timedelta) -> Window:
    return Window(NOW + start, NOW + end)


def suggestion(start: timedelta, end: timedelta, *, hurried: bool = False, explanation: str = "") -> Suggestion:
    found = window(start, end)
    return Suggestion(found, found.start, explanation, hurried)


def answer(
    start: timedelta = 5 * DAY, end: timedelta = 6 * DAY, *, status: int = 200, retry_after: str = "", page: str = ""
) -> Response:
    document = {"suggestedWindow": {"start": (NOW + start).isoformat(), "end": (NOW + end).isoformat()}}
    body = json.dumps({**document, "explanationURL": page}).encode()
    return Response(status, NOW, (("retry-after", retry_after),) if retry_after else (), body)


def asked(present: Lineage, kept: dict[Alias, Advice] | None = None, now: datetime = NOW) -> dict[Alias, Advice]:
    return questions([ALIAS], {ALIAS: present}, kept or {}, CA, now)


class TestQuestions:
    def test_a_certificate_that_nobody_asked_about_yet(self) -> None:
        assert asked(live()) == {ALIAS: NEW}

    def test_not_before_the_time_that_the_ca_named(self) -> None:
        kept = {ALIAS: Advice(CA, ID, NOW + HOUR)}
        assert asked(live(), kept) == {}
        assert asked(live(), kept, NOW + HOUR) == kept

    def test_a_time_of_a_clock_that_was_ahead_does_not_count(self) -> None:
        kept = {ALIAS: Advice(CA, ID, NOW + 2 * DAY)}
        assert asked(live(), kept) == kept

    @pytest.mark.parametrize("present", [lineage("example.org"), live(-HOUR), live(authority=""), live(serial="0")])
    def test_what_there_is_nothing_to_ask_about(self, present: Lineage) -> None:
        assert asked(present) == {}

    def test_a_certificate_that_is_known_to_be_another_cas_is_not_asked_about(self) -> None:
        assert asked(replace(live(), origin=Origin("https://other.test/directory"))) == {}
        assert set(asked(replace(live(), origin=Origin(CA)))) == {ALIAS}

    def test_advice_counts_for_the_certificate_and_the_ca_that_it_is_about(self) -> None:
        cas = dict.fromkeys((ALIAS, Alias("b"), Alias("c")), CA)
        there = {ALIAS: live(), Alias("b"): lineage("b")}
        assert of_live({ALIAS: NEW}, there, cas) == {ALIAS: NEW}
        assert of_live({ALIAS: NEW}, there, {ALIAS: "https://other.test/directory"}) == {}
        assert of_live({ALIAS: NEW}, {ALIAS: live(serial="82")}, cas) == {}
        assert of_live({Alias("b"): NEW, Alias("c"): NEW}, there, cas) == {}


class TestAnswers:
    def test_an_answer_is_kept_with_a_time_in_its_window(self) -> None:
        found = heard(ALIAS, NEW, answer(page=PAGE))
        chosen = window(5 * DAY, 6 * DAY)
        assert found == Advice(CA, ID, NOW + 6 * HOUR, Suggestion(chosen, chosen.choose("example.org"), PAGE))

    def test_the_time_stays_while_the_window_does(self) -> None:
        old = Suggestion(window(5 * DAY, 6 * DAY), NOW + 5 * DAY + HOUR, "https://ca.test/old")
        found = heard(ALIAS, Advice(CA, ID, NOW, old), answer(page=PAGE, retry_after="7200"))
        assert found == Advice(CA, ID, NOW + 2 * HOUR, Suggestion(old.window, old.renew_at, PAGE))

    def test_another_window_is_another_time_and_an_earlier_one_is_hurried(self) -> None:
        before = Advice(CA, ID, NOW, suggestion(5 * DAY, 6 * DAY))
        for start, hurried in ((4 * DAY, True), (6 * DAY, False)):
            found = heard(ALIAS, before, answer(start, 7 * DAY)).suggestion
            assert found is not None
            assert found.window == window(start, 7 * DAY)
            assert found.renew_at == found.window.choose("example.org")
            assert found.hurried is hurried

    @pytest.mark.parametrize("status", [400, 404, 301, 204])
    def test_a_refusal_suggests_nothing_for_a_while(self, status: int) -> None:
        before = Advice(CA, ID, NOW, suggestion(5 * DAY, 6 * DAY), failures=3)
        assert heard(ALIAS, before, answer(status=status)) == Advice(CA, ID, NOW + 6 * HOUR)

    def test_a_window_that_ends_before_it_begins_suggests_nothing(self) -> None:
        assert heard(ALIAS, NEW, answer(6 * DAY, 5 * DAY)) == Advice(CA, ID, NOW + 6 * HOUR)

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_a_busy_ca_changes_nothing(self, status: int) -> None:
        before = Advice(CA, ID, NOW, suggestion(5 * DAY, 6 * DAY))
        found = heard(ALIAS, before, answer(status=status))
        assert found == Advice(CA, ID, NOW + timedelta(minutes=1), before.suggestion, failures=1)
        told = heard(ALIAS, before, answer(status=status, retry_after="7200"))
        assert told.ask_at == NOW + 2 * HOUR

    def test_silence_doubles_the_wait_up_to_six_hours(self) -> None:
        waits, advice = [], NEW
        for _ in range(12):
            advice = unheard(advice, NOW)
            waits.append((advice.ask_at - NOW).total_seconds() / 60)
        assert waits[:5] == [1, 2, 4, 8, 16]
        assert waits[-2:] == [360, 360]
        assert heard(ALIAS, advice, answer()).failures == 0

    def test_a_ca_without_ari_is_asked_again_after_six_hours(self) -> None:
        before = Advice(CA, ID, NOW, suggestion(5 * DAY, 6 * DAY))
        assert unoffered(before, NOW) == Advice(CA, ID, NOW + 6 * HOUR)


def world(left: timedelta, suggested: Suggestion | None) -> Observed:
    advice = {ALIAS: Advice(CA, ID, NOW + HOUR, suggested)}
    return observed(live(left), zones=[zone("example.org")], specs=[spec("example.org")], advice=advice)


def findings(left: timedelta, suggested: Suggestion) -> list[Finding]:
    found = plan(configuration(spec("example.org")), world(left, suggested)).findings
    return [item for item in found if item.code == "replace-now"]


class TestPlan:
    def test_whoever_had_it_revoked_is_not_told_that_it_has_to_go(self) -> None:
        suggested = suggestion(-60 * DAY, -50 * DAY)
        assert findings(40 * DAY, suggested)
        there = world(40 * DAY, suggested)
        revoked = {alias: replace(item, revoked=4) for alias, item in there.lineages.items()}
        planned = plan(configuration(spec("example.org")), replace(there, lineages=revoked))
        assert planned.lineages[0].reason is Reason.REVOKED
        assert not [item for item in planned.findings if item.code == "replace-now"]

    def test_a_time_that_has_come_is_a_reason_with_the_cas_words(self) -> None:
        suggested = suggestion(-HOUR, DAY, explanation=PAGE)
        planned = plan(configuration(spec("example.org")), world(40 * DAY, suggested))
        item = planned.lineages[0]
        assert item.reason is Reason.SUGGESTED
        assert item.order is not None
        assert item.order.replaces == ID
        text = "\n".join(explain(planned))
        assert (
            f"issue (suggested: 40 days left, the CA suggests 2026-11-23T11:00:00Z to 2026-11-24T12:00:00Z: {PAGE}"
            in text
        )
        assert "in the place of the present certificate" in text

    def test_a_time_to_come_is_when_to_look_again(self) -> None:
        item = plan(configuration(spec("example.org")), world(20 * DAY, suggestion(5 * DAY, 6 * DAY))).lineages[0]
        assert item.reason is Reason.CURRENT
        assert item.order is None
        assert item.wake_at == NOW + 5 * DAY

    def test_a_certificate_that_the_ca_did_not_answer_for_is_not_named(self) -> None:
        item = plan(configuration(spec("example.org")), world(20 * DAY, None)).lineages[0]
        assert item.reason is Reason.EXPIRING
        assert item.order is not None
        assert item.order.replaces == ""

    def test_the_same_certificate_has_the_same_fingerprint_whatever_the_ca_says(self) -> None:
        page = configuration(spec("example.org"))
        prints = {
            plan(page, world(40 * DAY, suggested)).lineages[0].fingerprint
            for suggested in (None, suggestion(-HOUR, DAY), suggestion(DAY, 2 * DAY))
        }
        assert len(prints) == 1

    def test_a_revocation_is_told(self) -> None:
        (finding,) = findings(85 * DAY, suggestion(-2 * HOUR, -HOUR, explanation=PAGE))
        assert finding.severity is Severity.WARNING
        assert finding.message == (
            "example.org: the CA wants this certificate replaced at once: the time for it ended 60 min ago, "
            "at 2026-11-23T11:00:00Z"
        )
        assert PAGE in finding.consequence

    def test_late_in_its_life_a_window_is_told_that_was_moved(self) -> None:
        assert findings(10 * DAY, suggestion(-2 * HOUR, -HOUR, hurried=True))
        # Nobody was here while it was open.
        assert not findings(10 * DAY, suggestion(-2 * HOUR, -HOUR))

    def test_a_window_that_is_open_is_no_news(self) -> None:
        assert not findings(85 * DAY, suggestion(-HOUR, HOUR, hurried=True))


def test_advice_that_cannot_be_kept_is_told() -> None:
    finding = advice_finding(CertkeeperError("/s/ari.json: no space left", hint="free some"))
    assert "/s/ari.json: no space left" in finding.message
    assert finding.fix == "free some"
