"""Certificates in services: seen after one reload, and gone back from where a service does not take them."""

from collections import Counter
from datetime import timedelta

import pytest

from builders.fakeservices import FakeService
from certkeeper.apply.deploy.result import End
from certkeeper.apply.deployports import Condition
from certkeeper.base.events import DeploymentFailed, VersionActivated
from certkeeper.base.value import replace
from certkeeper.plan.backoff import STEPS
from certkeeper.plan.records import Deployment, Held, Shown
from world.deploying import COPIES, DOVECOT, NGINX, POSTFIX, Deployed

EVERY = ("dovecot", "nginx", "postfix")


def ends(result: object) -> dict[str, End]:
    return {item.target: item.end for item in result.deployed}  # type: ignore[attr-defined]


def assert_after(host: Deployed, entry: Deployment, step: timedelta) -> None:
    """It is tried again about that long after it failed."""
    now = host.world.clock.now()
    assert entry.retry_at is not None
    assert now + step - timedelta(seconds=30) <= entry.retry_at <= now + step


class TestAGoodDay:
    def test_what_is_issued_is_seen_in_every_service(self) -> None:
        host = Deployed("a.example.org", "b.example.org")
        result = host.run()
        assert set(ends(result).values()) == {End.SEEN}
        assert len(result.deployed) == 6
        host.assert_settled()

    def test_one_reload_for_fifty_certificates(self) -> None:
        host = Deployed(*(f"n{number}.example.org" for number in range(50)))
        host.run()
        assert [host.reloads(name) for name in EVERY] == [1, 1, 1]

    def test_a_renewal_is_one_test_and_one_reload(self) -> None:
        host = Deployed("a.example.org").begin()
        host.renew()
        assert host.service("nginx").calls == ["test", "refresh", "apply"]
        assert host.service("postfix").calls == ["test", "refresh", "apply"]
        host.assert_settled()

    def test_a_run_with_nothing_due_asks_nobody(self) -> None:
        host = Deployed("a.example.org").begin()
        looks = host.probes.looks
        assert host.run().deployed == ()
        assert (host.service("nginx").calls, host.files.calls, host.probes.looks) == ([], [], looks)

    def test_what_works_already_is_adopted_without_a_reload(self) -> None:
        host = Deployed("a.example.org").begin()
        host.world.journal.deployments.clear()
        assert set(ends(host.run()).values()) == {End.SEEN}
        assert [host.reloads(name) for name in EVERY] == [0, 0, 0]
        host.assert_settled()

    def test_copies_that_somebody_made_are_adopted_without_a_reload(self) -> None:
        host = Deployed("a.example.org", targets=[NGINX, POSTFIX]).begin()
        path = f"{COPIES}/a.example.org.pem"
        content = host.files.read(path)
        assert content is not None
        host.files._kept.clear()
        host.files.others[path] = content
        host.world.journal.deployments.clear()
        assert set(ends(host.run()).values()) == {End.SEEN}
        assert host.reloads("postfix") == 0
        assert path not in host.files.others
        host.assert_settled()

    def test_a_service_that_shows_an_older_certificate_is_told(self) -> None:
        host = Deployed("a.example.org").begin()
        host.service("nginx").keeps = True
        host.world.clock.advance(3600)
        host.world.run(forced=[host.specs[0].alias])
        host.service("nginx").keeps = False
        host.world.journal.deployments.clear()
        host.forget()
        assert set(ends(host.run()).values()) == {End.SEEN}
        assert host.reloads("nginx") == 1
        host.assert_settled()


class TestDrift:
    def test_copies_that_others_may_read_are_put_right_without_a_reload(self) -> None:
        host = Deployed("a.example.org").standing()
        reloads = host.reloads("postfix")
        host.files.astray.add(f"{COPIES}/a.example.org.pem")
        assert ends(host.run())["postfix"] is End.SEEN
        assert (host.files.astray, host.reloads("postfix")) == (set(), reloads)
        host.assert_settled()

    def test_copies_that_are_gone_come_back(self) -> None:
        host = Deployed("a.example.org").begin()
        host.files._kept.clear()
        assert ends(host.run()) == {"postfix": End.SEEN}
        host.assert_settled()


