"""Which versions are newer than what is live, and which one may be gone back to."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders.certificates import NOW
from certkeeper.base.names import Alias
from certkeeper.lineage.goingback import newer, older, unfit, way_back
from certkeeper.lineage.model import Leaf, Lineage, Version

DAY = timedelta(days=1)


def leaf(began: datetime, serial: str = "", *, ends: datetime | None = None) -> Leaf:
    named = serial or f"{int(began.timestamp()):x}"
    return Leaf("k" + named, frozenset(), began, ends or began + 90 * DAY, named, "CN=CA")


def version(days_ago: float) -> Version:
    began = NOW - days_ago * DAY
    return Version(int(began.timestamp()), f"k{int(began.timestamp()):x}", leaf(began))


def present(live: Version | None) -> Lineage:
    made = Lineage(Alias("example.org"))
    return made if live is None else replace(made, leaf=live.leaf, stamp=live.stamp, key_id=live.key_id)


OLDEST, OLD, LIVE, NEW = version(60), version(40), version(20), version(1)
ALL = (OLD, NEW, LIVE, OLDEST)


def test_the_version_before_the_live_one_is_gone_back_to() -> None:
    found = way_back(present(LIVE), ALL, NOW)
    assert (found.to, found.passed_over) == (OLD, ())


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(OLD, leaf=leaf(NOW - 40 * DAY, ends=NOW)), "expired on 2026-11-23"),
        (replace(OLD, revoked=4), "was revoked"),
        (replace(OLD, revoked=0, leaf=None, trouble="lacks cert.pem"), "was revoked"),
        (replace(OLD, compromised=True), "has a key that others have: a certificate with it was revoked"),
        (replace(OLD, trouble="lacks privkey.pem"), "is not whole: lacks privkey.pem"),
        (
            replace(OLD, trouble="privkey.pem is not his"),
            "is not whole: privkey.pem is not his",
        ),
    ],
)
def test_a_version_that_services_cannot_be_given_is_passed_over_with_the_reason(bad: Version, why: str) -> None:
    assert unfit(bad, NOW) == why
    found = way_back(present(LIVE), [OLDEST, bad, LIVE, NEW], NOW)
    assert found.to == OLDEST
    assert [str(item) for item in found.passed_over] == [f"version {OLD.stamp} {why}"]


def test_a_version_of_tomorrow_is_not_for_today() -> None:
    assert unfit(replace(NEW, leaf=leaf(NOW + 2 * DAY)), NOW) == "is not valid before 2026-11-25"
    # This machine's clock may be a little behind.
    assert unfit(replace(NEW, leaf=leaf(NOW + timedelta(minutes=59))), NOW) == ""


def test_where_every_older_version_is_of_no_use_there_is_no_way_back() -> None:
    bad = [replace(OLD, revoked=0), replace(OLDEST, trouble="lacks cert.pem")]
    found = way_back(present(LIVE), [*bad, NEW, LIVE], NOW)
    assert found.to is None
    assert [item.stamp for item in found.passed_over] == [OLD.stamp, OLDEST.stamp]


def test_the_wanted_version_and_no_other_is_gone_back_to() -> None:
    assert way_back(present(LIVE), ALL, NOW, OLDEST.stamp).to == OLDEST
    assert way_back(present(LIVE), ALL, NOW, NEW.stamp).to is None
    expired = replace(OLDEST, leaf=leaf(NOW - 100 * DAY))
    refused = way_back(present(LIVE), [OLD, LIVE, expired], NOW, OLDEST.stamp)
    assert refused.to is None
    assert [item.stamp for item in refused.passed_over] == [OLDEST.stamp]


def test_versions_are_newer_by_their_stamp_or_by_their_certificate() -> None:
    assert newer(present(LIVE), ALL) == (NEW,)
    assert older(present(LIVE), ALL) == (OLD, OLDEST)
    # The clock was wrong when the live one was made: its stamp is far ahead of the new one's.
    ahead = replace(LIVE, stamp=int((NOW + 900 * DAY).timestamp()))
    assert newer(present(ahead), [OLD, NEW, ahead]) == (NEW,)
    # Another CA begins its certificates an hour back.
    back = replace(NEW, leaf=leaf(NOW - 21 * DAY))
    assert newer(present(LIVE), [OLD, back, LIVE]) == (back,)


def test_in_a_folder_of_dehydrateds_certificates_count() -> None:
    theirs = replace(present(LIVE), stamp=None)
    assert newer(theirs, ALL) == (NEW,)
    assert older(theirs, ALL) == (OLD, OLDEST)


def test_before_anything_was_live_all_is_newer() -> None:
    assert newer(present(None), [NEW, OLD]) == (NEW, OLD)
    assert way_back(present(None), [NEW, OLD], NOW).to is None


def test_a_live_version_that_cannot_be_read_is_gone_back_from() -> None:
    torn = replace(present(LIVE), leaf=None, trouble="cert.pem: a link to nothing")
    assert way_back(torn, ALL, NOW).to == OLD
