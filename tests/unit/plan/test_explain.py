from dataclasses import replace

import pytest

from builders.plans import CA, P256, REUSE, configuration, leaf, lineage, observed, spec, zone
from certkeeper.base.keys import KeyAlgorithm, KeySpec
from certkeeper.base.names import Alias, DnsName
from certkeeper.plan.actions import KeySource, Order, Plan, UseKey
from certkeeper.plan.explain import action_text, explain
from certkeeper.plan.planner import plan


def test_a_plan_as_lines() -> None:
    page = configuration(
        spec("example.org", "*.example.org", profile="shortlived"),
        spec("mail.example.net"),
        spec("www.example.com", line=3),
    )
    world = observed(
        lineage("mail.example.net", leaf("mail.example.net")),
        specs=page.certificates,
        zones=[zone("example.org")],
        registered=False,
        folders=("www.exmaple.com",),
    )
    assert list(explain(plan(page, world))) == [
        f"account at {CA}: found by its key, or registered (which needs --accept-terms)",
        "example.org: issue (missing: no certificate yet)",
        "    key: a new one, prime256v1",
        "    order: example.org *.example.org, profile shortlived",
        "    prove: 1 record in zone example.org",
        "    activate: /etc/dehydrated/certs/example.org",
        "mail.example.net: nothing to do (valid until 2027-01-22T12:00:00Z, renewed from 2026-12-21T12:00:00Z)",
        "www.example.com: cannot be issued (no certificate yet)",
        "    no zone at PowerDNS at http://127.0.0.1:8081 holds www.example.com",
        "    hint: did you mean www.exmaple.com, which has a config folder? correct /etc/dehydrated/domains.txt:3",
        "",
        "zone example.org: one change publishes 1 name, another one takes them away",
        "    _acme-challenge.example.org TXT",
    ]


def test_a_forced_lineage_says_so_once() -> None:
    page = configuration(spec("example.org"))
    world = observed(lineage("example.org", leaf("example.org")), specs=page.certificates, zones=[zone("example.org")])
    first = next(explain(plan(page, world, {Alias("example.org")})))
    assert first.startswith("example.org: issue (forced: valid until ")


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (UseKey(KeySource.NEW, P256), "key: a new one, prime256v1"),
        (UseKey(KeySource.NEW, KeySpec(KeyAlgorithm.RSA, 4096)), "key: a new one, rsa-4096"),
        (UseKey(KeySource.REUSE, REUSE), "key: the present one again"),
        (UseKey(KeySource.PLAIN, REUSE), "key: your own privkey.pem, which stays as it is"),
        (
            Order(spec("example.org").identifiers, must_staple=True, profile="tlsserver"),
            "order: example.org, must-staple, profile tlsserver",
        ),
    ],
)
def test_an_action_in_words(action: object, said: str) -> None:
    assert action_text(action) == said


def test_what_is_no_action_has_no_words() -> None:
    with pytest.raises(TypeError):
        action_text("order")


def test_where_there_are_several_providers_each_zone_names_its_own() -> None:
    zones = (replace(zone("example.org"), provider="one"), replace(zone("example.net"), provider="two"))
    owners = (DnsName("_acme-challenge.example.org"),)
    lines = list(explain(Plan((), (), dict.fromkeys(zones, owners), (), None)))
    assert [line.split(":")[0] for line in lines if line.startswith("zone")] == [
        "zone example.org through one",
        "zone example.net through two",
    ]
    (line,) = [line for line in explain(Plan((), (), {zones[0]: owners}, (), None)) if line.startswith("zone")]
    assert "through" not in line
