"""Pages for browsers: one with everything on it, one of strangers' worst, one of very many certificates."""

from datetime import UTC, datetime, timedelta

from certkeeper.cli.report.model import Certificate, Found, Given, Happened, Mood, Owner, Page, Server, Zone
from certkeeper.plan.state import State

NOW = datetime(2026, 12, 1, 4, 40, tzinfo=UTC)
EVIL = '"><script>alert(1)</script><img src=http://evil.test/x onerror=alert(2)>&amp;\u202egnp\x1b[31m'
RECORD = f"3 1 1 {'8f5c1e3a' * 8}"


def at(days: float) -> datetime:
    return NOW + timedelta(days=days)


def certificate(alias: str, left: float = 60, mood: Mood = Mood.GOOD, state: State = State.OK) -> Certificate:
    """One of 90 days that is renewed 30 days before its end."""
    return Certificate(
        alias, state, mood, (alias, f"www.{alias}"), "ca", at(left - 90), at(left), at(left - 30), services=(given(),)
    )


def given(service: str = "nginx", mood: Mood = Mood.GOOD, said: str = "seen", message: str = "") -> Given:
    return Given(service, mood, said, message)


def whole_page() -> Page:
    """Something in every part."""
    failed = Certificate(
        "shop.example.com",
        State.FAILED,
        Mood.WRONG,
        ("shop.example.com", *(f"shop{number}.example.com" for number in range(6))),
        "ca",
        at(-75),
        at(15),
        at(-15),
        "15 days left, renewed 30 days before",
        ("last run, 1 Dec 2026 04:00 UTC: CAA record for example.com forbids issuance",),
        "good",
        Mood.GOOD,
        at(4),
        (given("dovecot", Mood.WRONG, "not taken", "the test of the configuration failed"), given()),
    )
    missing = Certificate("new.example.org", State.MISSING, Mood.WRONG, ("new.example.org",), next="not issued yet")
    servers = (Server("ns1.example.org", "serial 7", Mood.GOOD), Server("ns2.example.org", "no answer", Mood.WRONG))
    return Page(
        "mx1.example.org",
        NOW,
        "1.0",
        (failed, missing, certificate("example.org"), certificate("a-long-name.of-a-department.intranet.example.net")),
        at(20),
        "example.org",
        (Found(Mood.WRONG, "warning", "LOCKFILE can be written by others", "name another one"),),
        ("old.example.org",),
        (Owner("_25._tcp.mail.example.org", Mood.GOOD, "steady", ("mail.example.org",), (RECORD,), "secure", NOW),),
        (
            Zone("example.org", Mood.GOOD, "serial 7", servers, (Found(Mood.UNKNOWN, "note", "is signed"),), NOW),
            Zone("example.net", Mood.WRONG, "cannot be read", looked=NOW),
        ),
        (Happened(NOW, Mood.WRONG, "shop.example.com", "failed", "the CA refused it"),),
    )


def evil_page() -> Page:
    """Every text is a stranger's."""
    return Page(
        EVIL,
        NOW,
        EVIL,
        (
            Certificate(
                EVIL,
                State.FAILED,
                Mood.WRONG,
                (EVIL, *([EVIL * 2] * 9)),
                EVIL,
                at(-1),
                at(5),
                at(2),
                EVIL,
                (EVIL,),
                EVIL,
                Mood.WRONG,
                at(3),
                (given(EVIL, Mood.WRONG, EVIL, EVIL),),
            ),
        ),
        at(1),
        EVIL,
        (Found(Mood.WRONG, EVIL, EVIL, EVIL),),
        (EVIL,),
        (Owner(EVIL, Mood.WRONG, EVIL, (EVIL,), (EVIL,), EVIL, NOW),),
        (Zone(EVIL, Mood.WRONG, EVIL, (Server(EVIL, EVIL, Mood.WRONG),), (Found(Mood.WRONG, EVIL, EVIL, EVIL),), NOW),),
        (Happened(NOW, Mood.WRONG, EVIL, EVIL, EVIL),),
    )


def long_page(number: int) -> Page:
    """So many certificates, of which three are not in order."""
    wrong = [certificate(f"bad{index}.example.org", 10, Mood.WRONG, State.FAILED) for index in range(3)]
    rest = [
        certificate(f"customer-{index:05}.hosting.example.net", 31 + index * 59 / number) for index in range(number - 3)
    ]
    return Page("mx1.example.org", NOW, "1.0", (*wrong, *rest), NOW)
