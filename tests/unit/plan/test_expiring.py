"""Certificates that end soon, and revoked ones."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import leaf, lineage, spec
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.config.settings import Purpose
from certkeeper.plan.actions import LineagePlan, Reason
from certkeeper.plan.alerts import Kind
from certkeeper.plan.expiring import expiring, revoked, soon

DAY = timedelta(days=1)
WEB = spec("web.test", alias="web")


@pytest.mark.parametrize(
    ("life", "left", "said"),
    [
        (90, 11, ""),
        (90, 9, "the certificate ends on 2026-"),
        (90, -1, "the certificate ended on 2026-"),
        # A tenth of the days of a short life would be all of it.
        (6, 2, ""),
        (6, 0.5, "the certificate ends on 2026-"),
    ],
)
def test_what_ends_soon(life: float, left: float, said: str) -> None:
    found = {WEB.alias: lineage("web", leaf("web.test", left=left * DAY, life=life * DAY))}
    troubles = list(expiring([WEB], found, 10 * DAY, NOW))
    assert [(item.subject, item.kind) for item in troubles] == ([("web", Kind.EXPIRING)] if said else [])
    assert not said or troubles[0].message.startswith(said)


def test_from_then_on() -> None:
    found = leaf("web.test", left=60 * DAY, life=90 * DAY)
    assert soon(found, 10 * DAY) == NOW + 50 * DAY
    assert soon(replace(found, not_before=found.not_after - 6 * DAY), 10 * DAY) == NOW + 59 * DAY


def test_what_nobody_reads_and_what_is_not_there_do_not_end() -> None:
    ends = {WEB.alias: lineage("web", leaf("web.test", left=DAY))}
    assert list(expiring([replace(WEB, purpose=Purpose.REHEARSE)], ends, 10 * DAY, NOW)) == []
    assert list(expiring([WEB], {WEB.alias: lineage("web")}, 10 * DAY, NOW)) == []


def test_what_was_revoked_and_whether_it_was_replaced() -> None:
    item = LineagePlan(WEB, Reason.REVOKED, "keyCompromise", (), ())
    (trouble,) = revoked([item, replace(item, reason=Reason.CURRENT)], ())
    assert (trouble.subject, trouble.kind) == ("web", Kind.REVOKED)
    assert trouble.message == "the certificate was revoked: keyCompromise"
    (trouble,) = revoked([item], {Alias("web")})
    assert trouble.message.endswith("; another one is live since this run")
