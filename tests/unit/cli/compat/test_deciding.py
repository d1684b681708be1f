"""Due or not, as dehydrated decides it."""

from datetime import UTC, datetime, timedelta

import pytest

from certkeeper.base.errors import Location
from certkeeper.base.names import Alias, Identifier
from certkeeper.cli.compat.deciding import judge, openssl_date, processing
from certkeeper.config.settings import CertSpec, RenewPolicy
from certkeeper.lineage.model import Leaf, Lineage

NOW = datetime(2027, 2, 1, 3, 4, 5, tzinfo=UTC)


def spec(*names: str, alias: str = "", days: int = 32) -> CertSpec:
    identifiers = tuple(Identifier.parse(name) for name in names)
    return CertSpec(
        Alias(alias or names[0]), identifiers, Location("domains.txt", 1), "https://ca.test", renew=RenewPolicy(days)
    )


def lineage(*names: str, left: timedelta) -> Lineage:
    identifiers = frozenset(Identifier.parse(name) for name in names)
    return Lineage(Alias("a.org"), Leaf("00", identifiers, NOW - timedelta(days=60), NOW + left, "1", "CN=CA"))


@pytest.mark.row("F08")
@pytest.mark.parametrize(
    ("left", "due"),
    [
        (timedelta(days=32, seconds=1), False),
        (timedelta(days=32), True),
        (timedelta(days=31, hours=23), True),
        (-timedelta(days=1), True),
    ],
)
def test_the_limit_itself_renews(left: timedelta, *, due: bool) -> None:
    verdict = judge(spec("a.org"), lineage("a.org", left=left), NOW, forced=False)
    assert verdict.due is due
    assert ("(Less than 32 days). Renewing!" in verdict.lines[-1]) is due


def test_the_date_is_openssls() -> None:
    assert openssl_date(datetime(2027, 2, 1, 7, 37, 3, tzinfo=UTC)) == "Feb  1 07:37:03 2027 GMT"


def test_the_order_of_names_is_no_change() -> None:
    there = lineage("a.org", "b.org", left=timedelta(days=60))
    assert judge(spec("b.org", "a.org"), there, NOW, forced=False).lines[0].endswith(" unchanged.")


def test_names_that_changed_are_listed_sorted_and_without_prefix() -> None:
    there = lineage("b.org", "ip:192.0.2.7", left=timedelta(days=60))
    verdict = judge(spec("z.org", "a.org", "ip:192.0.2.7"), there, NOW, forced=False)
    assert verdict.due
    assert verdict.lines[2:4] == (
        " + Names in old certificate: 192.0.2.7 b.org",
        " + Configured names: 192.0.2.7 a.org z.org",
    )
    assert verdict.lines[-1].endswith("Ignoring because renew was forced!")


def test_force_compares_nothing() -> None:
    verdict = judge(spec("z.org"), lineage("a.org", left=timedelta(days=60)), NOW, forced=True)
    assert (verdict.due, len(verdict.lines)) == (True, 2)


def test_a_reason_of_ours_is_told() -> None:
    verdict = judge(spec("a.org"), lineage("a.org", left=timedelta(days=60)), NOW, forced=False, other="it was revoked")
    assert verdict.due
    assert " + Certificate has to be replaced: it was revoked" in verdict.lines


def test_a_link_to_nothing_is_no_certificate_and_garbage_is_told() -> None:
    dangling = Lineage(Alias("a.org"), trouble="cert.pem: a link to nothing (cert-1.pem)")
    assert judge(spec("a.org"), dangling, NOW, forced=False).note == ""
    garbage = Lineage(Alias("a.org"), trouble="cert.pem: holds no PEM certificate")
    assert "holds no PEM certificate" in judge(spec("a.org"), garbage, NOW, forced=False).note


@pytest.mark.row("D01", "D02")
def test_the_line_that_begins_a_certificate() -> None:
    first, second, third = (Identifier.parse(name) for name in ("a.org", "b.org", "c.org"))
    assert processing((first,), "a.org") == "Processing a.org"
    assert processing((first,), "x") == "Processing a.org"
    assert processing((first, second, third), "a.org") == "Processing a.org with alternative names: b.org c.org"
    assert processing((first, second), "x") == "Processing a.org with alternative names: b.org "
