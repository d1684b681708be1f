"""What of a run's events is kept, and what versions tell beside it."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted
from certkeeper.base.events import (
    CertificateIssued,
    CertificatesAdopted,
    CertificatesSeen,
    CertificateStaged,
    DeploymentFailed,
    DeploymentNoted,
    Event,
    LineageFailed,
    NamesProven,
    Noted,
    OrderOpened,
    VersionActivated,
    ZoneChanged,
)
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.stapled import CertificateRevoked
from certkeeper.base.times import from_epoch
from certkeeper.lineage.model import Leaf, Version
from certkeeper.plan.actions import Postponed
from certkeeper.plan.backoff import BackedOff
from certkeeper.plan.history import Happening, Kind, from_versions, happening_of

A = "a.test"
NOT_TAKEN = CertkeeperError("nginx -t failed", hint="look at it")

KEPT: list[tuple[Event, Happening]] = [
    (OrderOpened(A, "pending", 2), Happening(NOW, Kind.ORDERED, (A,), "order opened for 2 names")),
    (
        CertificateIssued(A, "2027-03-01T00:00:00Z", "/certs/a.test"),
        Happening(NOW, Kind.ISSUED, (A,), "valid until 2027-03-01T00:00:00Z, and live"),
    ),
    (
        CertificateStaged(A, "2027-03-01T00:00:00Z", 7),
        Happening(NOW, Kind.STAGED, (A,), "valid until 2027-03-01T00:00:00Z, staged as version 7"),
    ),
    (
        VersionActivated(A, "2027-03-01T00:00:00Z", 7, 6),
        Happening(
            NOW, Kind.ACTIVATED, (A,), "version 7, valid until 2027-03-01T00:00:00Z, is live, in the place of version 6"
        ),
    ),
    (
        VersionActivated(A, "2027-03-01T00:00:00Z", 6, 7),
        Happening(
            NOW, Kind.WENT_BACK, (A,), "version 6, valid until 2027-03-01T00:00:00Z, is live, in the place of version 7"
        ),
    ),
    (
        LineageFailed(A, CertkeeperError("a.test: no such zone", hint="make it")),
        Happening(NOW, Kind.FAILED, (A,), "no such zone", hint="make it"),
    ),
    (CertificateRevoked(A, "the CA says so"), Happening(NOW, Kind.REVOKED, (A,), "the CA says so")),
    (
        CertificatesSeen("nginx", (A, "b.test"), ("a.test:443",), 3),
        Happening(NOW, Kind.DEPLOYED, (A, "b.test"), "seen at a.test:443 and 2 more", "nginx"),
    ),
    (CertificatesAdopted("nginx", (A,)), Happening(NOW, Kind.DEPLOYED, (A,), "it had it already", "nginx")),
    (
        DeploymentNoted("nginx: a.test", "it does not run", (A,)),
        Happening(NOW, Kind.DEPLOYED, (A,), "it does not run", "nginx"),
    ),
    (
        DeploymentFailed("nginx: a.test", NOT_TAKEN, (A,)),
        Happening(NOW, Kind.NOT_DEPLOYED, (A,), "nginx -t failed", "nginx", "look at it"),
    ),
]


@pytest.mark.parametrize(("event", "kept"), KEPT, ids=[type(event).__name__ for event, _ in KEPT])
def test_what_lasts_is_kept(event: Event, kept: Happening) -> None:
    assert happening_of(event, NOW) == kept


@pytest.mark.parametrize(
    "event",
    [
        NamesProven(A),
        Noted(A, "it is cold"),
        ZoneChanged("a.test", "added", 1, 1),
        DeploymentNoted("nginx: a.test", "what was there is kept"),
        LineageFailed(A, BackedOff("waits")),
        LineageFailed(A, Postponed("later", retry_at=NOW)),
        LineageFailed(A, Interrupted(ExitCode.TERMINATED)),
    ],
)
def test_single_steps_and_what_was_not_even_tried_are_not(event: Event) -> None:
    assert happening_of(event, NOW) is None


def version(stamp: int, days: int) -> Version:
    leaf = Leaf(
        identifiers=frozenset({Identifier.parse(A)}),
        not_before=from_epoch(stamp),
        not_after=from_epoch(stamp) + timedelta(days=days),
        serial="1",
        issuer="CA",
        key_id="k",
    )
    return Version(stamp=stamp, key_id="k", leaf=leaf)


def test_versions_tell_what_was_never_written_down() -> None:
    known = [Happening(from_epoch(1000), Kind.ISSUED, (A,), "valid until 1970-01-02T00:16:40Z, and live")]
    found = list(from_versions(Alias.parse(A), [version(1000, 1), version(90000, 2)], known))
    assert [(item.at, item.kind, item.certificates) for item in found] == [(from_epoch(90000), Kind.ISSUED, (A,))]
    assert "version 90000" in found[0].text
