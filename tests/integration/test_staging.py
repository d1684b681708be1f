"""`certkeeper run --staging`: a rehearsal at a second, real CA that changes nothing live."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.pebble import Pebble
from bed.world import World
from builders.page import Page, openssl
from certkeeper.base.accounts import account_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), zones=(), dnssec=False) as made:
        yield made


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[Pebble]:
    with Pebble(tmp_path_factory.mktemp("staging"), dns_server=world.primary.dns) as made:
        yield made


class Rehearsed:
    """A page that tells a hook and a command of all that happens, whose CA has a test service."""

    def __init__(self, folder: Path, world: World, staging: Pebble) -> None:
        self.zone = world.new_zone().removesuffix(".")
        self.told = folder / "told"
        self.page = Page(folder / "page", world, f"www.{self.zone}", f"mail.{self.zone}")
        bundle = folder / "both.pem"
        bundle.write_bytes(world.pebble.ca_bundle.read_bytes() + staging.ca_bundle.read_bytes())
        script = folder / "tell"
        script.write_text(f'#!/bin/sh\necho "$1" >>{self.told}\n')
        script.chmod(0o755)
        self.page.configure(
            CA_BUNDLE=str(bundle),
            STAGING_CA=staging.directory_url,
            HOOK=str(script),
            DNS_PROVIDER="powerdns",
            ALERT_COMMAND=str(script),
            AUTO_CLEANUP="yes",
        )

    def live(self) -> dict[str, tuple[int, bytes]]:
        """All that there is but for what a rehearsal is kept in, with the time of its last change."""
        ours = ("certs-test", "state/staging", "accounts")
        return {
            name: (path.lstat().st_mtime_ns, path.read_bytes())
            for path in sorted(self.page.folder.rglob("*"))
            if path.is_file() and not (name := str(path.relative_to(self.page.folder))).startswith(ours)
        }

    def hooks(self) -> list[str]:
        return self.told.read_text().split() if self.told.exists() else []


@pytest.fixture
def there(tmp_path: Path, world: World, staging: Pebble) -> Rehearsed:
    return Rehearsed(tmp_path, world, staging)


def test_a_first_rehearsal_orders_at_the_test_service_alone(there: Rehearsed, world: World, staging: Pebble) -> None:
    before = there.live()
    world.pebble.forget()
    done = there.page.run("--staging")
    assert (done.code, done.err) == (0, ""), done.text
    assert "2 issued" in done.out
    assert (
        f"a rehearsal: its certificates are in {there.page.folder}/certs-test; {there.page.certs}, services and"
        in done.out
    )
    assert not world.pebble.counts()
    assert there.live() == before
    assert there.hooks() == []
    assert not there.page.certs.exists()
    for name in (f"www.{there.zone}", f"mail.{there.zone}"):
        folder = there.page.folder / "certs-test" / name
        assert name in openssl("x509", "-in", folder / "cert.pem", "-noout", "-ext", "subjectAltName")
    assert not [name for name in world.primary.records(f"{there.zone}.") if "_acme-challenge" in str(name)]
    assert [path.name for path in (there.page.folder / "accounts").iterdir()] == [account_folder(staging.directory_url)]


def test_beside_live_certificates_it_leaves_all_as_it_was(there: Rehearsed) -> None:
    assert there.page.run().code == 0
    before, hooks = there.live(), there.hooks()
    assert "deploy_cert" in hooks
    planned = json.loads(there.page.plan("--staging", "--json").out)
    assert {item["folder"] for item in planned["certificates"]} == {
        f"{there.page.folder}/certs-test/{name}.{there.zone}" for name in ("www", "mail")
    }
    assert there.page.run("--staging").code == 0
    again = there.page.run("--staging")
    assert again.code == 0
    assert "this was rehearsed before; once more: --force" in again.out
    assert "2 issued" in there.page.run("--staging", "--force").out
    assert there.live() == before
    assert there.hooks() == hooks
    # The real thing knows nothing of it.
    after = there.page.run()
    assert "nothing due" in after.out, after.text


def test_a_rehearsal_that_fails_tells_nobody_and_holds_nothing_up(there: Rehearsed, world: World) -> None:
    there.page.write_lines(f"www.{there.zone}", "www.nobody-s-zone.example.net")
    before = there.live()
    done = there.page.run("--staging")
    assert done.code == 1
    assert there.hooks() == []
    assert there.live() == before
    world.pebble.forget()
    assert "1 issued" in there.page.run().out
    assert world.pebble.counts()


def test_a_ca_without_a_test_service_is_an_error_that_says_what_to_set(there: Rehearsed) -> None:
    there.page.unset("STAGING_CA")
    error = there.page.run("--staging").only_error()
    assert "has no test service that is known, so it cannot be rehearsed" in error
    assert not (there.page.folder / "state").exists()


def test_one_or_the_other(there: Rehearsed) -> None:
    done = there.page.run("--staging", "--allow-test-ca-live")
    assert done.code == 2
    assert "not allowed with argument" in done.err
