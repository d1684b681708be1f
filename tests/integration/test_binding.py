"""External account binding at a real CA that makes accounts for its customers only."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page, certkeeper, openssl
from integration.hooks.logged import Logged

pytestmark = pytest.mark.real

HMAC_KEY = base64.urlsafe_b64encode(bytes(range(200, 232))).decode()
WRONG_KEY = base64.urlsafe_b64encode(bytes(32)).decode()
BARE = HMAC_KEY.rstrip("=")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), pebble={"eab": {"kid-1": BARE}}, dnssec=False) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path, world: World) -> Page:
    return Page(tmp_path, world, world.new_zone().removesuffix("."))


def account_files(page: Page) -> set[str]:
    return {path.name for path in page.folder.glob("accounts/*/*")}


def secrets_in(page: Page, text: str) -> list[str]:
    """Where the HMAC key shows up although it should not."""
    written = {str(path): path.read_text(errors="replace") for path in page.folder.rglob("*") if path.is_file()}
    del written[str(page.config)]
    return [name for name, held in {**written, "output": text}.items() if BARE in held]


@pytest.mark.parametrize("key", [HMAC_KEY, BARE])
def test_a_bound_account_issues(page: Page, key: str) -> None:
    page.configure(EAB_KID="kid-1", EAB_HMAC_KEY=key)
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    zone = page.domains.read_text().strip()
    assert page.verified_names(zone) == {zone}
    assert secrets_in(page, done.text) == []
    # Registered once: nothing of it is needed any more.
    page.unset("EAB_KID", "EAB_HMAC_KEY")
    assert page.run("--force").code == 0


def test_the_pair_may_come_from_the_environment(page: Page) -> None:
    arguments = ("run", "--accept-terms", "--config", page.config)
    pair = {"EAB_KID": "kid-1", "EAB_HMAC_KEY": HMAC_KEY}
    done = certkeeper(*arguments, cwd=page.folder, env=pair)
    assert (done.code, done.err) == (0, ""), done.text
    assert secrets_in(page, done.text) == []


def test_without_the_pair_it_says_what_to_set(page: Page) -> None:
    done = page.run()
    assert done.code == 1
    assert "external account binding" in done.only_error()
    assert "EAB_KID and EAB_HMAC_KEY" in done.hints[0]
    assert account_files(page) == set()


@pytest.mark.parametrize(("kid", "key"), [("kid-2", HMAC_KEY), ("kid-1", WRONG_KEY)])
def test_a_pair_that_the_ca_does_not_know_is_one_clear_error(page: Page, kid: str, key: str) -> None:
    page.configure(EAB_KID=kid, EAB_HMAC_KEY=key)
    done = page.run()
    assert done.code == 1
    assert f"EAB_KID {kid}" in done.only_error()
    assert "EAB_HMAC_KEY" in done.hints[0]
    assert key.rstrip("=") not in done.text
    assert account_files(page) == set()
    page.configure(EAB_KID="kid-1", EAB_HMAC_KEY=HMAC_KEY)
    assert page.run().code == 0


def test_a_key_that_is_none_ends_the_command_before_anybody_is_asked(page: Page) -> None:
    page.configure(EAB_KID="kid-1", EAB_HMAC_KEY=f"{BARE}+/")
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 2
    assert "EAB_HMAC_KEY" in done.only_error()
    assert BARE not in done.text
    assert page.world.pebble.requests() == []


def test_the_key_is_in_no_plan(page: Page) -> None:
    page.configure(EAB_KID="kid-1", EAB_HMAC_KEY=HMAC_KEY)
    done = page.plan("--json")
    assert json.loads(done.out)["register_at"] == [page.world.pebble.directory_url]
    assert BARE not in done.text


def calls_in(script: Logged) -> list[str]:
    """The names of calls; the headers in one's last argument are lines of their own."""
    occasions = ("request_failure", "exit_hook", "startup_hook", "generate_csr")
    return [name for name in script.names() if name in occasions]


def test_the_script_hears_once_why_there_is_no_account(page: Page, tmp_path: Path) -> None:
    script = Logged(tmp_path)
    page.configure(EAB_KID="kid-1", EAB_HMAC_KEY=WRONG_KEY, HOOK=str(script.path), DNS_PROVIDER="powerdns")
    assert page.run().code == 1
    assert calls_in(script) == ["startup_hook", "generate_csr", "request_failure", "exit_hook"]
    refused = script.environment("request_failure")
    assert (refused["COMMAND"], refused.get("alias")) == ("sign_domains", None)
    # dehydrated's arguments: status, body, kind of request, headers.
    told = script.log.read_text().split("request_failure")[1]
    assert told.startswith(" <4")
    assert "urn:ietf:params:acme:error:" in told
    assert "> <post> <HTTP/1.1 4" in told
    script.forget()
    done = certkeeper("dehydrated", "--register", "--accept-terms", "-f", page.config, cwd=page.folder)
    assert done.code == 1
    assert calls_in(script) == ["request_failure", "exit_hook"]
    assert script.environment("request_failure")["COMMAND"] == "register"
    assert BARE not in script.log.read_text()


def test_the_script_hears_of_a_directory_that_is_none(page: Page, tmp_path: Path) -> None:
    script = Logged(tmp_path)
    page.configure(CA=f"{page.settings['CA']}/nowhere", HOOK=str(script.path), DNS_PROVIDER="powerdns")
    assert page.run().code == 1
    assert calls_in(script).count("request_failure") == 1
    assert "request_failure <404>" in script.log.read_text()
    assert "> <get> <HTTP/1.1 404" in script.log.read_text()


def test_the_script_hears_once_why_no_request_can_be_signed(page: Page, tmp_path: Path) -> None:
    script = Logged(tmp_path)
    page.configure(EAB_KID="kid-1", EAB_HMAC_KEY=WRONG_KEY, HOOK=str(script.path), DNS_PROVIDER="powerdns")
    request, zone = tmp_path / "appliance.csr", page.domains.read_text().strip()
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "appliance.key")
    openssl("req", "-new", *made, "-out", request, "-subj", "/", "-addext", f"subjectAltName=DNS:{zone}")
    assert page.sign(request, "--accept-terms").code == 1
    assert calls_in(script) == ["request_failure"]
    assert "urn:ietf:params:acme:error:" in script.log.read_text()
