"""`certkeeper account …` at a real CA, on dehydrated's files."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page
from certkeeper.adapters.keys import load_own

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nonces are refused now and then: every command has to live with that."""
    with World(tmp_path_factory.mktemp("world"), pebble={"nonce_reject": 15}, dnssec=False) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path, world: World) -> Page:
    return Page(tmp_path, world, world.new_zone().removesuffix("."), CONTACT_EMAIL="old@example.org")


def folder_of(page: Page) -> Path:
    (folder,) = page.folder.glob("accounts/*")
    return folder


def shown(page: Page) -> dict[str, object]:
    done = page.account("show", "--json")
    assert (done.code, done.err) == (0, ""), done.text
    document = json.loads(done.out)
    assert isinstance(document, dict)
    return document


def files(page: Page) -> set[str]:
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder_of(page).iterdir()} == {0o600}
    return {path.name for path in folder_of(page).iterdir()}


DEHYDRATEDS = {"account_key.pem", "account_id.json", "registration_info.json"}


def test_an_account_from_its_registration_to_its_end(page: Page) -> None:
    assert page.account("show").code == 1
    refused = page.account("register")
    assert (refused.code, "terms" in refused.only_error()) == (2, True)
    assert list(page.folder.glob("accounts/*/*")) == []
    made = page.account("register", "--accept-terms")
    assert made.code == 0, made.text
    assert files(page) == DEHYDRATEDS
    first = shown(page)
    assert (first["status"], first["contact"]) == ("valid", ["mailto:old@example.org"])
    assert first["folder"] == str(folder_of(page))
    assert str(first["url"]) in page.account("show").out
    assert "already" in page.account("register").out

    assert "as before" in page.account("update").out
    changed = page.account("update", "--contact", "new@example.org")
    assert (changed.code, changed.err) == (0, "")
    assert shown(page)["contact"] == ["mailto:new@example.org"]
    assert json.loads((folder_of(page) / "registration_info.json").read_text())["contact"] == ["mailto:new@example.org"]
    (backup,) = folder_of(page).glob("registration_info-*.json")
    assert json.loads(backup.read_text())["contact"] == ["mailto:old@example.org"]
    backup.unlink()

    rolled = page.account("roll-key")
    assert (rolled.code, rolled.err) == (0, ""), rolled.text
    after = shown(page)
    assert files(page) == DEHYDRATEDS
    assert (after["url"], after["contact"]) == (first["url"], ["mailto:new@example.org"])
    assert after["key"] != first["key"]
    assert load_own(str(folder_of(page) / "account_key.pem")).key_id in rolled.out
    ended = page.run(terms=False)
    assert (ended.code, ended.err) == (0, ""), ended.text

    page.configure(ACCOUNT_KEY_ALGO="ed25519")
    refused = page.account("roll-key")
    assert (refused.code, "ACCOUNT_KEY_ALGO" in refused.err) == (1, True), refused.text
    assert files(page) == DEHYDRATEDS
    assert shown(page)["key"] == after["key"]

    asked = page.account("deactivate")
    assert (asked.code, "--yes" in asked.err) == (1, True)
    assert shown(page)["status"] == "valid"
    assert page.account("deactivate", "--yes").code == 0
    names = files(page)
    assert "deactivated" in names
    assert "account_key.pem" not in names
    assert any(name.startswith("account_key-") for name in names)
    for done in (page.run("--force"), page.account("show"), page.account("register", "--accept-terms")):
        assert (done.code, "deactivated" in done.only_error()) == (1, True)
    (folder_of(page) / "deactivated").unlink()
    assert page.account("register", "--accept-terms").code == 1
    page.configure(ACCOUNT_KEY_ALGO="prime256v1")
    again = page.account("register", "--accept-terms")
    assert again.code == 0, again.text
    assert shown(page)["url"] != first["url"]


def test_a_url_that_was_lost_is_found_and_a_key_is_taken_over(page: Page) -> None:
    page.account("register", "--accept-terms")
    url = shown(page)["url"]
    for name in ("account_id.json", "registration_info.json"):
        (folder_of(page) / name).unlink()
    assert page.account("recover").out == f"account {url}\n"
    assert files(page) == DEHYDRATEDS
    key = page.folder / "taken.pem"
    os.rename(folder_of(page) / "account_key.pem", key)  # noqa: PTH104 - as mv does
    assert page.account("import", key).out.startswith(f"account {url}, prime256v1, in ")
    assert shown(page)["url"] == url
    other = page.folder / "other"
    other.mkdir()
    stranger = Page(other, page.world, "example.org")
    unknown = stranger.account("import", page.config)
    assert (unknown.code, "config" in unknown.only_error()) == (1, True)
    assert stranger.account("import", key, "--ca", "no-such-ca").code == 2
    assert stranger.account("import", key).code == 0
    assert shown(stranger)["url"] == url
    rolled = stranger.account("roll-key")
    assert rolled.code == 0
    # The CA gave the account to another key meanwhile, and says so.
    gone = page.account("show")
    assert (gone.code, len(gone.errors)) == (1, 1)


def test_a_rollover_that_was_cut_off_after_the_ca_knew_is_finished(page: Page) -> None:
    page.account("register", "--accept-terms")
    folder = folder_of(page)
    present = (folder / "account_key.pem").read_bytes()
    assert page.account("roll-key").code == 0
    (folder / "account_key.pem").rename(folder / "account_key.pending.pem")
    (folder / "account_key.pem").write_bytes(present)
    (folder / "account_key.pem").chmod(0o600)
    seen = page.account("show")
    assert (seen.code, "finished" in seen.err) == (0, True), seen.text
    assert files(page) == DEHYDRATEDS
    assert (folder / "account_key.pem").read_bytes() != present
