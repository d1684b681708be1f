"""How much is asked of the CA, of PowerDNS and of the machine: counted, not estimated."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.pebble import Pebble
from bed.world import World
from builders.page import Done, Page

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
ACCOUNT = ("POST", "/sign-me-up")
NONCE = ("HEAD", "/nonce-plz")

STARTED = """
import sys
started = []
def hook(event, arguments):
    if event in {"subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system"}:
        started.append(f"{event}{arguments}")
sys.addaudithook(hook)
from certkeeper.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write("".join(f"started {each}\\n" for each in started))
raise SystemExit(code)
"""


def known_account(page: Page, zone: str) -> Page:
    """The page with an account that the CA knows, and nothing on record of how it came about."""
    lines = page.domains.read_text().splitlines()
    page.write_lines(f"known.{zone}")
    expect_done(page.run())
    page.write_lines(*lines)
    forget(page.world)
    return page


def forget(world: World) -> None:
    world.pebble.forget()
    world.primary.recorder.forget()


def expect_done(done: Done) -> None:
    assert (done.code, done.err) == (0, ""), done.text


def changes(world: World) -> Counter[tuple[str, str]]:
    """PATCH and notify requests by zone."""
    found: Counter[tuple[str, str]] = Counter()
    for (method, path), number in world.primary.recorder.counts().items():
        if method != "GET":
            found[method, path.split("/")[6].removesuffix(".")] += number
    return found


@pytest.mark.parametrize("names", [2, 10])
def test_a_certificate_costs_the_ca_two_requests_a_name_and_five(make_page: MakePage, zone: str, names: int) -> None:
    page = known_account(make_page(), zone)
    posts = 0
    # On a busy machine the CA may need a moment more to validate, which costs one more look at the order.
    for attempt in range(3):
        page.write_lines(" ".join(f"n{number}.t{attempt}.{zone}" for number in range(names)))
        forget(page.world)
        expect_done(page.run())
        counts = page.world.pebble.counts()
        posts = sum(number for (method, _), number in counts.items() if method == "POST")
        expected = {"/order-plz": 1, "/authZ": names, "/chalZ": names, "/finalize-order": 1, "/certZ": 1}
        assert {kind: counts["POST", kind] for kind in expected} == expected
        assert counts["GET", "/dir"] == 1
        # Each request brings the nonce of the next one; only those that go out side by side need more.
        assert 1 <= counts[NONCE] <= min(names, 16)
        assert counts[ACCOUNT] == 0
        assert changes(page.world) == {("PATCH", zone): 2, ("PUT", zone): 2}
        if posts <= 2 * names + 5:
            break
    # newOrder, two a name, one look at the order or more, finalize, perhaps another look, and the certificate
    assert posts in {2 * names + 4, 2 * names + 5}


def test_names_that_the_ca_still_knows_cost_four_requests_whatever_their_number(
    make_page: MakePage, zone: str, shared_world: World, tmp_path: Path
) -> None:
    with Pebble(tmp_path / "reusing", dns_server=shared_world.primary.dns, authz_reuse=100) as pebble:
        page = make_page(
            " ".join(f"n{number}.{zone}" for number in range(5)),
            CA=pebble.directory_url,
            CA_BUNDLE=str(pebble.ca_bundle),
        )
        expect_done(page.run())
        pebble.forget()
        shared_world.primary.recorder.forget()
        expect_done(page.run("--force"))
        counts = pebble.counts()
        posts = {kind: number for (method, kind), number in counts.items() if method == "POST"}
    assert changes(shared_world) == {}
    # Pebble has the certificate ready in its answer to finalize or a moment later.
    assert posts.pop("/my-order", 0) in {0, 1}
    assert posts == {"/order-plz": 1, "/finalize-order": 1, "/certZ": 1}
    assert counts[NONCE] == 1


def test_three_certificates_with_eleven_names_change_their_zone_once_and_once_back(
    make_page: MakePage, zone: str
) -> None:
    page = known_account(
        make_page(*(f"{letter}.{zone} *.{letter}.{zone} x.y.{letter}.{zone}" for letter in "ab")), zone
    )
    page.write_lines(*page.domains.read_text().splitlines(), " ".join(f"{letter}.{zone}" for letter in "cdefg"))
    expect_done(page.run())
    assert changes(page.world) == {("PATCH", zone): 2, ("PUT", zone): 2}
    assert page.world.pebble.counts()["POST", "/authZ"] == 11
    assert len(page.live()) == 4


def test_twelve_certificates_over_three_zones_change_each_zone_once_and_once_back(
    make_page: MakePage, shared_world: World
) -> None:
    zones = [shared_world.new_zone().removesuffix(".") for _ in range(3)]
    page = known_account(make_page(), zones[0])
    page.write_lines(*(" ".join([*(f"n{number}.{zone}" for zone in zones), f"> c{number}"]) for number in range(12)))
    expect_done(page.run())
    found = changes(shared_world)
    assert {zone: found["PUT", zone] for zone in zones} == dict.fromkeys(zones, 2)
    # SQLite may refuse one while PowerDNS itself writes down whom it has notified: then it is sent again.
    assert all(found["PATCH", zone] in {2, 3} for zone in zones)
    assert set(found) == {(method, zone) for zone in zones for method in ("PATCH", "PUT")}
    assert len(page.live()) == 12 + 1
    assert shared_world.pebble.counts()["GET", "/dir"] == 1


def test_no_process_is_started(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415 - the only test that needs its own way to start the program

    page = make_page(f"{zone} *.{zone}", f"www.{zone}")
    done = subprocess.run(
        [sys.executable, "-c", STARTED, "run", "--accept-terms", "--config", page.config],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert page.live() == {zone, f"www.{zone}"}


def test_zones_are_looked_up_once_for_all_certificates(make_page: MakePage, zone: str) -> None:
    page = make_page(*(f"n{number}.{zone} m{number}.{zone}" for number in range(4)))
    page.world.primary.recorder.forget()
    done = page.plan()
    assert done.code == 0
    lookups = [request.path for request in page.world.primary.recorder.requests() if "zones?" in request.path]
    assert len(lookups) == len(set(lookups))