class TestStopped:
    def test_files_are_there_and_nothing_is_started(self) -> None:
        host = Deployed("a.example.org").begin()
        host.service("postfix").condition = Condition.STOPPED
        assert ends(host.renew())["postfix"] is End.OWED
        assert host.service("postfix").calls == ["test"]
        assert host.entry("postfix").shown is Shown.OWED
        before = len(host.world.events)
        assert ends(host.run())["postfix"] is End.OWED
        assert len(host.world.events) == before, "told twice"
        host.service("postfix").condition = Condition.RUNNING
        assert ends(host.run())["postfix"] is End.SEEN
        host.assert_settled()

    def test_one_that_cannot_read_its_configuration_is_told_of_it_since_it_may_run_after_all(self) -> None:
        host = Deployed("a.example.org").begin()
        service = host.service("postfix")
        service.condition, service.broken = Condition.STOPPED, "fatal: missing '='"
        assert ends(host.renew())["postfix"] is End.FAILED
        assert "it does not run, as far as it can tell, and its test says: fatal" in host.entry("postfix").message
        assert (host.entry("postfix").shown, host.reloads("postfix")) == (Shown.OWED, 0)
        service.condition, service.broken = Condition.RUNNING, ""
        assert ends(host.run())["postfix"] is End.SEEN
        host.assert_settled()

    def test_not_installed(self) -> None:
        host = Deployed("a.example.org").begin()
        host.services.services = {name: found for name, found in host.services.services.items() if name != "postfix"}
        result = host.renew()
        assert ends(result) == {"nginx": End.SEEN, "dovecot": End.SEEN, "postfix": End.FAILED}
        assert "not installed" in host.entry("postfix").message
        assert [call for call in host.files.calls if "stage" in call or "switch" in call] == []


