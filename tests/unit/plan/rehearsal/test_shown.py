"""Days that were played, as text and as JSON."""

import json
from datetime import timedelta

from builders.certificates import NOW
from certkeeper.base.names import Alias
from certkeeper.config.authority import LETSENCRYPT
from certkeeper.config.rate import OrderRate
from certkeeper.plan.rehearsal.ca import Limited
from certkeeper.plan.rehearsal.document import document
from certkeeper.plan.rehearsal.limits import Touched
from certkeeper.plan.rehearsal.picture import picture
from certkeeper.plan.rehearsal.result import Lapse, Load, Nearest, Outage, Question, Rehearsed, Replacement

DAY = timedelta(days=1)
LOADS = tuple(Load((NOW + at * DAY).date(), at * 40, 0, 3 if at == 2 else 0, at * 30) for at in range(4))
DONE = Rehearsed(
    Question(NOW, 4, DAY / 2, Outage(NOW, NOW + DAY), NOW + DAY),
    certificates=200,
    loads=LOADS,
    lapses=tuple(Lapse(Alias(f"n{at}.test"), NOW, NOW + DAY if at else None) for at in range(12)),
    nearest=(Nearest(Alias("b.test"), NOW, 3 * DAY),),
    limits=(
        Touched(LETSENCRYPT, Limited.DOMAIN, OrderRate(50, 7 * DAY), "example.org", 7, NOW, counted=43, refused=2),
    ),
    exempt={LETSENCRYPT: 9},
    stuck={Alias("s.test"): "no zone"},
    held=(Alias("h.test"),),
    lives={(LETSENCRYPT, ""): 90 * DAY, (LETSENCRYPT, "tlsserver"): 45 * DAY},
    replacement=Replacement(NOW + DAY, 5, 4, NOW + 2 * DAY, 1),
)


def test_the_picture_fits_a_terminal_and_is_plain_text() -> None:
    lines = list(picture(DONE))
    assert max(len(line) for line in lines) <= 80
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert lines[0] == "200 certificates, 4 days from 2026-11-23, a run every 12 h"
    assert "day         issued  waiting  a # is 3 certificates" in lines
    assert f"2026-11-25      80        3  {'#' * 27}" in lines
    assert "2026-11-23       0" in lines


def test_it_says_what_would_go_wrong() -> None:
    text = "\n".join(picture(DONE))
    for said in (
        "240 issued, 60.0 a day; most on 2026-11-26: 120; most in a run: 90",
        "revocation: 4 of 5 replaced by the end",
        "revocation: 1 certificate not replaced",
        "expired: 12 certificates",
        "    n0.test 2026-11-23T12:00:00Z, not replaced",
        "    n1.test 2026-11-23T12:00:00Z, replaced 2026-11-24T12:00:00Z",
        "    and 2 more",
        "    b.test 2026-11-23T12:00:00Z, 3 days left",
        "    s.test: no zone",
        "held back, and left out: h.test",
    ):
        assert said in text
    flat = " ".join(text.split())
    assert "new certificates per registered domain, 50 orders in 7 days: fewest left 7" in flat
    assert "fewest left 7 for example.org, 2026-11-23T12:00:00Z; 43 counted, 2 refused" in flat
    assert f"at {LETSENCRYPT}: 9 renewals at the time that the CA suggested" in flat


def test_many_days_share_rows() -> None:
    loads = tuple(Load((NOW + at * DAY).date(), 10 if at % 7 else 70, 0, 0, 5) for at in range(365))
    lines = list(picture(Rehearsed(Question(NOW, 365, DAY), 1, loads)))
    rows = [line for line in lines if line.startswith("202")]
    assert len(rows) == 53
    assert rows[0] == f"2026-11-23     130           {'#' * 10}{'+' * 25}"
    assert "expired: none" in lines


def test_the_document_has_all_of_it() -> None:
    found = json.loads(json.dumps(document(DONE)))
    assert found["issued"] == 240
    assert found["load"][2] == {
        "day": "2026-11-25", "issued": 80, "refused": 0, "waiting": 3, "most_in_a_run": 60,
    }  # fmt: skip
    assert found["expired"][0] == {"alias": "n0.test", "at": "2026-11-23T12:00:00Z", "replaced_at": None}
    assert found["limits"][0]["limit"] == "new certificates per registered domain"
    assert (found["limits"][0]["least_left"], found["limits"][0]["of"]) == (7, "example.org")
    assert found["revoked"]["replaced"] == 4
    assert found["outage"]["end"] == "2026-11-24T12:00:00Z"
    assert found["nearest"][0]["left"] == 3 * 86400
    assert found["lives"][1] == {"ca": LETSENCRYPT, "profile": "tlsserver", "seconds": 45 * 86400}
    assert found["sources"]["limits"].startswith("https://letsencrypt.org/")
    assert (found["stuck"], found["held"]) == ({"s.test": "no zone"}, ["h.test"])
