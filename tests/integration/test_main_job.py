"""The main job through the installed program: a page, a real CA, a real PowerDNS with two name servers."""

import json
import os
import re
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.powerdns import txt_rrset
from bed.world import World
from builders.page import Page, assert_clean_dns, openssl, tree_hash

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]
NAMES = ("privkey.pem", "cert.pem", "chain.pem", "fullchain.pem", "cert.csr")


def issued(page: Page, *arguments: str) -> str:
    """A run that ends well; its output."""
    done = page.run(*arguments)
    assert (done.code, done.err) == (0, ""), done.text
    return done.out


def key_of(page: Page, alias: str) -> str:
    return openssl("pkey", "-in", page.place(alias) / "privkey.pem", "-pubout")


def test_the_first_run_issues_everything_and_leaves_nothing_in_dns(make_page: MakePage, zone: str) -> None:
    page = make_page(f"{zone} *.{zone} www.{zone}", f"mail.{zone} > post")
    out = issued(page)
    assert page.verified_names(zone) == {zone, f"*.{zone}", f"www.{zone}"}
    assert page.verified_names("post") == {f"mail.{zone}"}
    assert re.fullmatch(r"2 issued; next due \S+Z", out.splitlines()[-1])
    assert_clean_dns(page.world, zone)


def test_the_layout_is_dehydrateds_names_through_one_link(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    issued(page)
    place = page.place(zone)
    (stamp,) = page.stamps(zone)
    assert (place / ".live").readlink() == Path(f".versions/{stamp}")
    assert {path.name for path in (place / ".versions").iterdir()} == {str(stamp)}
    for name in NAMES:
        base, _, extension = name.rpartition(".")
        stamped = place / f"{base}-{stamp}.{extension}"
        assert (place / name).readlink() == Path(f".live/{name}")
        assert stamped.samefile(place / ".versions" / str(stamp) / name)
        assert not stamped.is_symlink()
    expected = {*NAMES, ".live", ".versions", *(f"{n.split('.')[0]}-{stamp}.{n.split('.')[1]}" for n in NAMES)}
    assert {path.name for path in place.iterdir()} == expected


def test_what_is_written_is_private(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    issued(page)
    written = [path for path in page.folder.rglob("*") if path not in {page.config, page.domains}]
    open_ones = [
        f"{path} {stat.filemode(path.lstat().st_mode)}"
        for path in written
        if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert open_ones == []
    assert any(path.name == "account_key.pem" for path in written)
    assert not (page.folder / "lock").exists()


def test_force_renews_and_the_version_before_stays(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"other.{zone}")
    issued(page)
    first, others = page.stamps(zone), page.stamps(f"other.{zone}")
    old = (page.place(zone) / "cert.pem").read_bytes()
    issued(page, "--force", zone)
    page.verified_names(zone)
    assert (page.place(zone) / "cert.pem").read_bytes() != old
    assert (page.place(zone) / ".versions" / str(*first) / "cert.pem").read_bytes() == old
    assert len(page.stamps(zone)) == 2
    assert page.stamps(f"other.{zone}") == others


def test_a_key_that_the_admin_copied_in_stays_byte_for_byte(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PRIVATE_KEY_RENEW="no")
    page.place(zone).mkdir(parents=True)
    own = page.place(zone) / "privkey.pem"
    openssl("genrsa", "-out", own, "2048")
    before, status = own.read_bytes(), own.lstat()
    for arguments in ((), ("--force",)):
        issued(page, *arguments)
        page.verified_names(zone)
        assert own.read_bytes() == before
        after = own.lstat()
        assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (status.st_ino, status.st_mtime_ns, status.st_mode)


def test_a_reused_key_stays_behind_its_link(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PRIVATE_KEY_RENEW="no")
    issued(page)
    before = (page.place(zone) / "privkey.pem").read_bytes()
    issued(page, "--force")
    assert (page.place(zone) / "privkey.pem").is_symlink()
    assert (page.place(zone) / "privkey.pem").read_bytes() == before
    page.verified_names(zone)
    assert len(page.stamps(zone)) == 2


def test_a_new_key_keeps_the_admins_own_one_under_another_name(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.place(zone).mkdir(parents=True)
    own = page.place(zone) / "privkey.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", own)
    os.utime(own, (1_600_000_000, 1_600_000_000))
    before = own.read_bytes()
    issued(page)
    assert (page.place(zone) / "privkey-1600000000.pem").read_bytes() == before
    assert own.read_bytes() != before
    page.verified_names(zone)


def test_a_key_copied_in_the_very_second_of_the_new_version_is_kept_too(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    own = page.place(zone) / "privkey.pem"
    # An interrupted run left a version in the making: its stamp is the one that the next version gets.
    (page.place(zone) / ".versions" / "1600000000.partial").mkdir(parents=True)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", own)
    os.utime(own, (1_600_000_000, 1_600_000_000))
    before = own.read_bytes()
    issued(page)
    kept = [path for path in page.place(zone).glob("privkey-*.pem") if path.read_bytes() == before]
    assert len(kept) == 1
    page.verified_names(zone)


def test_each_renewal_gets_a_new_key_of_the_kind_asked_for(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.certificate_config(zone, KEY_ALGO="rsa", KEYSIZE="2048")
    issued(page)
    first = key_of(page, zone)
    assert "Public-Key: (2048 bit)" in openssl("x509", "-in", page.place(zone) / "cert.pem", "-text")
    page.certificate_config(zone, KEY_ALGO="secp384r1")
    issued(page, "--force")
    assert key_of(page, zone) != first
    assert "secp384r1" in openssl("x509", "-in", page.place(zone) / "cert.pem", "-text")


def test_changed_names_are_a_reason_and_their_order_is_none(make_page: MakePage, zone: str) -> None:
    page = make_page(f"{zone} a.{zone} b.{zone}")
    issued(page)
    page.write_lines(f"{zone} b.{zone} a.{zone}")
    assert "nothing due" in issued(page)
    page.write_lines(f"{zone} a.{zone} c.{zone}")
    assert f"names-changed: to add: c.{zone}; no longer listed: b.{zone}" in page.plan().out
    issued(page)
    assert page.verified_names(zone) == {zone, f"a.{zone}", f"c.{zone}"}


def test_a_name_and_its_wildcard_share_one_owner_and_a_strangers_record_survives(
    make_page: MakePage, zone: str
) -> None:
    page = make_page(f"{zone} *.{zone}")
    world, owner = page.world, f"_acme-challenge.{zone}"
    world.primary.patch(zone, txt_rrset(owner, "somebody else's", ttl=777))
    world.primary.recorder.forget()
    issued(page)
    publish, withdraw = [
        json.loads(request.body)["rrsets"] for request in world.primary.recorder.requests() if request.method == "PATCH"
    ]
    (published,) = [rrset for rrset in publish if rrset["type"] == "TXT"]
    assert published["name"] == f"{owner}."
    assert len(published["records"]) == 3
    assert published["ttl"] == 777
    (left,) = [rrset for rrset in withdraw if rrset["type"] == "TXT"]
    assert [record["content"] for record in left["records"]] == ['"somebody else\'s"']
    assert world.primary.records(zone)[f"{owner}.", "TXT"] == {'"somebody else\'s"'}


def test_one_certificate_may_have_names_in_several_zones(make_page: MakePage, shared_world: World) -> None:
    zones = [shared_world.new_zone().removesuffix(".") for _ in range(3)]
    sub = shared_world.primary.create_zone(f"sub.{zones[0]}").removesuffix(".")
    names = [*zones, f"www.{sub}"]
    page = make_page(" ".join([*names, "> all"]))
    issued(page)
    assert page.verified_names("all") == set(names)
    assert_clean_dns(shared_world, *zones, sub)


@pytest.mark.parametrize(
    ("soa_edit_api", "soa_edit"),
    [
        ("INCEPTION-INCREMENT", ""),
        pytest.param("SOA-EDIT", "", marks=pytest.mark.long),
        pytest.param("DEFAULT", "", marks=pytest.mark.long),
        ("", ""),
        pytest.param("OFF", "", marks=pytest.mark.long),
        pytest.param("INCREASE", "INCEPTION-INCREMENT", marks=pytest.mark.long),
        pytest.param("SOA-EDIT", "INCEPTION-INCREMENT", marks=pytest.mark.long),
        ("", "INCEPTION-INCREMENT"),
    ],
)
def test_the_secondary_catches_up_whatever_the_zone_says_of_serials(
    make_page: MakePage, shared_world: World, soa_edit_api: str, soa_edit: str
) -> None:
    zone = shared_world.new_zone().removesuffix(".")
    shared_world.primary.api.call("PUT", f"/zones/{zone}.", {"soa_edit_api": soa_edit_api, "soa_edit": soa_edit})
    page = make_page(f"{zone} www.{zone}")
    for arguments in ((), ("--force",)):
        done = page.run(*arguments)
        assert done.code == 0, done.text
        assert_clean_dns(shared_world, zone)


def test_a_slow_secondary_is_waited_for(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=1.5)
    page = make_page("example.org", world=world)
    start = time.monotonic()
    out = issued(page)
    assert time.monotonic() - start >= 1.5
    assert world.primary.server in out
    assert world.secondary.server in out
    assert_clean_dns(world, world.zone)


def test_a_deaf_secondary_fails_its_zone_before_a_challenge_is_spent(
    make_page: MakePage, make_world: MakeWorld
) -> None:
    world = make_world(lag=None)
    page = make_page("example.org www.example.org", world=world, PDNS_WAIT="3")
    start = time.monotonic()
    done = page.run()
    assert 3 <= time.monotonic() - start < 10
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("example.org: ")
    assert world.secondary.server in error
    assert world.primary.server not in error
    assert world.pebble.counts()["POST", "/chalZ"] == 0
    assert world.pebble.counts()["POST", "/authZ"] == 2
    assert_clean_dns(world, world.zone)
    assert page.live() == set()


def test_a_dead_address_is_a_warning_where_another_one_confirms(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_WAIT="6")
    page.configure(NAMESERVERS=f"{page.world.nameservers} 127.0.0.77:9")
    done = page.run()
    assert done.code == 0, done.text
    (note,) = [line for line in done.text.splitlines() if "127.0.0.77" in line and "did not answer" in line]
    assert "others serve the records" in note
    page.verified_names(zone)


def test_a_mute_server_does_not_hold_up_the_questions_to_the_others(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_WAIT="4")
    with socket.create_server(("127.0.0.77", 0)) as mute:
        page.configure(NAMESERVERS=f"{page.world.nameservers} 127.0.0.77:{mute.getsockname()[1]}")
        done = page.run()
    assert done.code == 0, done.text
    assert "127.0.0.77" in done.text


def test_where_no_server_answers_nothing_is_spent_and_the_addresses_are_named(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_WAIT="1", NAMESERVERS="127.0.0.77:9 127.0.0.78:9")
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert "127.0.0.77:9" in error
    assert "127.0.0.78:9" in error
    assert page.world.pebble.counts()["POST", "/chalZ"] == 0
    assert_clean_dns(page.world, zone)


def test_plan_writes_nothing_and_tells_what_the_run_then_does(make_page: MakePage, zone: str) -> None:
    page = make_page(f"{zone} *.{zone}", f"www.{zone} mail.{zone} > www")
    before = tree_hash(page.folder)
    page.world.pebble.forget()
    page.world.primary.recorder.forget()
    done = page.plan()
    assert (done.code, done.err) == (0, "")
    assert tree_hash(page.folder) == before
    assert page.world.pebble.requests() == []
    assert {request.method for request in page.world.primary.recorder.requests()} == {"GET"}
    owners = [line.split()[0] for line in done.out.splitlines() if line.endswith(" TXT")]
    assert owners == [f"_acme-challenge.{name}" for name in (zone, f"www.{zone}", f"mail.{zone}")]
    page.world.primary.recorder.forget()
    issued(page)
    publish = next(item for item in page.world.primary.recorder.requests() if item.method == "PATCH")
    written = {rrset["name"] for rrset in json.loads(publish.body)["rrsets"] if rrset["type"] == "TXT"}
    assert written == {f"{owner}." for owner in owners}


def test_plan_in_json_carries_actions_zones_and_when_to_wake(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    document = json.loads(page.plan("--json").out)
    (certificate,) = document["certificates"]
    assert certificate["reason"] == "missing"
    assert len(certificate["actions"]) == 4
    assert document["zones"] == {zone: [f"_acme-challenge.{zone}"]}
    issued(page)
    document = json.loads(page.plan("--json").out)
    assert document["zones"] == {}
    assert document["wake_at"] == document["certificates"][0]["wake_at"]
    assert document["certificates"][0]["reason"] == "current"


def test_status_shows_what_is_there_and_what_is_missing(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    issued(page)
    page.write_lines(zone, f"new.{zone}")
    page.world.primary.recorder.forget()
    done = page.status()
    assert (done.code, done.err) == (0, "")
    missing, current, names, last, summary = done.out.splitlines()
    assert missing.split()[:2] == ["missing", f"new.{zone}"]
    assert current.split()[:5] == ["ok", zone, "90", "days", "left"]
    assert names.startswith(f"    {zone}, issued by")
    assert last.startswith("    last: ")
    assert summary.startswith("1 problem in 2 certificates: 1 missing, 1 ok; next renewal ")
    assert page.world.primary.recorder.requests() == []
    there, here = json.loads(page.status("--json").out)["certificates"]
    assert (there["state"], here["state"]) == ("missing", "ok")
    assert here["certificate"]["names"] == [zone]
    assert here["folder"] == str(page.place(zone))
    assert there["certificate"] is None
    assert there["due"]


def test_the_first_run_of_many_certificates_makes_their_common_folder_once(make_page: MakePage, zone: str) -> None:
    page = make_page(*(f"n{number}.{zone}" for number in range(16)))
    issued(page)
    assert len(page.live()) == 16


def test_one_name_selects_one_certificate(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"www.{zone} mail.{zone} > www")
    issued(page, f"mail.{zone}")
    assert page.live() == {"www"}


def test_a_page_that_dehydrated_left_is_taken_over_without_a_new_account(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = make_page(zone)
    issued(page)
    later = Page(tmp_path / "later", page.world, f"www.{zone}", ACCOUNTDIR=str(page.folder / "accounts"))
    page.world.pebble.forget()
    done = later.run(terms=False)
    assert done.code == 0, done.text
    assert page.world.pebble.counts()["POST", "/sign-me-up"] == 0


def test_quiet_prints_nothing_where_all_is_well(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    done = page.run("--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert page.live() == {zone}
