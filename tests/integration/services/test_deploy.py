"""Certificates in a real nginx, by the installed program: what a person sees, and what clients are shown."""

import json
import re
from pathlib import Path

import pytest

from bed.services.nginx import NginxHosts
from bed.waiting import wait_until
from builders.page import certkeeper, tree_hash
from integration.services.deployed import Served, described, shown

pytestmark = pytest.mark.real
BROKEN = "no_such_directive on;\n"


def seen(nginx: NginxHosts, zone: str) -> list[bytes | None]:
    return [shown(nginx.ports["https"], name) for name in (zone, f"www.{zone}")]


def shows(nginx: NginxHosts, zone: str, leaves: list[bytes | None]) -> None:
    """For a tenth of a second after a reload, nginx' old workers take connections beside the new ones."""
    wait_until(lambda: seen(nginx, zone) == leaves, "nginx shows what it has to", deadline=3)


def live(page: Served, zone: str) -> list[bytes | None]:
    return [page.leaf(alias) for alias in (zone, "www")]


def test_what_is_issued_is_shown_after_one_reload_and_then_there_is_nothing_to_do(
    page: Served, nginx: NginxHosts, zone: str
) -> None:
    at = [f"https://{name}:{nginx.ports['https']}@127.0.0.1" for name in (zone, f"www.{zone}")]
    said = [f"nginx: reloaded for {zone}, www", f"nginx: deployed {zone}, www: seen at {', '.join(at)}"]
    for arguments in ((), ("--force",)):
        before = seen(nginx, zone)
        reloads = nginx.reloads()
        done = page.run(*arguments)
        assert (done.code, done.err) == (0, ""), done.text
        assert done.out.splitlines()[-3:-1] == said
        assert re.fullmatch(r"2 issued, 2 deployed; next due \S+Z", done.out.splitlines()[-1])
        shows(nginx, zone, live(page, zone))
        assert not {*before} & {*live(page, zone)}
        assert nginx.reloads() == reloads + 1

    reloads, before_files = nginx.reloads(), tree_hash(page.certs)
    done = page.run()
    assert (done.code, done.out.partition(";")[0]) == (0, "2 certificates, nothing due")

    # Without the journal nobody knows what the service was given, and a look is enough.
    for file in page.state.glob("journal.db*"):
        file.unlink()
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert done.out.splitlines()[0] == f"nginx: has {zone}, www already, and was not reloaded"
    assert page.deployments() == [("nginx", "www", "seen"), ("nginx", zone, "seen")]
    assert (nginx.reloads(), tree_hash(page.certs)) == (reloads, before_files)


def test_dehydrated_s_command_deploys_where_the_page_has_services(page: Served, nginx: NginxHosts, zone: str) -> None:
    terms = ("--register", "--accept-terms")
    for arguments in (terms, ("--cron",)):
        done = certkeeper("dehydrated", "--config", page.config, *arguments, cwd=page.folder)
        assert done.code == 0, done.text
    assert done.out.splitlines()[-2] == f"nginx: reloaded for {zone}, www"
    shows(nginx, zone, live(page, zone))
    done = certkeeper("dehydrated", "--config", page.config, "--cron", cwd=page.folder)
    assert (done.code, nginx.reloads(), "nginx" in done.text) == (0, 1, False)


def test_a_configuration_that_cannot_be_tested_keeps_the_reload_back_until_it_is_mended(
    page: Served, nginx: NginxHosts, zone: str
) -> None:
    before = seen(nginx, zone)
    whole = nginx.config.read_text(encoding="utf-8")
    nginx.config.write_text(BROKEN + whole, encoding="utf-8")
    done = page.run()
    assert done.code == 1
    told = done.only_error()
    assert told.startswith(f"nginx: {zone}, www: its test says: nginx -t -q -c {nginx.config} ended with status 1: ")
    assert f'unknown directive "no_such_directive" in {nginx.config}:1' in told
    assert re.search(r"2 issued, 2 not deployed; next due ", done.out)
    kept = live(page, zone)
    assert not {*kept} & {*before}
    assert (seen(nginx, zone), nginx.reloads()) == (before, 0)

    nginx.config.write_text(whole, encoding="utf-8")
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert "2 deployed" in done.out
    shows(nginx, zone, kept)
    assert (live(page, zone), nginx.reloads()) == (kept, 1)


@pytest.mark.long
def test_a_service_that_is_stopped_gets_its_files_and_is_proven_once_it_runs(
    page: Served, nginx: NginxHosts, place: Path, zone: str
) -> None:
    nginx.stop()
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert f"nginx: {zone}, www: it does not run: the files are there for when it is started" in done.out
    assert "2 issued, 2 waiting for a service" in done.out
    assert seen(nginx, zone) == [None, None]
    hosts = {zone: page.pair(zone), f"www.{zone}": page.pair("www")}
    with NginxHosts(place / "again", hosts) as started:
        page.describe(nginx=described(started))
        done = page.run()
        assert (done.code, done.err) == (0, ""), done.text
        assert "2 deployed" in done.out
        assert seen(started, zone) == live(page, zone)
        assert page.deployments() == [("nginx", "www", "seen"), ("nginx", zone, "seen")]


@pytest.mark.long
def test_going_back_and_forward_is_seen_at_the_service(page: Served, nginx: NginxHosts, zone: str) -> None:
    assert page.run().code == 0
    first = live(page, zone)
    assert page.run("--force").code == 0
    second = live(page, zone)
    reloads = nginx.reloads()
    done = page.typed("rollback", zone)
    assert (done.code, done.err) == (0, ""), done.text
    assert f"nginx: deployed {zone}: seen at " in done.out
    assert live(page, zone) == [first[0], second[1]]
    shows(nginx, zone, live(page, zone))
    assert page.run().code == 0
    assert seen(nginx, zone) == [first[0], second[1]]
    done = page.typed("activate", zone)
    assert (done.code, done.err) == (0, ""), done.text
    assert live(page, zone) == second
    shows(nginx, zone, second)
    assert nginx.reloads() == reloads + 2


@pytest.mark.long
def test_a_certkeeper_toml_describes_services_beside_its_certificates(
    page: Served, nginx: NginxHosts, zone: str
) -> None:
    page.describe()
    certificate = {"names": [f"www.{zone}"], "deploy": ["nginx"]}
    written = page.native({"certificate.www": certificate, "target.nginx": described(nginx)})
    done = certkeeper("run", "--accept-terms", "--config", written, cwd=page.folder)
    assert (done.code, done.err) == (0, ""), done.text
    wait_until(lambda: seen(nginx, zone)[1] == page.leaf("www"), "nginx shows it")
    assert json.loads(certkeeper("status", "--json", "--config", written, cwd=page.folder).out)["certificates"]
