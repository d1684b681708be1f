"""`certkeeper dehydrated` does what dehydrated 0.7.2 does: what it prints, hook calls, files and modes, exit codes."""

from pathlib import Path

import pytest

from bed.world import World
from builders.page import openssl
from compat.beside import Side, alike, both, differences, ours, registered, requested

pytestmark = pytest.mark.real

CRON = "--cron"


@pytest.mark.row("C01", "C02", "D01", "D02", "D13", "D14", "F01", "G01", "G02", "H01", "H04", "H05")
def test_the_life_of_a_certificate(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        side.lines(f"{zone} www.{zone}", "", "# nothing")
        side.run(CRON)
        registered(side)
        registered(side)
        side.run(CRON)
        side.run("-c")
        side.lines(f"{zone} www.{zone}".upper())
        side.run(CRON)
        side.lines(f"{zone} mail.{zone} www.{zone}")
        side.run(CRON)
        side.lines(f"{zone} www.{zone} mail.{zone}")
        side.run(CRON)
        side.run(CRON, "--force")

    _, mine = alike(tmp_path, world, scenario)
    first = next(step for step in mine if "deploy_cert" in step.names)
    assert [entry for entry in first.tree if entry.startswith(f"certs/{zone}/cert-<1>")]
    assert " + Checking domain name(s) of existing cert... unchanged." in mine[7].out


@pytest.mark.row("D10", "D11", "H02", "J01")
@pytest.mark.long
def test_alias_wildcard_and_apex_in_one_call(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        side.configure(HOOK_CHAIN="yes")
        side.lines(f"*.s.{zone} s.{zone} > Star")
        registered(side)
        side.run(CRON)
        side.run(CRON)
        side.run(CRON, "--domain", f"one.{zone} > other", "--force")
        side.run(CRON, "--domain", f"two.{zone}", "--alias", "second")

    _, mine = alike(tmp_path, world, scenario)
    folders = {entry.split("/")[1] for entry in mine[-1].tree if entry.startswith("certs/") and "/cert" in entry[6:]}
    assert {"star", "other", "second"} <= folders


@pytest.mark.row("E01", "E04", "E05")
@pytest.mark.long
def test_settings_of_one_certificate(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        side.lines(f"a.{zone}", f"b.{zone}")
        side.certificate_config(f"a.{zone}", "KEY_ALGO=rsa\nKEYSIZE=2048\nRENEW_DAYS=32\nLOCKFILE=x\n")
        registered(side)
        side.run(CRON)
        text = openssl("pkey", "-in", side.certs / f"a.{zone}" / "privkey.pem", "-noout", "-text")
        assert "2048 bit" in text

    alike(tmp_path, world, scenario)


@pytest.mark.row("G04")
@pytest.mark.long
def test_a_key_that_a_person_put_there(tmp_path: Path, world: World, zone: str) -> None:
    keys = []

    def scenario(side: Side) -> None:
        side.configure(PRIVATE_KEY_RENEW="no")
        side.lines(zone)
        own = side.certs / zone / "privkey.pem"
        own.parent.mkdir(parents=True)
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", own)
        before = own.read_bytes()
        registered(side)
        for words in ((), ("--force",)):
            side.run(CRON, *words)
            keys.append(own.read_bytes() == before and not own.is_symlink())

    theirs, mine = both(tmp_path, world, scenario)
    assert keys == [True] * 4
    for one, other in zip(theirs, mine, strict=True):
        assert (other.code, other.out, other.calls) == (one.code, one.out, one.calls)
        assert other.tree == one.tree


@pytest.mark.row("G05")
@pytest.mark.long
def test_the_same_key_again(tmp_path: Path, world: World, zone: str) -> None:
    kept = []

    def scenario(side: Side) -> None:
        side.lines(zone)
        registered(side)
        side.run(CRON)
        side.configure(PRIVATE_KEY_RENEW="no")
        before = (side.certs / zone / "privkey.pem").read_bytes()
        side.run(CRON, "--force")
        kept.append((side.certs / zone / "privkey.pem").read_bytes() == before)

    theirs, mine = both(tmp_path, world, scenario)
    assert kept == [True, True]
    assert (mine[-1].code, mine[-1].out) == (theirs[-1].code, theirs[-1].out)


@pytest.mark.row("G07")
@pytest.mark.long
def test_the_next_key_comes_and_goes(tmp_path: Path, world: World, zone: str) -> None:
    chains: list[list[bool]] = []

    def scenario(side: Side) -> None:
        side.lines(zone)
        registered(side)
        side.configure(PRIVATE_KEY_ROLLOVER="yes")
        side.run(CRON)
        following = side.certs / zone / "privkey.roll.pem"
        made = following.read_bytes()
        side.run(CRON, "--force")
        used = (side.certs / zone / "privkey.pem").read_bytes()
        again = following.read_bytes()
        side.configure(PRIVATE_KEY_ROLLOVER="no")
        side.run(CRON, "--force")
        chains.append([made == used, again == used, following.exists()])

    theirs, mine = both(tmp_path, world, scenario)
    assert chains == [[True, False, False]] * 2
    for one, other in zip(theirs, mine, strict=True):
        assert (other.code, other.tree) == (one.code, one.tree)


@pytest.mark.row("G08")
def test_a_curve_that_dehydrated_fails_with(tmp_path: Path, world: World, zone: str) -> None:
    side = ours(tmp_path, world)
    side.lines(zone)
    registered(side)
    step = side.run(CRON, "-a", "secp521r1")
    assert step.code == 0, step
    assert "521 bit" in openssl("pkey", "-in", side.certs / zone / "privkey.pem", "-noout", "-text")


@pytest.mark.row("G16")
@pytest.mark.long
def test_files_for_http_01(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        wellknown = side.base / "www"
        wellknown.mkdir(mode=0o755)
        side.configure(CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown))
        side.lines(f"{zone} www.{zone}")
        registered(side)
        side.run(CRON)

    theirs, _ = alike(tmp_path, world, scenario)
    shown = [call.there for call in theirs[-1].calls if call.name == "deploy_challenge"]
    assert all(shown)
    assert all(line.startswith("<token> 644 ") for there in shown for line in there)


@pytest.mark.row("G17")
@pytest.mark.long
def test_files_for_tls_alpn_01(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        (side.base / "alpn-certs").mkdir(mode=0o755)
        side.configure(CHALLENGETYPE="tls-alpn-01")
        side.lines(zone)
        registered(side)
        side.run(CRON)

    theirs, mine = both(tmp_path, world, scenario)
    shown = [
        {tuple(line.split()[:2]) for call in story[-1].calls for line in call.there if call.name == "deploy_challenge"}
        for story in (theirs, mine)
    ]
    assert shown[0] == shown[1]
    assert (f"{zone}.crt.pem", "640") in shown[1]
    assert mine[-1].tree == theirs[-1].tree


@pytest.mark.row("C10", "C11")
@pytest.mark.long
def test_the_account(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        side.lines(zone)
        registered(side)
        side.configure(CONTACT_EMAIL="root@example.org")
        side.run("--account")
        side.run("--account")
        side.run("--display-terms")
        side.run("--deactivate")
        side.run(CRON)

    theirs, mine = both(tmp_path, world, scenario)
    assert "\n".join(line for pair in zip(theirs[:-2], mine, strict=False) for line in differences(*pair)) == ""
    # The files of the account that is gone have stamped names with us, so that no other one is mixed up with it.
    for one, other in zip(theirs[-2:], mine[-2:], strict=True):
        assert (other.code, other.out, other.names) == (one.code, one.out, one.names)


@pytest.mark.row("F04", "I01", "I04")
@pytest.mark.long
def test_a_request_and_a_revocation(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        side.lines(zone)
        registered(side)
        side.run(CRON)
        side.run("--signcsr", requested(side, zone, f"www.{zone}"))
        side.run("--revoke", str(side.certs / zone / "cert.pem"))
        side.run(CRON)

    _, mine = alike(tmp_path, world, scenario)
    assert not [line for line in mine[2].err if "no line asks for" in line]


@pytest.mark.row("G26", "I07")
@pytest.mark.long
def test_old_files_go(tmp_path: Path, world: World, zone: str) -> None:
    def scenario(side: Side) -> None:
        side.lines(zone)
        registered(side)
        side.run(CRON)
        side.run(CRON, "--force")
        side.run("--cleanup")
        side.run(CRON, "--force")
        side.run("-gcd")
        side.configure(AUTO_CLEANUP="yes")
        side.run(CRON, "--force")
        side.run(CRON)
        side.configure(AUTO_CLEANUP_DELETE="yes")
        side.run(CRON, "--force")

    _, mine = alike(tmp_path, world, scenario)
    assert any(line.startswith(" + Moving unused file to archive directory: ") for line in mine[6].out)


@pytest.mark.row("A01", "A02", "A04", "A05", "A07", "A08", "A10", "A11", "A13", "D23")
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("",),
        ("-h", "-c", "--bogus"),
        ("--bogus",),
        ("-c", "-e"),
        ("--cron", "--register"),
        ("--accept-terms",),
        ("-c", "-d"),
        ("-c", "-t", "foo-01"),
        ("--domain",),
        ("--cron", "--algo"),
        ("--cron", "--algo", "-x"),
        ("--force",),
        ("-c", "-x", "--force-validation", "--ca", "a", "--ca", "b"),
        ("-c", "--force-validation"),
        ("-c", "--domains-txt", "/nonexistent/domains.txt"),
        ("--env",),
    ],
    ids=lambda words: " ".join(words) or "none",
)
def test_words_that_dehydrated_takes_or_refuses(tmp_path: Path, world: World, words: tuple[str, ...]) -> None:
    def scenario(side: Side) -> None:
        side.lines("example.org")
        side.run(*words, config={"--env", "/nonexistent/domains.txt", "foo-01"} & set(words) != set())

    theirs, mine = both(tmp_path, world, scenario)
    one, other = theirs[0], mine[0]
    assert other.code == one.code
    if "--env" in words:
        assert other.out == one.out
    elif one.code == 0:
        assert bool(other.out) == bool(one.out)
    else:
        # A page that cannot be read is no page that is used: the INFO line is missing then.
        assert bool(other.err) == bool(one.err)
        assert bool(other.out) == bool(one.out) or not other.out