class TestNotTaken:
    @pytest.fixture
    def host(self) -> Deployed:
        return Deployed("a.example.org", "b.example.org", targets=[NGINX, POSTFIX]).begin()

    def test_copies_go_back_where_the_reload_fails(self, host: Deployed) -> None:
        first = host.live()
        host.service("postfix").refuses = "postfix: fatal"
        result = host.renew()
        assert ends(result) == {"nginx": End.SEEN, "postfix": End.FAILED}
        assert (host.shown("postfix"), host.shown("nginx")) == (first, host.live())
        entry = host.entry("postfix")
        assert (entry.shown, entry.stamp, entry.failures) == (Shown.OWED, host.live(), 1)
        assert f"went back to version {first}" in entry.message
        assert_after(host, entry, STEPS[0])
        # The next run waits, and the one after it tries again.
        assert host.run().deployed == ()
        host.service("postfix").refuses = ""
        host.world.clock.advance(STEPS[0].total_seconds() + 1)
        assert ends(host.run()) == {"postfix": End.SEEN}
        host.assert_settled()

    def test_a_lineage_goes_back_where_it_is_read_in_place(self, host: Deployed) -> None:
        first, second = host.live(), host.live("b.example.org")
        host.service("nginx").keeps = True
        result = host.renew()
        assert ends(result)["nginx"] is End.FAILED
        assert (host.live(), host.live("b.example.org")) == (first, second)
        assert host.shown("postfix") == first
        held = host.world.journal.held[host.specs[0].alias]
        assert held.until is not None
        assert held.stamp > first
        # Scripts hear of what is live.
        assert host.world.hooks.paid[-1][1] in (first, second)
        host.service("nginx").keeps = False
        host.world.clock.advance(STEPS[0].total_seconds() + 1)
        assert set(ends(host.run()).values()) == {End.SEEN}
        assert host.live() == held.stamp
        host.assert_settled()

    def test_failures_in_a_row_wait_longer(self, host: Deployed) -> None:
        host.service("postfix").refuses = "postfix: fatal"
        host.renew()
        for number, step in enumerate(STEPS[1:], start=2):
            retry_at = host.entry("postfix").retry_at
            assert retry_at is not None
            host.world.clock.advance((retry_at - host.world.clock.now()).total_seconds() + 1)
            host.run()
            entry = host.entry("postfix")
            assert entry.failures == number
            assert_after(host, entry, step)

    def test_failures_in_a_row_wait_longer_in_place(self, host: Deployed) -> None:
        host.service("nginx").keeps = True
        host.renew()
        for number, step in enumerate(STEPS[1:], start=2):
            retry_at = host.entry("nginx").retry_at
            assert retry_at is not None
            host.world.clock.advance((retry_at - host.world.clock.now()).total_seconds() + 1)
            host.run()
            entry = host.entry("nginx")
            assert entry.failures == number
            assert_after(host, entry, step)

    def test_a_broken_configuration_is_not_the_certificates_fault(self, host: Deployed) -> None:
        said = iter(range(100))
        # With a time and a process id, as nginx says it.
        host.services.test = lambda target: f"[emerg] {next(said)}: unknown directive" if target is NGINX else ""  # type: ignore[method-assign]
        host.renew()
        live = host.live()
        assert live == max(version.stamp for version in host.world.store.versions(host.specs[0].alias))
        entry = host.entry("nginx")
        assert (entry.shown, entry.retry_at, entry.stamp) == (Shown.OWED, None, live)
        assert "unknown directive" in entry.message
        assert host.reloads("nginx") == 0
        assert host.world.journal.held == {}
        # Later runs ask again, and switch nothing to find out.
        host.forget()
        assert ends(host.run()) == {"nginx": End.FAILED}
        assert host.live() == live
        assert not [event for event in host.world.events if isinstance(event, VersionActivated)]
        del host.services.test
        assert ends(host.run()) == {"nginx": End.SEEN}
        host.assert_settled()

    def test_a_certificate_that_breaks_the_test_goes_back(self, host: Deployed) -> None:
        first = host.live("b.example.org")
        service, renewed = host.service("postfix"), set[bytes]()

        def test() -> str:
            content = host.files.read(f"{COPIES}/b.example.org.pem") or b""
            renewed.add(content)
            return "bad certificate" if len(renewed) == 1 and content else ""

        # It says so of the new files alone.
        host.services.test = lambda target: test() if target.name == "postfix" else ""  # type: ignore[method-assign]
        result = host.renew()
        assert ends(result)["postfix"] is End.FAILED
        assert host.shown("postfix", "b.example.org") == first
        assert service.calls.count("apply") == 1, "told of what it had before"

    def test_the_others_of_a_service_stay_where_one_is_not_shown(self, host: Deployed) -> None:
        firsts = host.live(), host.live("b.example.org")
        shows = host.service("postfix").shows
        stuck = next(endpoint for endpoint in shows if endpoint.name == "b.example.org")

        class Stuck(FakeService):
            def leaf(self, endpoint: object) -> bytes | None:
                return kept if endpoint == stuck else super().leaf(endpoint)  # type: ignore[arg-type]

        kept = host.service("postfix").leaf(stuck)
        found = host.service("postfix")
        found.__class__ = Stuck
        host.renew()
        assert host.shown("postfix", "a.example.org") == host.live("a.example.org") != firsts[0]
        assert (host.files.read(f"{COPIES}/b.example.org.pem") or b"").find(b"BEGIN") >= 0
        assert host.entry("postfix", "a.example.org").shown is Shown.SEEN
        assert host.entry("postfix", "b.example.org").shown is Shown.OWED
        assert found.calls.count("apply") == 2

    def test_no_way_back_to_an_expired_one(self, host: Deployed) -> None:
        host.world.clock.advance(timedelta(days=91).total_seconds())
        host.service("postfix").refuses = "postfix: fatal"
        result = host.run()
        assert ends(result)["postfix"] is End.FAILED
        assert f"stays with version {host.live()}" in host.entry("postfix").message
        assert "expired" in host.entry("postfix").message

    def test_a_person_can_have_it_tried_at_once(self, host: Deployed) -> None:
        host.service("postfix").refuses = "postfix: fatal"
        host.renew()
        host.service("postfix").refuses = ""
        assert ends(host.deploy(asked=[item.alias for item in host.specs]))["postfix"] is End.SEEN
        host.assert_settled()

    def test_disk_full_is_tried_by_every_run_and_touches_nothing(self, host: Deployed) -> None:
        host.files.broken.add(COPIES)
        host.renew()
        entry = host.entry("postfix")
        assert (entry.shown, entry.retry_at) == (Shown.OWED, None)
        assert "no space left" in entry.message
        assert host.service("postfix").calls == []
        host.files.broken.clear()
        assert ends(host.run()) == {"postfix": End.SEEN}
        host.assert_settled()

    def test_a_pair_that_openssl_does_not_load_is_given_to_nobody(self, host: Deployed) -> None:
        host.pairs.refused = "no start line"
        host.renew()
        assert host.reloads("postfix") == host.reloads("nginx") == 0
        failed = [event for event in host.world.events if isinstance(event, DeploymentFailed)]
        assert failed


