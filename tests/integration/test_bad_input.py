"""What a new user gets wrong, and what goes wrong around them.

Each time: one error that names its object, a hint what to do, the other certificates issued, the exit code, and no
challenge record left behind.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from bed import binaries
from bed.faults import Answer, Asked, Fault, FaultyPebble, FaultyPowerDns, HangUp, HoleyDns, Rewrite
from bed.pebble import Options, Pebble
from bed.powerdns import rrset
from bed.world import World
from builders.page import Done, Page, assert_clean_dns, certkeeper, openssl

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]


def without_overriding_permissions() -> list[str]:
    """A command prefix under which permission bits count for root, too."""
    if os.geteuid() != 0:
        return []
    drop = "-dac_override,-dac_read_search,-fowner"
    return [binaries.require("setpriv"), f"--bounding-set={drop}", f"--inh-caps={drop}", "--"]


def in_a_mount_namespace() -> list[str]:
    """A command prefix; a shell script with the mounts to make, its $0 and the command come next."""
    unshare = binaries.require("unshare")
    probe = subprocess.run([unshare, "-m", "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        binaries.missing(f"no mount namespace can be made: {probe.stderr.strip()}", "run as root, with CAP_SYS_ADMIN")
    return [unshare, "-m", "sh", "-c"]


def spent(pebble: Pebble) -> int:
    """Challenges that were answered."""
    return pebble.counts()["POST", "/chalZ"]


def the_others_are_issued(page: Page, *aliases: str) -> None:
    assert page.live() == set(aliases)
    for alias in aliases:
        page.verified_names(alias)


# --- the configuration file -------------------------------------------------------------------------------------------


def usage_error(done: Done, *words: str) -> None:
    assert done.code == 2, done.text
    error = done.only_error()
    for word in words:
        assert word in error
    assert done.out == ""


def test_a_missing_config(tmp_path: Path) -> None:
    path = tmp_path / "config"
    usage_error(certkeeper("run", "--config", path, cwd=tmp_path), str(path), "no such file")


def test_no_config_anywhere(tmp_path: Path) -> None:
    prefix: list[str] = []
    if Path("/etc/dehydrated").exists():  # a page, or the package's example of one
        prefix = [*in_a_mount_namespace(), 'mount -t tmpfs none /etc/dehydrated && exec "$@"', "sh"]
    usage_error(certkeeper("run", cwd=tmp_path, prefix=prefix), "/etc/dehydrated/config", f"{tmp_path}/config")


def test_an_unreadable_config(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.config.chmod(0)
    usage_error(page.run(prefix=without_overriding_permissions()), str(page.config), "permission denied")


def test_a_config_that_is_a_folder(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    usage_error(certkeeper("run", "--config", page.folder, cwd=page.folder), str(page.folder), "is a directory")


def test_an_empty_config(make_page: MakePage, zone: str) -> None:
    # A wildcard: with the defaults any other name would be ordered from a CA of the real world.
    page = make_page(f"*.{zone} > wild")
    page.config.write_text("")
    done = page.run()
    assert done.code in {1, 2}
    assert "CHALLENGETYPE" in done.only_error() + done.out
    assert "dns-01" in "".join(done.hints)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('HOOK="/usr/bin/x', ["a double quote is opened here and never closed"]),
        ("CA = x", ["CA", "blanks around ="]),
        ('CA="nowhere"', ["CA", "nowhere", "neither a preset nor a URL"]),
        ("if true; then", ["if", "conditions"]),
        ('RENEW_DAYS="soon"', ["RENEW_DAYS", "soon"]),
        ('KEY_ALGO="rot13"', ["KEY_ALGO", "rot13"]),
        ('NAMESERVERS="[::1"', ["NAMESERVERS", "[::1"]),
        ('CA_BUNDLE="/nowhere.pem"', ["/nowhere.pem", "CA_BUNDLE"]),
    ],
)
def test_a_line_of_the_config_that_cannot_be_read_is_named(
    make_page: MakePage, zone: str, line: str, words: list[str]
) -> None:
    page = make_page(zone)
    page.config.write_text(page.config.read_text() + line + "\n")
    done = page.run()
    assert done.code == 2, done.text
    error = done.only_error()
    for word in words:
        assert word in error
    assert page.live() == set()
    if "nowhere.pem" not in line:
        assert re.search(rf"{page.config}:\d+", error)


def test_a_missing_list(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.domains.unlink()
    usage_error(page.run(), str(page.domains), "no such file")


def test_an_empty_list_is_nothing_to_do(make_page: MakePage) -> None:
    done = make_page().run()
    assert (done.code, done.err) == (0, "")
    assert "nothing to do" in done.out


# --- domains.txt ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("www..{zone}", ["www..{zone}", "empty label"]),
        ("bad!name.{zone}", ["bad!name.{zone}", "character"]),
        ("{zone} foo/bar.{zone}", ["foo/bar.{zone}"]),
        ("*.{zone}", ["*.{zone}", "wildcard cannot name a folder"]),
        ("a.*.{zone}", ["a.*.{zone}", "character"]),
        ("localhost", ["localhost", "two labels"]),
        ("{long}.{zone}", ["longer than 63"]),
        ("x.{zone} > ../../etc", ["../../etc"]),
    ],
)
def test_a_bad_line_of_the_list_is_named_and_the_others_go_on(
    make_page: MakePage, zone: str, line: str, words: list[str]
) -> None:
    texts = {"zone": zone, "long": "l" * 64}
    page = make_page(f"good.{zone}", line.format(**texts))
    done = page.run()
    assert done.code == 1, done.text
    error = done.only_error()
    assert f"{page.domains}:2" in error
    for word in words:
        assert word.format(**texts) in error
    the_others_are_issued(page, f"good.{zone}")
    assert_clean_dns(page.world, zone)


def test_carriage_returns_and_comments_behind_names_do_no_harm(make_page: MakePage, zone: str) -> None:
    page = make_page()
    page.domains.write_bytes(f"{zone} www.{zone}\r\nmail.{zone} # the mail server\r\n\r\n# the end\r\n".encode())
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert page.verified_names(zone) == {zone, f"www.{zone}"}
    assert page.verified_names(f"mail.{zone}") == {f"mail.{zone}"}
    assert f"{page.domains}:2: a comment after the names" in done.out


def test_a_config_with_carriage_returns(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.config.write_bytes(page.config.read_bytes().replace(b"\n", b"\r\n"))
    done = page.run()
    assert "Traceback" not in done.text
    if done.code == 0:
        the_others_are_issued(page, zone)
    else:
        assert f"{page.config}:1" in done.only_error()


def test_two_thousand_names(make_page: MakePage, make_world: MakeWorld) -> None:
    # Without questions to DNS of its own: Pebble asks 6,000 at once, and no server here takes that many.
    world, zone = make_world(pebble=Options(always_valid=True)), "example.org"
    names = [f"n{number}.{zone}" for number in range(2000)]
    page = make_page(" ".join([*names, "> many"]), f"other.{zone}", world=world, PDNS_WAIT="60")
    done = page.run(deadline=180)
    assert "Traceback" not in done.text
    assert done.code == 0, done.text
    assert "2000 names on the line" in done.out
    assert max(map(len, done.out.splitlines())) < 500
    assert len(page.verified_names("many")) == 2000
    the_others_are_issued(page, "many", f"other.{zone}")
    assert_clean_dns(page.world, zone)


# --- PowerDNS ---------------------------------------------------------------------------------------------------------


def test_powerdns_is_down(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_HOST="http://127.0.0.1:9")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert "http://127.0.0.1:9" in error
    assert "connection refused" in error
    assert page.world.pebble.counts()["POST", "/order-plz"] == 0 or page.live() == set()


def test_powerdns_is_down_is_said_once_for_all_certificates(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"www.{zone}", f"mail.{zone}", PDNS_HOST="http://127.0.0.1:9")
    done = page.run()
    assert done.code == 1
    assert len([line for line in done.err.splitlines() if "connection refused" in line]) == 1, done.err


def test_a_wrong_api_key(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_KEY="guess")
    done = page.run()
    assert done.code == 1
    assert "API key is refused" in done.only_error()
    assert "PDNS_KEY" in "".join(done.hints)
    assert "guess" not in done.text


def test_something_else_listens_where_powerdns_should(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    with FaultyPowerDns(page.world.primary, lambda _: Answer(200, b"<html>welcome</html>")) as other:
        page.configure(PDNS_HOST=other.url)
        done = page.run()
    assert done.code == 1
    assert "not JSON" in done.only_error()


def test_an_unknown_zone_stops_its_certificate_only(make_page: MakePage, zone: str) -> None:
    typo = "x" + zone
    page = make_page(zone, f"www.{typo}")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"www.{typo}: ")
    assert "no zone at PowerDNS" in error
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_secondary_zone_is_not_written_to(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(PDNS_HOST=page.world.secondary.api_url)
    done = page.run()
    assert done.code == 1
    assert "is a secondary" in done.only_error()
    assert_clean_dns(page.world, zone)


def failing(method: str, *, times: int, status: int = 500) -> Callable[[Asked], Fault | None]:
    return lambda asked: (
        Answer(status, b'{"error": "the database is locked"}')
        if asked.method == method and asked.nth <= times
        else None
    )


@pytest.mark.parametrize("fault", [Answer(500, b'{"error": "busy"}'), HangUp(), HangUp(passed_on=True)])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_change_that_fails_once_is_tried_again(make_page: MakePage, zone: str, fault: Fault, nth: int) -> None:
    page = make_page(f"{zone} *.{zone}")
    with FaultyPowerDns(
        page.world.primary, lambda asked: fault if asked.method == "PATCH" and asked.nth == nth else None
    ) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_look_that_fails_once_is_tried_again(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    with FaultyPowerDns(page.world.primary, failing("GET", times=1)) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert done.code == 0, done.text


def test_changes_that_always_fail_end_the_certificates_of_that_zone_only(
    make_page: MakePage, shared_world: World
) -> None:
    good, bad = (shared_world.new_zone().removesuffix(".") for _ in range(2))
    page = make_page(good, bad)

    def rule(asked: Asked) -> Fault | None:
        broken = asked.method == "PATCH" and bad in asked.path
        return Answer(500, b'{"error": "disk is full"}') if broken else None

    with FaultyPowerDns(shared_world.primary, rule) as api:
        page.configure(PDNS_HOST=api.url)
        shared_world.pebble.forget()
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"{bad}: ")
    assert "disk is full" in error
    assert spent(shared_world.pebble) == 1
    the_others_are_issued(page, good)
    assert_clean_dns(shared_world, good, bad)


def test_a_change_that_may_have_gone_through_is_taken_back(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    patched: list[Asked] = []
    failed_looks: list[Asked] = []

    def rule(asked: Asked) -> Fault | None:
        if asked.method == "PATCH":
            patched.append(asked)
            return HangUp(passed_on=True) if len(patched) == 1 else None
        if patched and len(failed_looks) < 9 and asked.method == "GET" and "?" not in asked.path:
            failed_looks.append(asked)
            return HangUp()
        return None

    with FaultyPowerDns(page.world.primary, rule) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert done.code == 1
    assert len(done.errors) == 1
    assert [b"DELETE" in asked.body for asked in patched] == [False, True]
    assert page.live() == set()
    assert_clean_dns(page.world, zone)


def test_a_withdrawal_that_always_fails_is_an_error_that_says_what_is_left(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    with FaultyPowerDns(
        page.world.primary,
        lambda asked: Answer(500, b'{"error": "gone"}') if asked.method == "PATCH" and asked.nth > 1 else None,
    ) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert f"zone {zone}" in error
    assert f"_acme-challenge.{zone} TXT" in "".join(done.hints)
    the_others_are_issued(page, zone)


def test_a_notify_that_fails_is_a_note(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(NAMESERVERS=page.world.primary.server)
    with FaultyPowerDns(page.world.primary, failing("PUT", times=9)) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert "secondaries were not notified" in done.out


def test_a_secondary_that_never_catches_up_stops_its_zone_only(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=None, zones=("example.org", "example.net"))
    page = make_page("example.org", "example.net", world=world, PDNS_WAIT="2")
    page.configure(NAMESERVERS=f"{world.nameservers} example.net={world.primary.server}")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("example.org: ")
    assert world.secondary.server in error
    assert spent(world.pebble) == 1
    the_others_are_issued(page, "example.net")
    assert_clean_dns(world, *world.zones)


# --- the CA -----------------------------------------------------------------------------------------------------------


def test_the_ca_is_down(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"www.{zone}", CA="https://localhost:9/dir")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert "https://localhost:9/dir" in error
    assert "connection refused" in error
    assert not (page.folder / "accounts").exists()
    assert_clean_dns(page.world, zone)


def test_the_cas_api_is_not_trusted(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.unset("CA_BUNDLE")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert page.world.pebble.directory_url in error
    assert "CA_BUNDLE" in "".join(done.hints)


def test_a_bundle_without_a_certificate(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(CA_BUNDLE=str(page.domains))
    assert page.plan().code == 0, "looking needs no CA"
    done = page.run()
    assert done.code == 2
    assert str(page.domains) in done.only_error()


def test_a_page_that_is_no_directory(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(CA=page.world.pebble.directory_url.replace("/dir", "/nonce-plz"))
    done = page.run()
    assert done.code == 1
    assert "/nonce-plz" in done.only_error()


def test_every_nonce_is_refused(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(pebble=Options(nonce_reject=100), secondaries=0)
    done = make_page("example.org", world=world).run()
    assert done.code == 1
    assert "nonce" in done.only_error()
    assert_clean_dns(world, world.zone)


def test_a_name_that_the_ca_refuses_stops_its_certificate_only(make_page: MakePage, make_world: MakeWorld) -> None:
    # Pebble 2.10 dies of names with fewer labels than a blocked one.
    world = make_world(pebble=Options(blocklist=("blocked.example",)), zones=("example.org", "blocked.example"))
    page = make_page("example.org", "www.example.org www.blocked.example", world=world)
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("www.example.org: ")
    assert "www.blocked.example" in error
    assert "rejectedIdentifier" in error
    the_others_are_issued(page, "example.org")
    assert_clean_dns(world, *world.zones)


def test_one_invalid_name_among_ten_is_the_one_that_is_named(
    make_page: MakePage, shared_world: World, zone: str, tmp_path: Path
) -> None:
    names = [f"n{number}.{zone}" for number in range(10)]
    with (
        HoleyDns(shared_world.primary.dns, {f"_acme-challenge.n7.{zone}"}) as dns_of_the_ca,
        Pebble(tmp_path / "ca", dns_server=dns_of_the_ca.dns) as pebble,
    ):
        page = make_page(
            f"good.{zone}",
            " ".join([*names, "> ten"]),
            CA=pebble.directory_url,
            CA_BUNDLE=str(pebble.ca_bundle),
        )
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("ten: ")
    assert [name for name in names if f"{name}:" in error.replace("ten: ", "")] == [f"n7.{zone}"]
    assert page.live() == {f"good.{zone}"}
    assert_clean_dns(shared_world, zone)


@pytest.fixture
def stuck_ca(shared_world: World, tmp_path: Path, zone: str) -> Iterator[FaultyPebble]:
    """A CA that never finishes the orders of names that start with `stuck`."""

    def processing(body: bytes) -> bytes:
        order = json.loads(body)
        names = [identifier["value"] for identifier in order.get("identifiers", ())]
        if order.get("status") == "valid" and f"stuck.{zone}" in names:
            order["status"] = "processing"
        return json.dumps(order).encode()

    def rule(asked: Asked) -> Fault | None:
        return Rewrite(processing) if asked.kind in {"/my-order", "/finalize-order"} else None

    with FaultyPebble(shared_world.pebble, rule, tmp_path / "stuck") as proxy:
        yield proxy


def test_an_order_that_is_processed_for_ever_is_given_up(
    make_page: MakePage, zone: str, stuck_ca: FaultyPebble
) -> None:
    page = make_page(
        zone, f"stuck.{zone}", CA=stuck_ca.directory_url, CA_BUNDLE=str(stuck_ca.ca_bundle), ORDER_TIMEOUT="2"
    )
    start = time.monotonic()
    done = page.run()
    assert time.monotonic() - start < 15
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"stuck.{zone}: ")
    assert "still processing after 2" in error
    assert page.live() == {zone}
    assert_clean_dns(page.world, zone)


def test_a_ca_that_closes_connections_is_asked_again(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    page = make_page(f"{zone} *.{zone}", f"www.{zone}")
    faults: list[Fault | None] = [HangUp(), HangUp(passed_on=True), Answer(503, b"busy"), None, None]

    def rule(asked: Asked) -> Fault | None:
        # One request in a kind fails, each kind in another way.
        return faults[sum(map(ord, asked.kind)) % len(faults)] if asked.nth == 2 else None

    with FaultyPebble(page.world.pebble, rule, tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert page.live() == {zone, f"www.{zone}"}
    assert_clean_dns(page.world, zone)


def test_a_ca_that_hangs_up_on_everything_is_an_error_in_plain_words(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = make_page(zone)
    with FaultyPebble(page.world.pebble, lambda _: HangUp(), tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert ca.directory_url in error
    assert "RemoteDisconnected" not in error


def test_a_finalize_whose_answer_is_lost_still_ends_in_the_certificate(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = make_page(zone)

    def rule(asked: Asked) -> Fault | None:
        return HangUp(passed_on=True) if asked.kind == "/finalize-order" and asked.nth == 1 else None

    with FaultyPebble(page.world.pebble, rule, tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        done = page.run()
    assert done.code == 0, done.text
    page.verified_names(zone)


def test_a_registration_that_was_cut_off_is_finished_by_the_next_run(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = make_page(zone)
    broken = True

    def rule(asked: Asked) -> Fault | None:
        return HangUp() if broken and asked.kind == "/sign-me-up" else None

    with FaultyPebble(page.world.pebble, rule, tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        assert page.run().code == 1
        broken = False
        again = page.run()
    assert again.code == 0, again.text
    assert page.live() == {zone}


def test_terms_that_nobody_accepted(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    before = {path.name for path in page.folder.iterdir()}
    done = page.run(terms=False)
    assert done.code == 2
    assert "terms of service" in done.only_error()
    assert "--accept-terms" in "".join(done.hints)
    # The journal is opened before anybody is asked; nothing else comes into being.
    assert {path.name for path in page.folder.iterdir()} - before <= {"state"}
    assert_clean_dns(page.world, zone)


# --- folders and keys -------------------------------------------------------------------------------------------------


def test_a_certificates_folder_that_cannot_be_written_to_stops_that_one_only(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"closed.{zone}")
    page.place(f"closed.{zone}").mkdir(parents=True)
    page.place(f"closed.{zone}").chmod(0o500)
    page.world.pebble.forget()
    done = page.run(prefix=without_overriding_permissions())
    assert done.code == 1, done.text
    error = done.only_error()
    assert str(page.place(f"closed.{zone}")) in error
    assert "permission denied" in error
    assert page.world.pebble.counts()["POST", "/order-plz"] == 1
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_base_folder_that_cannot_be_written_to(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.folder.chmod(0o500)
    try:
        done = page.run(prefix=without_overriding_permissions())
    finally:
        page.folder.chmod(0o700)
    assert done.code in {1, 2}
    error = done.only_error()
    assert str(page.folder) in error
    assert "permission denied" in error
    assert_clean_dns(page.world, zone)


def test_a_read_only_file_system_is_called_by_its_name(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, LOCKFILE="")
    page.certs.mkdir()
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    done = page.run(prefix=[*in_a_mount_namespace(), script, str(page.certs)])
    assert done.code == 1, done.text
    error = done.only_error()
    assert "read-only file system" in error
    assert "findmnt" in "".join(done.hints)
    assert_clean_dns(page.world, zone)


def _garbage(key: Path) -> None:
    key.write_text("-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n")


def _certificate(key: Path) -> None:
    other = key.with_name("other.key")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", other)
    openssl("req", "-x509", "-new", "-key", other, "-subj", "/CN=x", "-out", key)


def _encrypted(key: Path) -> None:
    openssl(
        "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-aes256", "-pass", "pass:x", "-out", key
    )


def _short(key: Path) -> None:
    openssl("genrsa", "-out", key, "1024")


def _unsound(key: Path) -> None:
    """An RSA key whose numbers do not fit together: only what a person put there is proven, and it is."""
    openssl("genrsa", "-out", key, "2048")
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    held = private.private_numbers()
    spoilt = rsa.RSAPrivateNumbers(
        held.p, held.q, held.d, held.dmp1 ^ 2, held.dmq1, held.iqmp, held.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    key.write_bytes(spoilt.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (_unsound, "not a sound private key"),
        (_garbage, "not a sound private key"),
        (_certificate, "a certificate in the key's place"),
        (_encrypted, "encrypted"),
        (_short, "1024 bits"),
    ],
)
def test_a_copied_key_that_cannot_be_used_is_named(
    make_page: MakePage, zone: str, spoil: Callable[[Path], None], word: str
) -> None:
    page = make_page(zone, f"bad.{zone}", PRIVATE_KEY_RENEW="no")
    page.place(f"bad.{zone}").mkdir(parents=True)
    key = page.place(f"bad.{zone}") / "privkey.pem"
    spoil(key)
    before = key.read_bytes()
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"bad.{zone}: ")
    assert str(key) in error
    assert word in error
    assert key.read_bytes() == before
    assert page.world.pebble.counts()["POST", "/order-plz"] == 1
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_key_copied_to_two_certificates_is_named_with_both(make_page: MakePage, zone: str) -> None:
    page = make_page(f"a.{zone}", f"b.{zone}", zone, PRIVATE_KEY_RENEW="no")
    for alias in ("a", "b"):
        page.place(f"{alias}.{zone}").mkdir(parents=True)
    key = page.place(f"a.{zone}") / "privkey.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    (page.place(f"b.{zone}") / "privkey.pem").write_bytes(key.read_bytes())
    done = page.run()
    assert done.code == 1
    assert "Traceback" not in done.text
    assert f"a.{zone}/privkey.pem" in done.err
    assert f"b.{zone}/privkey.pem" in done.err
    assert "the same private key" in done.err
    the_others_are_issued(page, zone)


def test_a_cname_to_nowhere_fails_that_certificate_alone(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"alias.{zone}")
    owner = f"_acme-challenge.alias.{zone}"
    page.world.primary.patch(zone, rrset(owner, "CNAME", [f"elsewhere.not-{zone}."]))
    done = page.run()
    assert done.code == 1
    assert f"{owner} is delegated by CNAME to elsewhere.not-{zone}" in done.only_error()
    assert page.live() == {zone}
    assert_clean_dns(page.world, zone)


@pytest.mark.parametrize("out", ["| head -n 1", "> /dev/full", ">&-", ">&- 2>&-"])
def test_output_that_goes_nowhere_does_not_break_a_run(make_page: MakePage, zone: str, out: str) -> None:
    page = make_page(zone, f"www.{zone}")
    command = f'"{sys.executable}" -m certkeeper run --accept-terms --config "{page.config}" {out}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert page.live() == {zone, f"www.{zone}"}
    assert_clean_dns(page.world, zone)
