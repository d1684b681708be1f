"""Which orphan a line without a certificate means, and what is said of orphans."""

import pytest

from builders.plans import configuration, leaf, lineage, observed, plan_findings, spec, zone
from certkeeper.base.errors import Location
from certkeeper.base.names import Alias
from certkeeper.config.findings import Severity
from certkeeper.lineage.model import Lineage
from certkeeper.plan.orphans import Uses, meant_orphan, meant_orphans, orphan_findings

OLD = Alias("example.org")


def orphans(*hosts: str, alias: str = "example.org") -> dict[Alias, Lineage]:
    return {Alias(alias): lineage(alias, leaf(*hosts))}


@pytest.mark.parametrize(
    ("line", "had", "meant"),
    [
        (("www.example.org", "example.org"), ("example.org", "www.example.org"), True),
        (("www.example.org", "example.org", "mail.example.org"), ("example.org",), True),
        (("a.example.org", "b.example.org", "c.example.org"), ("a.example.org", "b.example.org"), True),
        (("a.example.org", "b.example.org"), ("a.example.org", "x.example.org"), False),
        (("other.example.net",), ("example.org",), False),
    ],
)
def test_the_orphan_that_has_its_names_is_meant(line: tuple[str, ...], had: tuple[str, ...], *, meant: bool) -> None:
    found = meant_orphan(spec(*line), lineage(line[0]), orphans(*had))
    assert (found == OLD) is meant


def test_a_line_that_has_a_certificate_means_no_other() -> None:
    line = spec("www.example.org", "example.org")
    there = lineage("www.example.org", leaf("www.example.org"))
    assert meant_orphan(line, there, orphans("example.org", "www.example.org")) is None


def test_the_same_names_count_more_than_the_name_of_the_folder() -> None:
    known = {**orphans("x.example.org"), **orphans("www.example.org", "example.org", alias="web")}
    assert meant_orphan(spec("www.example.org", "example.org"), lineage("www.example.org"), known) == Alias("web")


def test_the_plan_says_which_line_to_write_and_orders_all_the_same() -> None:
    from dataclasses import replace  # noqa: PLC0415

    from certkeeper.plan.planner import plan  # noqa: PLC0415

    page = configuration(spec("www.example.org", "example.org"))
    world = observed(lineage("www.example.org"), specs=page.certificates, zones=[zone("example.org")])
    world = replace(world, orphans=orphans("example.org", "www.example.org"))
    (finding,) = [item for item in plan_findings(page=page, world=world) if item.code == "first-name-changed"]
    assert finding.severity is Severity.WARNING
    assert finding.fix.endswith("write: www.example.org example.org > example.org")
    assert finding.where == Location("/etc/dehydrated/domains.txt", 1)
    assert plan(page, world).due


def test_an_orphan_that_is_used_is_a_warning_with_the_places() -> None:
    places = tuple(Location("/etc/nginx/nginx.conf", number) for number in range(1, 8))
    (used,) = orphan_findings(orphans("example.org"), "/certs", Uses({"/certs/example.org": places}), {})
    assert used.severity is Severity.WARNING
    assert "/etc/nginx/nginx.conf:5 and 2 more" in used.consequence
    (unused,) = orphan_findings(orphans("example.org"), "/certs", Uses({}), {})
    assert unused.severity is Severity.NOTE
    assert unused.fix.endswith("certkeeper retire example.org")


def test_nobody_is_told_to_retire_what_a_line_may_go_on_with() -> None:
    line = spec("www.example.org", "example.org")
    left = orphans("example.org", "www.example.org")
    meant = meant_orphans([line], {line.alias: lineage("www.example.org")}, left)
    (found,) = orphan_findings(left, "/certs", Uses({}), meant)
    assert "retire" not in found.fix
    assert str(line.where) in found.fix
