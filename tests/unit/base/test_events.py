from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from certkeeper.base import events, progress, stapled
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import (
    AccountRegistered,
    CertificateIssued,
    CertificatesAdopted,
    CertificatesSeen,
    CertificateStaged,
    CredentialsRequested,
    DeploymentFailed,
    DeploymentNoted,
    Event,
    HookCalled,
    LineageFailed,
    NamesProven,
    Noted,
    OrderOpened,
    OrdersPostponed,
    RequestTaken,
    ScriptTrusted,
    ServerSeen,
    ServersIgnored,
    ServersWaited,
    ServiceReloaded,
    VersionActivated,
    ZoneChanged,
    ZoneProven,
    ZoneUnproven,
    count,
)
from certkeeper.base.progress import Advanced
from certkeeper.base.stapled import CertificateRevoked, StapleKept

EVENTS: list[tuple[Event, str, str]] = [
    (
        Advanced(4200, 0, 0, 10_000, 87.5, 48.3, timedelta(seconds=120)),
        "advanced",
        "4,200 of 10,000 issued, 48/s, about 2 min left",
    ),
    (Advanced(1, 2, 30, 50, 60.0, 0.55, None), "advanced", "1 of 50 issued, 2 failed, 30 postponed, 33/min"),
    (
        StapleKept("example.org", "2026-12-08T04:00:00Z"),
        "staple-kept",
        "example.org: new OCSP response, good until 2026-12-08T04:00:00Z",
    ),
    (
        CertificateRevoked("example.org", "the CA says so"),
        "certificate-revoked",
        "example.org: REVOKED: the CA says so",
    ),
    (
        CredentialsRequested("https://ca.example/pairs", "me@example.org"),
        "credentials-requested",
        "https://ca.example/pairs: asked for a key id and an HMAC key for me@example.org",
    ),
    (
        AccountRegistered("https://ca.example/dir", "https://ca.example/acct/1"),
        "account-registered",
        "https://ca.example/dir: account registered as https://ca.example/acct/1",
    ),
    (OrderOpened("example.org", "pending", 1), "order-opened", "example.org: order opened for 1 name"),
    (
        OrderOpened("example.org", "ready", 3),
        "order-opened",
        "example.org: order opened for 3 names, nothing left to prove",
    ),
    (
        OrdersPostponed(("a.test",), "postponed to Friday"),
        "orders-postponed",
        "1 certificate postponed to Friday: a.test",
    ),
    (
        OrdersPostponed(tuple("abcdefghijkl"), "postponed"),
        "orders-postponed",
        "12 certificates postponed: a, b, c, d, e, f, g, h, i, j and 2 more",
    ),
    (
        ZoneChanged("example.org", "added", 2, 1),
        "zone-changed",
        "zone example.org: 2 challenge records of 1 certificate added",
    ),
    (ZoneChanged("a.org", "changed", 2, 0, "TLSA record"), "zone-changed", "zone a.org: 2 TLSA records changed"),
    (ZoneChanged("example.org", "removed", 1, 0), "zone-changed", "zone example.org: 1 challenge record removed"),
    (
        ServersWaited("example.org", ("ns1.example.net", "192.0.2.1")),
        "servers-waited",
        "zone example.org: waiting for ns1.example.net, 192.0.2.1",
    ),
    (
        ZoneProven("example.org", (ServerSeen("ns1.example.net", 1.26),), 1.26),
        "zone-proven",
        "zone example.org: served by ns1.example.net after 1.3 s",
    ),
    (
        ZoneUnproven("example.org", (ServerSeen("ns1.example.net", None),), 30.04),
        "zone-unproven",
        "zone example.org: not served everywhere after 30.0 s",
    ),
    (
        ServersIgnored("example.org", ("ns3.example.net", "192.0.2.7")),
        "servers-ignored",
        "zone example.org: not asked, as DNS_IGNORE says: ns3.example.net, 192.0.2.7",
    ),
    (
        RequestTaken("example.org", "hook.sh", ("example.org", "www.example.org")),
        "request-taken",
        "example.org: hook hook.sh gave the certificate request, for example.org www.example.org",
    ),
    (
        ScriptTrusted("example.org", "no name servers"),
        "script-trusted",
        "zone example.org: nobody looks for the records here: the script's word counts, as in all such zones",
    ),
    (Noted("example.org", "the page could not be written"), "noted", "example.org: the page could not be written"),
    (NamesProven("example.org"), "names-proven", "example.org: the CA accepts every name"),
    (
        CertificateIssued("example.org", "2026-11-23T20:15:00Z", "/certs/example.org"),
        "certificate-issued",
        "example.org: certificate valid until 2026-11-23T20:15:00Z is live in /certs/example.org",
    ),
    (
        CertificateStaged("example.org", "2026-11-23T20:15:00Z", 1764000000),
        "certificate-staged",
        (
            "example.org: certificate valid until 2026-11-23T20:15:00Z is staged as version 1764000000, and waits for "
            "certkeeper activate example.org"
        ),
    ),
    (
        VersionActivated("example.org", "2026-11-23T20:15:00Z", 1764000000, 1763000000),
        "version-activated",
        (
            "example.org: version 1764000000, valid until 2026-11-23T20:15:00Z, is live, in the place of version "
            "1763000000"
        ),
    ),
    (
        HookCalled("example.org", "/etc/hook.sh", "deploy_cert", "reloaded\x1b[31m nginx\n"),
        "hook-called",
        "example.org: hook /etc/hook.sh deploy_cert done: reloaded [31m nginx",
    ),
    (
        LineageFailed("example.org", CertkeeperError("order: rateLimited")),
        "lineage-failed",
        "example.org: order: rateLimited",
    ),
    (ServiceReloaded("nginx", tuple("abcdef")), "service-reloaded", "nginx: reloaded for a, b, c, d, e and 1 more"),
    (
        CertificatesSeen("nginx", ("a.test",), ("https://a.test:443",), 3),
        "certificates-seen",
        "nginx: deployed a.test: seen at https://a.test:443 and 2 more",
    ),
    (
        CertificatesAdopted("nginx", ("a.test", "b.test")),
        "certificates-adopted",
        "nginx: has a.test, b.test already, and was not reloaded",
    ),
    (DeploymentNoted("nginx: a.test", "it does not run"), "deployment-noted", "nginx: a.test: it does not run"),
    (
        DeploymentFailed("nginx: a.test", CertkeeperError("its test says: no")),
        "deployment-failed",
        "nginx: a.test: its test says: no",
    ),
]


