"""dns-account-01 and dns-persist-01 with a real CA: below the account's label, and by a record that stands."""

import json
import shlex
from collections.abc import Callable

import pytest

from bed.powerdns import rrset
from bed.waiting import wait_until
from bed.world import World
from builders.page import Page, assert_clean_dns, txt_owners
from certkeeper.acme.accountlabel import account_label

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
FOREIGN = ("other.example; accounturi=https://other.example/account/7", "nothing of the kind")


def account_of(page: Page) -> str:
    (found,) = page.folder.glob("accounts/*/account_id.json")
    url: str = json.loads(found.read_text(encoding="utf-8"))["url"]
    return url


def put(world: World, zone: str, owner: str, kind: str, *contents: str) -> None:
    world.primary.patch(zone, rrset(owner, kind, contents))
    world.primary.notify(zone)
    wait_until(lambda: world.secondary.serial(zone) == world.primary.serial(zone), f"{zone} is at the secondary")


def test_the_account_is_opened_first_and_its_label_is_where_the_ca_looks(
    make_page: MakePage, shared_world: World, zone: str
) -> None:
    page = make_page(f"{zone} *.{zone}", CHALLENGETYPE="dns-account-01")
    planned = page.plan()
    assert "proven below a label of the account's" in planned.out, planned.text
    refused = page.run(terms=False)
    assert refused.code == 2
    assert "terms of service" in refused.only_error()
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert f"zone {zone}: 2 challenge records of 1 certificate published" in done.out
    assert page.verified_names(zone) == {zone, f"*.{zone}"}
    assert_clean_dns(shared_world, zone)

    # A CNAME of this account's own leads to another zone, and the name of dns-01 is left alone.
    other = shared_world.new_zone().removesuffix(".")
    label = account_label(account_of(page))
    put(shared_world, zone, f"{label}._acme-challenge.{zone}", "CNAME", f"here.{other}.")
    planned = page.plan("--force")
    assert f"    here.{other} TXT" in planned.out.splitlines(), planned.text


def test_a_record_that_is_written_once_proves_names_without_a_change(
    make_page: MakePage, shared_world: World, zone: str
) -> None:
    page = make_page(
        f"{zone} *.{zone} fallback.{zone}", CHALLENGETYPE=f"dns-persist-01 fallback.{zone}=dns-persist-01,dns-01"
    )
    owner = f"_validation-persist.{zone}"
    put(shared_world, zone, owner, "TXT", *(f'"{value}"' for value in FOREIGN))
    # Without a record no order is opened; the account is there then, so that the record can be written.
    shared_world.pebble.forget()
    done = page.run()
    assert done.code == 1
    assert owner in done.only_error()
    assert shared_world.pebble.counts()["POST", "/order-plz"] == 0
    (hint,) = done.hints
    assert hint == f"certkeeper dns persist {zone} --write --wildcard"

    asked = page.dns("persist", zone, "--write")
    assert (asked.code, "nobody can be asked" in asked.err) == (1, True), asked.text
    assert len(shared_world.primary.txt(owner)) == len(FOREIGN)
    words = shlex.split(hint)[2:]
    written = page.dns(*words, "--days", "20", "--yes")
    assert (written.code, written.err) == (0, ""), written.text
    assert f"zone {zone}: served by" in written.out
    value = f"pebble.letsencrypt.org; accounturi={account_of(page)}; policy=wildcard; persistUntil="
    (ours,) = [text for text in shared_world.primary.txt(owner) if text not in FOREIGN]
    assert ours.startswith(value)
    again = page.dns(*words, "--yes")
    assert again.code == 0, again.text
    assert shared_world.primary.txt(owner) == {*FOREIGN, value.removesuffix("; persistUntil=")}
    assert page.dns(*words, "--yes").out.endswith("nothing to do\n")

    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    # The name without a record is proven by dns-01, and by nothing else than its own value.
    assert f"zone {zone}: 1 challenge record of 1 certificate published" in done.out
    assert page.verified_names(zone) == {zone, f"*.{zone}", f"fallback.{zone}"}
    assert txt_owners(shared_world.primary.records(zone)) == {f"{owner}."}
    assert set(FOREIGN) < shared_world.primary.txt(owner)


@pytest.mark.long
def test_a_record_is_shown_warned_of_and_removed(make_page: MakePage, shared_world: World, zone: str) -> None:
    page = make_page(zone, CHALLENGETYPE="dns-persist-01 dns-01")
    owner = f"_validation-persist.{zone}"
    nobody = page.dns("persist")
    assert nobody.code == 1
    assert "no account" in nobody.only_error()
    assert page.run().code == 0
    put(shared_world, zone, owner, "TXT", f'"{FOREIGN[0]}"')
    shown = page.dns("persist")
    assert shown.code == 1
    assert f"    there now (for another account): {FOREIGN[0]}" in shown.out.splitlines(), shown.text
    assert f"    to write it: certkeeper dns persist {zone} --write" in shown.out.splitlines()

    assert page.dns("persist", "--write", "--days", "7", "--yes").code == 0
    document = json.loads(page.dns("persist", "--json").out)
    (name,) = document["names"]
    assert (name["name"], name["ability"], name["wildcard"]) == (zone, "allows", False)
    assert [finding["code"] for finding in document["findings"]] == ["standing-record"]
    assert len(name["servers"]) == 2
    # What was seen is remembered for commands that ask nobody.
    assert f"warning: the record at {owner} ends" in page.status().out
    assert [item["code"] for item in json.loads(page.plan("--json").out)["findings"]] == ["standing-record"]

    removed = page.dns("persist", zone, "--remove", "--yes")
    assert (removed.code, removed.err) == (0, ""), removed.text
    assert shared_world.primary.txt(owner) == {FOREIGN[0]}
    wait_until(lambda: shared_world.secondary.txt(owner) == {FOREIGN[0]}, "it is gone at the secondary")
    assert page.dns("persist", zone, "--remove", "--yes").out == "nothing to do\n"


@pytest.mark.parametrize("words", [("--days", "3"), ("--write", "--until", "2020-01-01"), ("--wildcard",)])
def test_what_makes_no_sense_is_a_usage_error(make_page: MakePage, zone: str, words: tuple[str, ...]) -> None:
    page = make_page(zone, CHALLENGETYPE="dns-persist-01")
    done = page.dns("persist", *words)
    assert done.code == 2
    assert done.only_error()
