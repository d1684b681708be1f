"""The table of `certkeeper status`: it fits every terminal, and what found no place is below."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import leaf, lineage, spec
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.cli.statusdocument import Row
from certkeeper.cli.statustable import table
from certkeeper.cli.tlsalines import InDns
from certkeeper.plan.actions import Reason
from certkeeper.plan.due import Decision
from certkeeper.plan.inservices import InService, Progress
from certkeeper.plan.instaples import InStaple, Response
from certkeeper.plan.state import State

DAY = timedelta(days=1)


def row(name: str = "example.org", *, due: bool = False, full: bool = False) -> Row:
    end = 29 if due else 80
    decision = (
        Decision(Reason.EXPIRING, "29 days left, renewed 32 days before", NOW - 3 * DAY)
        if due
        else Decision(Reason.CURRENT, "valid", NOW + (end - 30) * DAY)
    )
    return Row(
        spec(name),
        lineage(name, leaf(name, left=end * DAY)),
        decision,
        (),
        None,
        None,
        State.DUE if due else State.OK,
        services=(InService("nginx", Progress.SEEN), InService("postfix", Progress.OWED)) if full else (),
        staple=InStaple(Response.GOOD) if full else None,
        records=InDns(None, ()) if full else None,
    )


def test_a_page_that_uses_nothing_more_has_no_columns_for_it() -> None:
    head, (line,) = table([row()], NOW, 80)
    assert head.split() == ["STATE", "CERTIFICATE", "EXPIRES", "RENEWS", "WHY"]
    assert line.text.split() == [
        "ok",
        "example.org",
        "80",
        "days",
        f"{NOW + 50 * DAY:%Y-%m-%d}",
        "30",
        "days",
        "before",
    ]
    assert line.below == ()


def test_all_of_it_where_there_is_room() -> None:
    head, (line,) = table([row(full=True)], NOW, 120)
    assert head.split() == ["STATE", "CERTIFICATE", "EXPIRES", "RENEWS", "TLSA", "OCSP", "SERVICES", "WHY"]
    assert line.text.split()[5:10] == ["unknown", "good", "1", "of", "2"]


@pytest.mark.parametrize("room", range(40, 140, 3))
@pytest.mark.parametrize("name", ["a.test", "a-rather-long-name-of-a-host.department.subsidiary.example.org"])
def test_no_line_is_wider_than_the_terminal(room: int, name: str) -> None:
    rows = [row(name, full=True), row("b.test", due=True)]
    head, lines = table(rows, NOW, room)
    assert max(map(len, (head, *(line.text for line in lines)))) <= room
    # When it is renewed is worth more than what is beside the certificate.
    assert head.split()[:3] == ["STATE", "CERTIFICATE", "EXPIRES"]
    assert ("RENEWS" in head) or "SERVICES" not in head
    due = lines[1]
    assert "expiring: 29 days left" in due.text or due.below == ("    expiring: 29 days left, renewed 32 days before",)


def test_what_waits_says_until_when_and_what_a_service_refuses_that_it_does() -> None:
    waiting = Row(
        spec("a.test"),
        lineage("a.test"),
        Decision(Reason.MISSING, "no certificate yet"),
        (),
        CertkeeperError("later", retry_at=NOW + DAY),
        None,
        State.FAILED,
        services=(InService("nginx", Progress.SEEN), InService("postfix", Progress.FAILED)),
    )
    _, (line,) = table([waiting], NOW, 80)
    assert line.text.split() == ["failed", "a.test", "-", f"{NOW + DAY:%Y-%m-%d}", "failed"]
    assert waiting.spec.alias == Alias("a.test")
