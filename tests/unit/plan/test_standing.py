"""dns-account-01 and dns-persist-01 in the planner."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import CA as DIRECTORY
from builders.plans import PROVIDER, configuration, held_zones, observed, spec, zone
from certkeeper.acme.accountlabel import account_label
from certkeeper.acme.persist import Standing
from certkeeper.base.names import DnsName, Identifier
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.settings import CertSpec
from certkeeper.plan.actions import LineagePlan, Plan
from certkeeper.plan.explain import explain
from certkeeper.plan.observed import Caa, Observed, Place, StandingLook, Zones
from certkeeper.plan.planner import account_first, plan, wanted_zones
from certkeeper.plan.proving import owners_of, standing_owners
from certkeeper.plan.records import Limit
from certkeeper.plan.standing import StandingMissing
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.caa import CaaAnswer, CaaRecord, Issuer
from certkeeper.zone.rrset import ZoneKind

ACCOUNT, CA = "https://ca.test/account/1", "ca.test"
LABELLED, PERSIST, DNS = ChallengeType.DNS_ACCOUNT_01, ChallengeType.DNS_PERSIST_01, ChallengeType.DNS_01
ORG = zone("example.org")
OURS = Standing(CA, ACCOUNT)
WIDE = Standing(CA, ACCOUNT, wildcard=True)


def world(*specs: CertSpec, account: str = ACCOUNT, **served: StandingLook) -> Observed:
    """With what was looked for at the owners of standing records, if anything was."""
    made = observed(specs=specs, registered=bool(account))
    owners = [owner for item in specs for owner in (*owners_of(item, account), *standing_owners(item))]
    looks = {DnsName(f"_validation-persist.{name.replace('_', '.')}"): look for name, look in served.items()}
    return replace(
        made,
        accounts={DIRECTORY: account} if account else {},
        zones={"": held_zones(owners, [ORG])},
        standing=looks or None,
        identities={DIRECTORY: (CA,)},
    )


def look(*values: str, **more: Iterable[str]) -> StandingLook:
    return StandingLook({"ns1": frozenset(values), **{name: frozenset(found) for name, found in more.items()}})


def planned(wanted: CertSpec, seen: Observed) -> LineagePlan:
    return plan(configuration(wanted), seen).lineages[0]


def codes(made: Plan) -> list[str]:
    return [finding.code for finding in made.findings if finding.code in {"standing-record", "account-label"}]


class TestAccountLabel:
    WANTED = spec("example.org", "*.example.org", methods=Methods((LABELLED,)))
    OWNER = DnsName(f"{account_label(ACCOUNT)}._acme-challenge.example.org")

    def test_the_value_goes_below_the_account_s_label(self) -> None:
        seen = world(self.WANTED)
        assert wanted_zones(configuration(self.WANTED), seen)[""].owners == (self.OWNER,)
        item = planned(self.WANTED, seen)
        assert item.error is None
        assert [proof.owners for proof in item.proofs] == [(self.OWNER,)]

    def test_a_cname_at_the_label_is_followed(self) -> None:
        net = zone("example.net")
        places = {self.OWNER: Place(net, DnsName("org.example.net"))}
        item = planned(self.WANTED, replace(world(self.WANTED), zones={"": Zones(PROVIDER, places)}))
        assert [(proof.zone, proof.owners, proof.aliases) for proof in item.proofs] == [
            (net, (DnsName("org.example.net"),), ((self.OWNER, DnsName("org.example.net")),))
        ]

    def test_without_an_account_a_run_opens_it_first_and_a_plan_says_so(self) -> None:
        seen = world(self.WANTED, account="")
        assert account_first(configuration(self.WANTED), seen)
        assert not account_first(configuration(self.WANTED), world(self.WANTED))
        assert not account_first(configuration(spec("example.org")), seen)
        assert codes(plan(configuration(self.WANTED), seen)) == ["account-label"]
        assert codes(plan(configuration(self.WANTED), world(self.WANTED))) == []

    def test_a_name_without_a_zone_is_named_without_labels(self) -> None:
        wanted = spec("example.net", methods=Methods((LABELLED,)))
        item = planned(wanted, world(wanted))
        assert isinstance(item.error, ZoneError)
        assert str(item.error).endswith("holds example.net")

    def test_a_script_cannot_write_it(self) -> None:
        scripted = zone("example.org", ZoneKind.SCRIPTED)
        places = {self.OWNER: Place(scripted, self.OWNER)}
        item = planned(self.WANTED, replace(world(self.WANTED), zones={"": Zones(PROVIDER, places)}))
        assert isinstance(item.error, ZoneError)
        assert "scripts know dns-01 only" in str(item.error)


class TestStanding:
    WANTED = spec("example.org", "*.example.org", methods=Methods((PERSIST,)))

    def test_nothing_is_published_where_a_record_stands(self) -> None:
        item = planned(self.WANTED, world(self.WANTED, example_org=look("v=other", WIDE.value)))
        assert (item.error, item.proofs) == (None, ())
        assert item.standings == dict.fromkeys(self.WANTED.identifiers, (WIDE,))

    @pytest.mark.parametrize(
        ("found", "said", "command"),
        [
            (look(), "not every name server has a record", "dns persist example.org --write --wildcard"),
            (look(OURS.value), "not for wildcards", "dns persist example.org --write --wildcard"),
            (look(WIDE.value, ns2=["v=other"]), "(missing at ns2)", "dns persist example.org --write --wildcard"),
            (
                look(replace(WIDE, until=int(NOW.timestamp()) + 60).value),
                "of no use after",
                "dns persist example.org --write --wildcard",
            ),
            (look(Standing("other.test", ACCOUNT, wildcard=True).value), "not every name server", "--write"),
            (StandingLook(trouble="ns1 is silent"), "ns1 is silent", "dns doctor"),
        ],
    )
    def test_what_does_not_do_is_said_before_an_order_is_opened(
        self, found: StandingLook, said: str, command: str
    ) -> None:
        item = planned(self.WANTED, world(self.WANTED, example_org=found))
        assert isinstance(item.error, StandingMissing)
        assert said in str(item.error)
        assert command in item.error.hint

    def test_the_next_method_counts_where_no_record_stands(self) -> None:
        wanted = spec("example.org", "a.example.org", methods=Methods((PERSIST, DNS)))
        seen = world(wanted, example_org=look(), a_example_org=look(OURS.value))
        item = planned(wanted, seen)
        assert item.error is None
        assert [method.value for method in item.methods.values()] == ["dns-01", "dns-persist-01"]
        assert [proof.owners for proof in item.proofs] == [(DnsName("_acme-challenge.example.org"),)]
        assert list(item.standings) == [Identifier.parse("a.example.org")]

    def test_without_an_account_it_is_said_what_to_do_first(self) -> None:
        seen = replace(world(self.WANTED, account="", example_org=look(WIDE.value)))
        item = planned(self.WANTED, seen)
        assert isinstance(item.error, StandingMissing)
        assert "account register --accept-terms" in item.error.hint

    def test_a_plan_shows_the_record(self) -> None:
        lines = list(explain(plan(configuration(self.WANTED), world(self.WANTED, example_org=look(WIDE.value)))))
        assert f"    prove: *.example.org by its standing record: {WIDE.value}" in lines

    @pytest.mark.parametrize(("methods", "forbidden"), [("dns-01", True), ("dns-01,dns-persist-01", False)])
    def test_caa_has_to_allow_the_method(self, methods: str, *, forbidden: bool) -> None:
        record = CaaRecord(0, "issue", f"{CA}; validationmethods={methods}")
        caa = Caa(Issuer((CA,), ACCOUNT), {DnsName("example.org"): CaaAnswer((record,))})
        item = planned(self.WANTED, replace(world(self.WANTED, example_org=look(WIDE.value)), caa={DIRECTORY: caa}))
        assert (item.error is not None) is forbidden


class TestEnds:
    WANTED = spec("example.org", methods=Methods((PERSIST, DNS)))
    OWNER = DnsName("_validation-persist.example.org")

    @pytest.mark.parametrize(("days", "warned"), [(29, True), (31, False), (None, False)])
    def test_a_record_that_ends_soon_is_warned_of_and_remembered(self, days: int | None, *, warned: bool) -> None:
        until = int((NOW + timedelta(days=days)).timestamp()) if days is not None else None
        made = plan(configuration(self.WANTED), world(self.WANTED, example_org=look(replace(OURS, until=until).value)))
        assert codes(made) == (["standing-record"] if warned else [])
        assert made.ends == {DIRECTORY: {self.OWNER: until}}

    def test_what_was_seen_before_is_warned_of_without_a_look(self) -> None:
        seen = replace(world(self.WANTED), ends={DIRECTORY: {self.OWNER: int(NOW.timestamp()) - 5}})
        made = plan(configuration(self.WANTED), seen)
        assert codes(made) == ["standing-record"]
        assert "ended" in next(item for item in made.findings if item.code == "standing-record").message

    def test_what_was_seen_just_now_counts_more(self) -> None:
        seen = replace(world(self.WANTED, example_org=look(OURS.value)), ends={DIRECTORY: {self.OWNER: 0}})
        assert codes(plan(configuration(self.WANTED), seen)) == []

    def test_other_methods_need_no_record(self) -> None:
        wanted = spec("example.org")
        assert codes(plan(configuration(wanted), replace(world(wanted), ends={DIRECTORY: {self.OWNER: 0}}))) == []


class TestSeveralCas:
    """Each CA has an account of its own, and so a label and a record of its own."""

    OTHER, THEIRS = "https://other.test/directory", "https://other.test/account/1"
    HERE, THERE = (
        spec("example.org", methods=Methods((PERSIST,)), alias=alias, ca=ca)
        for alias, ca in (("here", DIRECTORY), ("there", "https://other.test/directory"))
    )
    OWNER = DnsName("_validation-persist.example.org")

    def both(self, *values: str) -> Observed:
        seen = world(self.HERE, self.THERE, example_org=look(*values))
        return replace(
            seen,
            accounts={**seen.accounts, self.OTHER: self.THEIRS},
            identities={**seen.identities, self.OTHER: ("other.test",)},
        )

    def test_a_record_proves_the_name_to_the_ca_that_it_names(self) -> None:
        made = plan(configuration(self.HERE, self.THERE), self.both(OURS.value))
        assert [item.error is None for item in made.lineages] == [True, False]
        assert str(made.lineages[1].error.hint if made.lineages[1].error else "").endswith(
            f"dns persist example.org --write --ca {self.OTHER}"
        )
        theirs = Standing("other.test", self.THEIRS)
        made = plan(configuration(self.HERE, self.THERE), self.both(OURS.value, theirs.value))
        assert [tuple(item.standings.values()) for item in made.lineages] == [((OURS,),), ((theirs,),)]

    def test_each_ca_s_record_has_an_end_of_its_own(self) -> None:
        soon = int(NOW.timestamp()) + 24 * 3600
        theirs = Standing("other.test", self.THEIRS, until=soon)
        made = plan(configuration(self.HERE, self.THERE), self.both(OURS.value, theirs.value))
        assert made.ends == {DIRECTORY: {self.OWNER: None}, self.OTHER: {self.OWNER: soon}}
        (found,) = (item for item in made.findings if item.code == "standing-record")
        assert f"--ca {self.OTHER} " in found.fix

    def test_accounts_are_opened_where_they_are_needed_and_can_be(self) -> None:
        page, seen = configuration(self.HERE, self.THERE), world(self.HERE, self.THERE)
        assert account_first(page, seen) == (self.OTHER,)
        assert account_first(page, replace(seen, accounts={})) == (DIRECTORY, self.OTHER)
        assert account_first(page, replace(seen, unusable={self.OTHER: ZoneError("no key")})) == ()
        limited = Limit(self.OTHER, 1, NOW + timedelta(hours=1), "busy")
        busy = replace(seen, records=replace(seen.records, limits={self.OTHER: limited}))
        assert account_first(page, busy) == ()
        assert account_first(page, busy, [self.THERE.alias]) == (self.OTHER,)

    def test_the_label_is_that_of_the_ca_s_own_account(self) -> None:
        here, there = (replace(item, methods=Methods((LABELLED,))) for item in (self.HERE, self.THERE))
        seen = world(here, there)
        page = configuration(here, there)
        (note,) = (item for item in plan(page, seen).findings if item.code == "account-label")
        assert note.message.startswith("example.org: ")
        owners = wanted_zones(page, replace(seen, accounts={**seen.accounts, self.OTHER: self.THEIRS}))[""].owners
        labels = [account_label(account) for account in (ACCOUNT, self.THEIRS)]
        assert owners == tuple(DnsName(f"{label}._acme-challenge.example.org") for label in labels)
