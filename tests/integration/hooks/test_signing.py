"""Scripts that answer the challenges of a request that somebody else made: `certkeeper sign`."""

from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page, openssl
from integration.hooks.logged import BASH, Logged
from integration.hooks.test_killed import DEADLY, words_of

pytestmark = pytest.mark.real

NAMES = ("a.example", "b.example")


@pytest.fixture
def page(believer: World, tmp_path: Path) -> Page:
    """Names are proven by files, which the script of the page hears of."""
    (wellknown := tmp_path / "wellknown").mkdir()
    page = Page(tmp_path / "page", believer, "page.example", CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown))
    page.unset("PDNS_HOST", "PDNS_KEY")
    return page


def request(page: Page, *key: str) -> Path:
    """For a key that certkeeper does not get to see."""
    made = page.folder / "appliance.csr"
    names = ",".join(f"DNS:{name}" for name in NAMES)
    kind = key or ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    files = ("-nodes", "-keyout", page.folder / "appliance.key", "-out", made, "-subj", "/")
    openssl("req", "-new", "-newkey", *kind, *files, "-addext", f"subjectAltName={names}")
    return made


def told_of(script: Logged, name: str) -> list[str]:
    """The names in these calls."""
    return sorted(call[1] for call in script.calls() if call[0] == name)


@pytest.mark.long
def test_the_script_hears_of_challenges_and_refusals_and_of_nothing_else(page: Page, tmp_path: Path) -> None:
    script = Logged(tmp_path)
    page.configure(HOOK=str(script.path))
    assert page.sign(request(page)).code == 2, "nobody agreed to the terms"
    assert script.names() == []

    signed = page.sign(request(page), "--accept-terms")
    assert (signed.code, signed.out.count("BEGIN CERTIFICATE")) == (0, 2), signed.text
    assert script.names() == ["deploy_challenge"] * 2 + ["clean_challenge"] * 2
    assert told_of(script, "deploy_challenge") == told_of(script, "clean_challenge") == list(NAMES)
    environment = script.environment("deploy_challenge")
    assert {name: environment[name] for name in ("COMMAND", "CHALLENGETYPE", "altnames")} == {
        "COMMAND": "sign_csr",
        "CHALLENGETYPE": "http-01",
        "altnames": " ".join(NAMES),
    }

    script.forget()
    refused = page.sign(request(page, "ed25519"))
    assert (refused.code, "badCSR" in refused.only_error()) == (1, True), refused.text
    assert [name for name in script.names() if name.isidentifier()] == [
        *["deploy_challenge"] * 2, *["clean_challenge"] * 2, "request_failure"
    ]  # fmt: skip


def test_a_script_that_fails_is_told_to_clean_and_nothing_is_signed(page: Page, tmp_path: Path) -> None:
    script = Logged(tmp_path, BASH.replace("echo deploying", "exit 1"))
    page.configure(HOOK=str(script.path))
    done = page.sign(request(page), "--accept-terms")
    assert (done.code, done.out) == (1, "")
    assert "deploy_challenge: ended with status 1" in done.only_error()
    assert script.names() == ["deploy_challenge", "clean_challenge"]


def test_what_a_killed_one_told_it_of_is_cleaned_by_the_next_run(page: Page, tmp_path: Path) -> None:
    script = Logged(tmp_path, DEADLY)
    page.configure(HOOK=str(script.path), HOOK_CHAIN="yes")
    deadly = Path(f"{script.log}.deadly")
    deadly.touch()
    assert page.sign(request(page), "--accept-terms").code == -9
    deployed = words_of(script, "deploy_challenge")
    assert [name for name, *_ in deployed] == list(NAMES)
    deadly.unlink()
    script.forget()
    done = page.run()
    assert done.code == 0, done.text
    assert set(deployed) <= set(words_of(script, "clean_challenge"))
