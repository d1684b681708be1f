"""A script of the operator's that answers challenges, called as dehydrated calls its hooks."""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.page import Page, assert_clean_dns

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
SCRIPT = """#!{python}
import json, os, sys, urllib.request
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
name, *words = sys.argv[1:]
if name not in ("deploy_challenge", "clean_challenge"):
    sys.exit(0)
owners = {{}}
for domain, token, value in zip(words[::3], words[1::3], words[2::3]):
    owners.setdefault("_acme-challenge." + domain + ".", []).append(value)
change = "EXTEND"
def call(method, path, body=None):
    request = urllib.request.Request({url!r} + "/api/v1/servers/localhost/zones/{zone}." + path, method=method,
        data=json.dumps(body).encode() if body else None, headers={{"X-API-Key": "secret"}})
    return urllib.request.urlopen(request, timeout=20).read()
there = {{(each["name"], each["type"]): [record["content"] for record in each["records"]]
         for each in json.loads(call("GET", ""))["rrsets"]}}
for owner, values in owners.items():
    before = set(there.get((owner, "TXT"), []))
    wanted = {{'"' + value + '"' for value in values}}
    after = before | wanted if name == "deploy_challenge" else before - wanted
    records = [{{"content": each, "disabled": False}} for each in after]
    call("PATCH", "", {{"rrsets": [{{"name": owner, "type": "TXT", "ttl": 60, "changetype": "REPLACE" if records else
        "DELETE", "records": records}}]}})
call("PUT", "/notify")
{more}
"""


class Script:
    def __init__(self, page: Page, zone: str, more: str = "") -> None:
        self.path = page.folder / "hook.py"
        self._log = page.folder / "calls"
        self.path.write_text(
            SCRIPT.format(
                python=sys.executable, log=str(self._log), url=page.world.primary.api_url, zone=zone, more=more
            )
        )
        self.path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def names(self) -> list[str]:
        """Which calls there were, without those that try the script out."""
        return [name for name, *_ in self.calls() if not name.startswith("this_hookscript_is_broken")]


def scripted(make_page: MakePage, zone: str, *lines: str, more: str = "", **settings: str) -> tuple[Page, Script]:
    page = make_page(*lines, **settings)
    page.unset("PDNS_HOST", "PDNS_KEY")
    script = Script(page, zone, more)
    page.configure(HOOK=str(script.path))
    return page, script


@pytest.mark.row("H04")
def test_each_record_is_a_call_with_the_name_the_token_and_the_value(make_page: MakePage, zone: str) -> None:
    page, script = scripted(make_page, zone, f"{zone} *.{zone} a.www.{zone}")
    done = page.run()
    assert done.code == 0, done.text
    assert page.verified_names(zone) == {zone, f"*.{zone}", f"a.www.{zone}"}
    calls = script.calls()
    deployed = sorted(call[1:] for call in calls if call[0] == "deploy_challenge")
    assert [domain for domain, _, _ in deployed] == sorted([zone, zone, f"a.www.{zone}"])
    assert all(token and value for _, token, value in deployed)
    assert sorted(call[1:] for call in calls if call[0] == "clean_challenge") == deployed
    before, after = ["startup_hook", "generate_csr"], ["sync_cert", "deploy_cert", "exit_hook"]
    assert script.names() == [*before, *["deploy_challenge"] * 3, *["clean_challenge"] * 3, *after]
    assert_clean_dns(page.world, zone)


@pytest.mark.row("H02")
def test_with_hook_chain_all_records_are_one_call(make_page: MakePage, zone: str) -> None:
    page, script = scripted(make_page, zone, f"{zone} *.{zone}", HOOK_CHAIN="yes")
    assert page.run().code == 0
    calls = script.calls()
    assert [len(call) for call in calls if call[0].endswith("_challenge")] == [7, 7]


@pytest.mark.row("G22")
def test_a_script_that_fails_fails_its_certificate_and_is_told_to_clean(make_page: MakePage, zone: str) -> None:
    page, script = scripted(make_page, zone, zone, more="if name == 'deploy_challenge': sys.exit('no such thing')")
    done = page.run()
    assert done.code == 1
    assert "no such thing" in done.text
    told = ["startup_hook", "generate_csr", "deploy_challenge", "clean_challenge", "exit_hook"]
    assert script.names() == told, "row G22"
    assert_clean_dns(page.world, zone)


def test_a_script_for_one_zone_and_powerdns_for_another(make_page: MakePage, zone: str) -> None:
    page = make_page()
    other = page.world.new_zone().removesuffix(".")
    page.write_lines(f"{zone} {other}")
    script = Script(page, zone)
    (page.folder / "zones").mkdir()
    (page.folder / "zones" / zone).write_text(f"HOOK={shlex.quote(str(script.path))}\n")
    page.configure(ZONES_D=str(page.folder / "zones"))
    done = page.run()
    assert done.code == 0, done.text
    assert page.verified_names(zone) == {zone, other}
    assert [call[0] for call in script.calls()] == ["deploy_challenge", "clean_challenge"]
    assert f"zone {other}: 1 challenge record" in done.out
    assert_clean_dns(page.world, zone, other)


def test_where_no_name_server_can_be_asked_the_scripts_word_counts(make_page: MakePage, zone: str) -> None:
    page, _ = scripted(make_page, zone, zone)
    page.unset("NAMESERVERS")
    done = page.run()
    assert done.code == 0, done.text
    assert done.out.count("the script's word counts, as in all such zones") == 1


def test_a_script_that_is_not_there_is_one_error(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    page, _ = scripted(make_page, zone, zone)
    page.configure(HOOK=str(tmp_path / "nothing.sh"))
    done = page.run()
    assert done.code == 1
    assert "nothing.sh for an unknown call: cannot be started: no such file" in done.only_error()
    # Seen before an order is opened: nothing is published, and the account is not even looked for.
    assert "account" not in done.out


def test_a_script_for_deploy_cert_that_cannot_be_called_is_told_beforehand(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    script = tmp_path / "deploy.sh"
    script.write_text("#!/bin/sh\n")
    page = make_page(zone, DNS_PROVIDER="powerdns", HOOK=str(script))
    done = page.plan()
    assert f"warning: hook {script}: cannot be called: it is not executable" in done.out
    assert f"fix: chmod +x {script}" in done.out
    script.chmod(0o755)
    assert "cannot be called" not in page.plan().text