@pytest.mark.parametrize(("event", "label", "text"), EVENTS, ids=lambda item: type(item).__name__)
def test_an_event_has_a_label_for_machines_and_a_line_for_people(event: Event, label: str, text: str) -> None:
    assert event.label == label
    assert event.text == text
    assert event.text.isprintable()
    assert not event.text.endswith(".")


def test_every_event_is_tested_and_labels_are_unique() -> None:
    kinds = {type(event) for event, _, _ in EVENTS}
    # __subclasses__ would also list the classes that slots=True has replaced.
    named = [value for value in (vars(events) | vars(progress) | vars(stapled)).values() if isinstance(value, type)]
    product = {kind for kind in named if issubclass(kind, Event) and kind is not Event}
    assert kinds == product
    assert len({kind.label for kind in product}) == len(product)


def test_an_event_without_words_of_its_own_shows_its_fields() -> None:
    @dataclass(frozen=True, slots=True)
    class Made(Event):
        zone: str
        number: int

    assert Made("example.org", 3).text == "example.org 3"


@pytest.mark.parametrize(("number", "text"), [(0, "0 names"), (1, "1 name"), (2, "2 names")])
def test_one_name_two_names(number: int, text: str) -> None:
    assert count(number, "name") == text


class TestDetails:
    FAST = ServerSeen("ns1", 0.1, 5, ("udp", "tcp"), signed=True)

    def test_one_line_does_where_servers_agree(self) -> None:
        event = ZoneProven("example.org", (self.FAST, replace(self.FAST, server="ns2", seconds=0.9)), 0.9, ("9.9.9.9",))
        assert event.text == (
            "zone example.org: served by ns1, ns2, seen by 9.9.9.9 after 0.9 s (serial 5, udp and tcp, signed)"
        )
        assert event.details == ()

    @pytest.mark.parametrize(
        ("other", "line"),
        [
            (replace(FAST, server="ns2", seconds=5.0), "ns2: after 5.0 s, serial 5, udp and tcp, signed"),
            (replace(FAST, server="ns2", serial=6), "ns2: after 0.1 s, serial 6, udp and tcp, signed"),
            (replace(FAST, server="ns2", over=("udp",)), "ns2: after 0.1 s, serial 5, udp, signed"),
            (replace(FAST, server="ns2", note="odd"), "ns2: after 0.1 s, serial 5, udp and tcp, signed, odd"),
        ],
    )
    def test_a_line_each_where_they_differ(self, other: ServerSeen, line: str) -> None:
        event = ZoneProven("example.org", (self.FAST, other), 5.0)
        assert event.details == ("ns1: after 0.1 s, serial 5, udp and tcp, signed", line)
