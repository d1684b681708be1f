"""Renewal information (RFC 9773) through the installed program and a real CA."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from bed.pebble import Pebble
from builders.certificates import Wish, new_key, version_files
from builders.page import Page, environment, tree_hash
from certkeeper.base.names import Identifier

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WHY = "https://ca.example/incident"
LOADED = """
import sys
from certkeeper.cli.main import main
code = main(sys.argv[1:])
heavy = ("urllib3", "dns", "certkeeper.adapters.pool")
sys.stderr.write("".join(f"loaded {name}\\n" for name in heavy if name in sys.modules))
raise SystemExit(code)
"""


def done_well(page: Page, *arguments: str) -> str:
    done = page.run(*arguments)
    assert (done.code, done.err) == (0, ""), done.text
    return done.out


def moment(span: timedelta) -> str:
    return (datetime.now(tz=UTC) + span).isoformat()


def answer(start: timedelta, end: timedelta, **members: object) -> str:
    return json.dumps({"suggestedWindow": {"start": moment(start), "end": moment(end)}, **members})


def pem(page: Page, alias: str) -> str:
    return (page.place(alias) / "cert.pem").read_text()


def questions(pebble: Pebble) -> int:
    """How many questions about certificates there were; each is a GET. Pebble logs the path up to the name."""
    path = urlsplit(json.loads(pebble.fetch(pebble.directory_url))["renewalInfo"]).path
    found = [method for method, asked in pebble.requests() if asked.startswith(path)]
    assert set(found) <= {"GET"}
    return len(found)


def kept(page: Page) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((page.folder / "state" / "ari.json").read_text())["certificates"]
    return found


def ask_now(page: Page) -> None:
    """As if the time for the next question had come."""
    path = page.folder / "state" / "ari.json"
    document = json.loads(path.read_text())
    for members in document["certificates"].values():
        members["ask_at"] = 0
    path.write_text(json.dumps(document))


def test_each_certificate_is_asked_about_once_and_not_again_before_its_time(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"www.{zone}")
    pebble = page.world.pebble
    pebble.forget()
    done_well(page)
    assert questions(pebble) == 0
    pebble.forget()
    assert "2 certificates, nothing due" in done_well(page)
    assert questions(pebble) == 2
    assert pebble.counts()["GET", "/dir"] == 1 + 1  # the program's, and this test's own look
    assert not [method for method, _ in pebble.requests() if method != "GET"]
    pebble.forget()
    assert "2 certificates, nothing due" in done_well(page)
    assert pebble.requests() == []
    path = page.folder / "state" / "ari.json"
    assert path.stat().st_mode & 0o777 == 0o600
    ask_at = kept(page)[zone]["ask_at"]
    assert isinstance(ask_at, int)
    # Pebble says: in six hours.
    assert 6 * HOUR - timedelta(minutes=5) < datetime.fromtimestamp(ask_at, tz=UTC) - datetime.now(tz=UTC) <= 6 * HOUR
    ask_now(page)
    pebble.forget()
    done_well(page)
    assert questions(pebble) == 2


def test_a_run_with_nothing_to_ask_loads_no_http_and_no_dns(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    done_well(page)
    done_well(page)
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "run", "--config", page.config],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=page.folder,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_window_in_the_past_renews_at_once_and_loudly_and_the_order_names_what_it_replaces(
    make_page: MakePage, zone: str
) -> None:
    page = make_page(zone)
    pebble = page.world.pebble
    done_well(page)
    old = pem(page, zone)
    pebble.set_renewal_info(old, answer(-2 * HOUR, -HOUR, explanationURL=WHY))
    planned = page.plan().out
    assert re.search(rf"{re.escape(zone)}: issue \(suggested: .*{re.escape(WHY)}\)", planned)
    assert not (page.folder / "state" / "ari.json").exists()
    out = done_well(page)
    assert f"warning: {zone}: the CA wants this certificate replaced at once" in out
    assert WHY in out
    assert "1 issued" in out
    assert pem(page, zone) != old
    assert "without saying what it replaces" not in out
    pebble.forget()
    assert "nothing due" in done_well(page)
    # The new certificate has a name of its own.
    assert questions(pebble) == 1


def test_a_certificate_that_was_replaced_already_is_replaced_again_without_saying_so(
    make_page: MakePage, zone: str
) -> None:
    page = make_page(zone)
    done_well(page)
    # The certificate comes back from a backup after it was replaced.
    before = {path.name: path.read_bytes() for path in page.place(zone).glob("*.pem") if path.name.count("-") == 0}
    page.world.pebble.set_renewal_info(pem(page, zone), answer(-2 * HOUR, -HOUR))
    done_well(page)
    for name, content in before.items():
        (page.place(zone) / name).unlink()
        (page.place(zone) / name).write_bytes(content)
    out = done_well(page)
    assert "ordered without saying what it replaces" in out
    assert "alreadyReplaced" in out
    assert "1 issued" in out


def test_a_window_to_come_is_when_it_is_due(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    done_well(page)
    page.world.pebble.set_renewal_info(pem(page, zone), answer(10 * DAY, 11 * DAY, explanationURL=WHY))
    done_well(page)
    (seen,) = json.loads(page.status("--json").out)["certificates"]
    renew_at = datetime.fromisoformat(seen["renew_at"])
    assert 10 * DAY - HOUR < renew_at - datetime.now(tz=UTC) < 11 * DAY
    assert WHY in seen["detail"]
    (planned,) = json.loads(page.plan("--json").out)["certificates"]
    assert planned["wake_at"] == seen["renew_at"]
    # Chosen once.
    ask_now(page)
    done_well(page)
    assert json.loads(page.status("--json").out)["certificates"][0]["renew_at"] == seen["renew_at"]


@pytest.mark.parametrize("nonsense", ["{", " ", "[]", '{"suggestedWindow":{"start":"x","end":"y"}}'])
def test_nonsense_suggests_nothing_and_stops_nothing(make_page: MakePage, zone: str, nonsense: str) -> None:
    page = make_page(zone)
    done_well(page)
    page.world.pebble.set_renewal_info(pem(page, zone), nonsense)
    assert "nothing due" in done_well(page)
    assert "window" not in kept(page)[zone]
    page.world.pebble.forget()
    done_well(page)
    assert page.world.pebble.requests() == []


def test_a_certificate_of_another_ca_is_renewed_by_renew_days(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    now = datetime.now(tz=UTC)
    name = (Identifier.parse(zone),)
    for left, words in ((60 * DAY, "nothing due"), (20 * DAY, "1 issued")):
        key = new_key()
        wish = Wish(name, now + left - 90 * DAY, now + left, authority_key_id=b"\x01\x02")
        files = version_files(key, wish)
        page.place(zone).mkdir(parents=True, exist_ok=True)
        for file in ("privkey", "cert", "chain", "fullchain"):
            (page.place(zone) / f"{file}.pem").write_bytes(getattr(files, file))
        page.world.pebble.forget()
        out = done_well(page)
        assert words in out
        # Pebble does not know it: 404.
        assert questions(page.world.pebble) == 1
        assert "without saying what it replaces" not in out


def test_a_ca_that_cannot_be_reached_stops_nothing(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    done_well(page)
    page.configure(CA="https://127.0.0.1:1/directory")
    # What is known to be another CA's would be renewed: here it is not known.
    (origin,) = page.place(zone).glob(".versions/*/origin.json")
    origin.unlink()
    before = tree_hash(page.place(zone))
    done = page.run()
    assert (done.code, done.err) == (0, "")
    assert "nothing due" in done.out
    assert tree_hash(page.place(zone)) == before
    assert kept(page)[zone]["failures"] == 1


def test_a_file_that_is_damaged_or_gone_is_written_anew(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    done_well(page)
    done_well(page)
    path = page.folder / "state" / "ari.json"
    whole = kept(page)
    for content in (b"", b"\xff\x00", path.read_bytes()[:-20]):
        path.write_bytes(content)
        assert "nothing due" in done_well(page)
        assert kept(page)[zone]["window"] == whole[zone]["window"]
        assert kept(page)[zone]["renew_at"] == whole[zone]["renew_at"]
    path.unlink()
    done_well(page)
    assert kept(page)[zone]["renew_at"] == whole[zone]["renew_at"]


def test_ari_no_asks_nobody_and_names_nothing(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, ARI="no")
    done_well(page)
    page.world.pebble.set_renewal_info(pem(page, zone), answer(-2 * HOUR, -HOUR))
    page.world.pebble.forget()
    assert "nothing due" in done_well(page)
    assert page.world.pebble.requests() == []
    assert not (page.folder / "state" / "ari.json").exists()


def test_advice_that_cannot_be_kept_stops_nothing(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    done_well(page)
    path = page.folder / "state" / "ari.json"
    path.mkdir()
    done = page.run()
    assert (done.code, done.err) == (0, "")
    assert "what the CA advises on renewals cannot be kept" in done.out
    assert "nothing due" in done.out