class TestLooking:
    def test_a_place_that_shows_nothing_is_not_looked_at_again_while_others_are_waited_for(self) -> None:
        silent = "submission://{name}@127.0.0.1"
        target = replace(POSTFIX, probe=(*POSTFIX.probe, silent))
        host = Deployed("a.example.org", targets=[target])
        host.run()

        class Slow(FakeService):
            def leaf(self, endpoint: object) -> bytes | None:
                # The processes of before take connections for a moment.
                late = host.probes.looks < 4 and endpoint in self.shows
                return old if late else super().leaf(endpoint)  # type: ignore[arg-type]

        old = next(host.service("postfix").leaf(endpoint) for endpoint in host.service("postfix").shows)
        host.service("postfix").__class__ = Slow
        host.probes.asked.clear()
        host.probes.looks = 0
        assert ends(host.renew()) == {"postfix": End.UNPROVEN}
        assert "submission://a.example.org:587@127.0.0.1: connection refused" in host.entry("postfix").message
        asked = Counter(contact.endpoint.port for contact in host.probes.asked)
        assert asked == {25: 4, 587: 2}


class TestSharedInPlace:
    def test_those_that_took_it_are_told_where_another_one_made_us_go_back(self) -> None:
        host = Deployed("a.example.org", targets=[DOVECOT, NGINX, POSTFIX]).begin()
        first = host.live()
        host.service("nginx").keeps = True
        result = host.renew()
        assert host.live() == first
        assert [host.shown(name) for name in EVERY] == [first, first, first]
        assert host.reloads("dovecot") == 2
        assert host.reloads("postfix") == 0
        assert ends(result)["nginx"] is End.FAILED
        host.service("nginx").keeps = False
        host.world.clock.advance(STEPS[0].total_seconds() + 1)
        host.run()
        assert host.live() > first
        host.assert_settled()

    def test_nobody_goes_back_further_than_once(self) -> None:
        host = Deployed("a.example.org", targets=[NGINX]).begin()
        host.renew()
        second = host.live()
        host.service("nginx").keeps = True
        host.renew()
        assert host.live() == second
        # It does not even take what it had.
        host.service("nginx").refuses = "nginx: fatal"
        host.deploy(asked=[host.specs[0].alias])
        assert host.live() == second

    def test_a_persons_hold_stays(self) -> None:
        host = Deployed("a.example.org", targets=[NGINX]).begin()
        alias = host.specs[0].alias
        host.service("nginx").keeps = True
        host.world.clock.advance(3600)
        host.world.run(forced=[alias])
        hold = Held(alias, 0, None, "held by a test")
        host.world.journal.write([hold], ())
        host.deploy()
        assert host.world.journal.held[alias] == hold


class TestUnreachable:
    def test_what_nobody_can_reach_is_unproven(self) -> None:
        host = Deployed("a.example.org", targets=[POSTFIX])
        host.service("postfix").shows = {}
        result = host.run()
        assert ends(result) == {"postfix": End.UNPROVEN}
        assert "connection refused" in host.entry("postfix").message
        assert host.run().deployed == ()

    def test_what_was_reachable_and_is_not_goes_back(self) -> None:
        host = Deployed("a.example.org", targets=[POSTFIX]).begin()
        first, shows = host.live(), host.service("postfix").shows
        read = host.files.read

        def load() -> None:
            host.service("postfix").calls.append("apply")
            new = (read(f"{COPIES}/a.example.org.pem") or b"") != kept
            host.service("postfix").shows = {} if new else shows

        kept = read(f"{COPIES}/a.example.org.pem")
        host.service("postfix").load = load  # type: ignore[method-assign]
        result = host.renew()
        assert ends(result) == {"postfix": End.FAILED}
        assert host.shown("postfix") == first
        assert "could be reached before" in host.entry("postfix").message
