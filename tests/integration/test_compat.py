"""`certkeeper dehydrated` in the place of dehydrated, at a CA that believes everything."""

import json
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.dehydrated import Hook
from bed.world import World
from builders.page import Done, Page, certkeeper, environment, openssl

pytestmark = pytest.mark.real
ORDER, DIRECTORY = ("POST", "/order-plz"), ("GET", "/dir")


@pytest.fixture(scope="module")
def believer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("believer")
    with World(folder, zones=(), secondaries=0, dnssec=False, pebble={"always_valid": True}) as world:
        yield world


class Installation:
    """dehydrated's files, with certkeeper as the program, and a hook that notes its calls."""

    def __init__(self, folder: Path, world: World, *lines: str, **settings: str) -> None:
        self.hook = Hook(folder / "hooks")
        self.page = Page(folder / "dehydrated", world, *lines, HOOK=str(self.hook.path), CHALLENGETYPE="dns-01")
        self.page.configure(CURL_OPTS=f"--cacert {world.pebble.ca_bundle}", **settings)
        self.page.unset("CA_BUNDLE", "PDNS_HOST", "PDNS_KEY", "NAMESERVERS")
        self.pebble = world.pebble

    def does(self, *words: str | Path, env: dict[str, str] | None = None) -> Done:
        command = [str(Path(sys.executable).with_name("certkeeper-dehydrated")), "-f", str(self.page.config)]
        ended = subprocess.run(
            [*command, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.page.folder,
            env=environment(env),
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def registered(self) -> "Installation":
        assert self.does("--register", "--accept-terms").code == 0
        return self

    @property
    def account(self) -> Path:
        (folder,) = (self.page.folder / "accounts").iterdir()
        return folder


Make = Callable[..., Installation]


@pytest.fixture
def make(tmp_path: Path, believer: World) -> Make:
    return lambda *lines, **settings: Installation(tmp_path / "one", believer, *lines, **settings)


def lines(done: Done) -> list[str]:
    assert done.code == 0, done.text
    return done.out.splitlines()


@pytest.mark.row("C01", "C02", "C05", "C10", "C11")
@pytest.mark.long
def test_an_account_from_its_beginning_to_its_end(make: Make) -> None:
    one = make("a.example")
    done = one.does("-c")
    assert (done.code, "terms of service" in done.err, "--register --accept-terms" in done.err) == (1, True, True)
    assert not list(one.page.folder.glob("accounts/*/account_key.pem"))
    assert lines(one.does("--register", "--accept-terms"))[1:] == [
        "+ Generating account key...",
        "+ Registering account key with ACME server...",
        "+ Fetching account URL...",
        "+ Done!",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in one.account.iterdir()} == {0o600}
    assert lines(one.does("--register"))[1:] == ["+ Account already registered!"]
    # What dehydrated leaves where the CA refused.
    (one.account / "registration_info.json").write_bytes(b"")
    (one.account / "account_id.json").unlink()
    assert lines(one.does("--register"))[1:] == ["+ Fetching account URL...", "+ Done!"]
    assert json.loads((one.account / "registration_info.json").read_bytes())
    one.page.configure(CONTACT_EMAIL="new@example.org")
    said = lines(one.does("--account"))[1:]
    assert re.fullmatch(r"\+ Updating registration url: https://\S+ contact information\.\.\.", said[0])
    assert re.fullmatch(r"\+ Backup (\S+/registration_info)\.json as \1-\d+\.json", said[1])
    assert said[2:] == [f"+ Populate {one.account}/registration_info.json", "+ Done!"]
    assert lines(one.does("--account"))[2:] == ["+ Account information was the same after the update", "+ Done!"]
    assert lines(one.does("--display-terms"))[1].startswith("The current terms of service: ")
    assert lines(one.does("--deactivate"))[2:] == [" + Done."]
    done = one.does("-c")
    assert (done.code, "has been deactivated" in done.err) == (1, True)
    assert "dehydrated --register --accept-terms" in done.err
    assert (one.account / "deactivated").exists()


@pytest.mark.row("D22", "D23")
def test_a_list_that_is_empty_or_missing(make: Make) -> None:
    one = make().registered()
    one.hook.forget()
    assert one.does("-c").code == 0
    assert one.hook.names() == ["startup_hook", "exit_hook"]
    one.page.domains.unlink()
    one.hook.forget()
    done = one.does("-c")
    assert (done.code, done.err.startswith("ERROR: ")) == (1, True)
    assert one.hook.names() == ["startup_hook", "exit_hook"]
    assert one.does("-c", "-d", "d.example").code == 0


ISSUED = """\
 + Signing domains...
 + Generating private key...
 + Generating signing request...
 + Requesting new certificate order from CA...
 + Received 1 authorizations URLs from the CA
 + Handling authorization for a.example
 + 1 pending challenge(s)
 + Deploying challenge tokens...
 + Responding to challenge for a.example authorization...
 + Challenge is valid!
 + Cleaning challenge tokens...
 + Requesting certificate...
 + Checking certificate...
 + Done!
 + Creating fullchain.pem...
 + Done!
"""


@pytest.mark.row("F01", "F02", "F07", "A16", "A17", "A19", "A20")
def test_a_certificate_in_the_words_of_dehydrated(make: Make) -> None:
    one = make("a.example").registered()
    folder = one.page.place("a.example")
    first = f"# INFO: Using main config file {one.page.config}\nProcessing a.example\n"
    cache = f" + Creating chain cache directory {one.page.folder}/chains\n"
    made = first.replace("Processing", f"{cache}Processing")
    assert one.does("-c", "--alias", "zz").out == f"{made} + Creating new directory {folder} ...\n{ISSUED}"
    end = openssl("x509", "-in", folder / "cert.pem", "-noout", "-enddate").strip().partition("=")[2]
    compared = " + Checking domain name(s) of existing cert... unchanged.\n"
    valid = f" + Checking expire date of existing cert...\n + Valid till {end} "
    one.pebble.forget()
    one.hook.forget()
    assert one.does("-c").out == f"{first}{compared}{valid}(Longer than 32 days). Skipping renew!\n"
    assert set(one.pebble.counts()) <= {DIRECTORY}
    assert one.hook.names() == ["startup_hook", "generate_csr", "unchanged_cert", "exit_hook"]
    one.page.configure(RENEW_DAYS="95")
    done = one.does("-c", "-d", "A.EXAMPLE")
    assert done.out == f"{first}{compared}{valid}(Less than 95 days). Renewing!\n{ISSUED}"
    (one.page.folder / "lock").write_text("Sun Nov 29 16:09:39 UTC 2026\n")
    one.hook.forget()
    done = one.does("-c")
    assert (done.code, done.err.startswith(f"ERROR: Lock file '{one.page.folder}/lock' present, aborting.")) == (
        1,
        True,
    )
    assert one.hook.names() == ["exit_hook"]
    elsewhere = one.page.folder / "elsewhere"
    words = ("-d", "a.example", "-d", "b.example c.example", "--alias", "X", "-o", elsewhere)
    said = lines(one.does("-c", "-n", *words))
    assert "Processing a.example with alternative names: b.example c.example " in said
    assert (elsewhere / "x" / "cert.pem").exists()
    assert lines(one.does("-c", "--lock-suffix", "other", *words))


@pytest.mark.row("F04", "F05", "D14", "I04", "I05", "I07")
@pytest.mark.long
def test_what_a_certificate_may_come_to(make: Make) -> None:
    one = make("a.example").registered()
    cert = one.page.place("a.example") / "cert.pem"
    assert one.does("-c").code == 0
    (stamp,) = one.page.stamps("a.example")
    done = one.does("-r", cert)
    real = cert.with_name(f"cert-{stamp}.pem")
    assert lines(done)[1:] == [f"Revoking {real}", " + Done.", f" + Renaming certificate to {real}-revoked"]
    assert cert.with_name(f"{real.name}-revoked").exists()
    assert not cert.exists()
    assert cert.is_symlink()
    other = one.page.folder / "other.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout", "/dev/null", "-out", other)
    done = one.does("-r", other)
    assert (done.code, other.exists(), "Done" in done.out) == (1, True, False), done.text
    assert "  + ERROR: An error occurred while sending post-request to https://" in done.err
    assert "Requesting certificate" in one.does("-c").out
    assert cert.exists()
    one.page.write_lines("a.example b.example")
    said = one.does("-c").out
    assert (
        "existing cert... changed!\n + Domain name(s) are not matching!\n + Names in old certificate: a.example\n"
        " + Configured names: a.example b.example\n + Forcing renew.\n" in said
    )
    assert one.page.verified_names("a.example") == {"a.example", "b.example"}
    cert.unlink()
    cert.write_text("garbage\n")
    done = one.does("-c")
    assert (done.code, "Existing certificate is of no use" in done.err) == (0, True), done.text
    assert one.page.verified_names("a.example") == {"a.example", "b.example"}
    assert f"Deleting unused file: a.example/cert-{stamp}.pem-revoked" in lines(one.does("-gcd"))
    assert not (one.page.folder / "archive").exists()


def test_what_the_script_failed_to_clean_it_is_told_of_again(make: Make) -> None:
    one = make("a.example").registered()
    one.page.configure(CHALLENGETYPE="dns-01 other.example=dns-01")
    done = one.does("-c", env={"HOOK_FAILS": "clean_challenge"})
    assert (done.code, "# WARNING: " in done.err, "word counts" in done.err) == (1, True, False)
    (owed,) = {call for call in one.hook.calls() if call.startswith("clean_challenge ")}
    one.page.write_lines()
    one.hook.forget()
    done = one.does("-c", env={"HOOK_FAILS": "clean_challenge"})
    assert (done.code, "ERROR: zone a.example: challenge records may still be there" in done.err) == (1, True), (
        done.text
    )
    assert one.hook.calls()[-2:] == [owed, "exit_hook"]
    one.hook.forget()
    assert one.does("-c").code == 0
    assert one.hook.calls()[-2:] == [owed, "exit_hook"]
    one.hook.forget()
    done = one.does("-c")
    assert (done.code, done.err) == (0, ""), "cron mails it"
    assert owed not in one.hook.calls()


def test_what_cannot_be_read_is_told_in_its_place(make: Make) -> None:
    one = make("a.example", "*.b.example b.example > zz", "c.example > last").registered()
    seen = one.page.folder / "seen"
    one.hook.path.write_text(f'#!/bin/sh\n[ "$1" != exit_hook ] || env >{seen}\n')
    one.page.certificate_config("a.example", KEY_ALGO="ecdsa")
    one.page.certificate_config("zz", HOOK="", CHALLENGETYPE="dns-01")
    done = one.does("-c", "-g")
    told = [line for line in done.out.splitlines() if line.startswith("Processing")]
    assert told == [
        "Processing a.example",
        "Processing *.b.example with alternative names: b.example ",
        "Processing c.example",
    ]
    left = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert {name: left.get(name) for name in ("alias", "CHALLENGETYPE", "KEY_ALGO", "PRIVATE_KEY_ROLLOVER")} == {
        "alias": "last",
        "CHALLENGETYPE": "dns-01",
        "KEY_ALGO": "prime256v1",
        "PRIVATE_KEY_ROLLOVER": "no",
    }
    assert "ERROR: The challenge type dns-01 needs a hook script" in done.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("-s", "/nonexist"), ""),
        (("-c", "-t", "foo-01"), "hint: one of: http-01, dns-01, tls-alpn-01\n"),
        (("-c", "-a", "ecdsa"), "prime256v1"),
        (("-c", "--order-timeout", "x"), ""),
    ],
)
def test_the_main_file_and_the_end_are_told_although_something_typed_is_wrong(
    make: Make, words: tuple[str, ...], hint: str
) -> None:
    one = make()
    done = one.does(*words)
    assert (done.code, done.out) == (1, f"# INFO: Using main config file {one.page.config}\n")
    assert hint in done.err
    assert one.hook.names() == ["exit_hook"]


def test_bash_evaluates_the_page_where_that_is_typed(make: Make) -> None:
    one = make()
    with one.page.config.open("a") as config:
        config.write('if true; then RENEW_DAYS="$(echo 17)"; fi\n')
    done = one.does("-e")
    assert (done.code, "--source-config" in done.err, 'SOURCE_CONFIG="yes"' in done.err) == (1, True, True)
    assert 'declare -- RENEW_DAYS="17"' in lines(one.does("-e", "--source-config"))


def as_dehydrated_leaves_it(place: Path, stamp: int) -> None:
    """The same files, without ours beside them."""
    for name in ("privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"):
        link, file = place / name, place / f"{Path(name).stem}-{stamp}.pem"
        content = link.read_bytes()
        for old in (link, file):
            old.unlink()
        file.write_bytes(content)
        link.symlink_to(file.name)
    (place / ".live").unlink()
    shutil.rmtree(place / ".versions")


def test_a_certificate_is_revoked_by_a_path_from_here(make: Make) -> None:
    one = make("a.example", "b.example", "c.example").registered()
    assert one.does("-c").code == 0
    for name, file, foreign in (
        ("a.example", "cert", True),
        ("b.example", "fullchain", True),
        ("c.example", "fullchain", False),
    ):
        (stamp,) = one.page.stamps(name)
        place = one.page.place(name).relative_to(one.page.folder)
        if foreign:
            as_dehydrated_leaves_it(one.page.place(name), int(stamp))
        real = place / f"{file}-{stamp}.pem"
        done = lines(one.does("-r", place / f"{file}.pem"))
        assert done[1:] == [f"Revoking {real}", " + Done.", f" + Renaming certificate to {real}-revoked"]
        revoked = one.page.folder / f"{real}-revoked"
        assert revoked.exists()
        done_again = one.does("-r", revoked)
        assert (done_again.code, "was revoked before" in done_again.err, revoked.exists()) == (1, True, True)


@pytest.mark.row("D25", "E04", "E07")
@pytest.mark.long
def test_one_that_fails_ends_the_run_or_not(make: Make) -> None:
    one = make("a.example", "b.example", "c.example").registered()
    one.page.certificate_config("a.example", KEY_ALGO="prime256v1", CHALLENGETYPE="dns-01")
    one.page.certificate_config("b.example", KEY_ALGO="ecdsa")
    one.hook.forget()
    done = one.does("-c")
    assert (done.code, one.page.live()) == (1, {"a.example"}), done.text
    assert " + Using certificate specific config file!\n + Signing domains..." in done.out
    assert "KEY_ALGO" in done.err
    assert "prime256v1" in done.err
    assert one.hook.calls()[-1].startswith("exit_hook ")
    one.hook.forget()
    done = one.does("-c", "-g")
    assert (done.code, one.page.live()) == (1, {"a.example", "c.example"})
    assert one.hook.calls()[-1] == "exit_hook"


@pytest.mark.row("G10", "G13")
@pytest.mark.long
def test_what_the_ca_does_not_offer(make: Make) -> None:
    one = make("a.example").registered()
    one.pebble.forget()
    done = one.does("-c", "--acme-profile", "fast")
    assert (done.code, "fast" in done.err, "default" in done.err) == (1, True, True)
    assert one.pebble.counts()[ORDER] == 0
    done = one.does("-c", "--preferred-chain", "No Such Root")
    assert (done.code, "it offers 1. Pebble" in done.err) == (1, True)
    assert one.page.live() == set()
    assert not [path for path in one.page.certs.rglob("cert*.pem") if not path.stat().st_size]
    assert one.does("-c").code == 0
    assert one.pebble.counts()[ORDER] == 1, "the order of the run before is used"


@pytest.mark.row("I01")
def test_a_request_of_others(make: Make, tmp_path: Path) -> None:
    one = make().registered()
    key, request = tmp_path / "own.key", tmp_path / "own.csr"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    names = ("-addext", "subjectAltName=DNS:www.example,DNS:mail.example")
    openssl("req", "-new", "-key", key, "-subj", "/CN=mail.example", *names, "-out", request)
    done = one.does("-s", request)
    assert done.code == 0, done.text
    info, label, *rest = done.out.split("\n")
    assert (info, label) == (f"# INFO: Using main config file {one.page.config}", "# CERT #")
    assert (rest[0], rest[-3:]) == ("-----BEGIN CERTIFICATE-----", ["-----END CERTIFICATE-----", "", ""])
    assert " + Handling authorization for mail.example\n" in done.err
    assert "\n# CHAIN #\n-----BEGIN CERTIFICATE-----\n" in one.does("-s", request, "-fc").out
    assert not one.page.certs.exists()


@pytest.mark.long
def test_its_own_key_revokes_a_certificate(make: Make) -> None:
    one = make("a.example").registered()
    assert one.does("-c").code == 0
    place = one.page.place("a.example")
    assert " + Done." in lines(one.does("-r", place / "cert.pem", "-p", place / "privkey.pem"))


@pytest.mark.long
def test_an_account_of_another_key(make: Make, tmp_path: Path) -> None:
    one = make("a.example")
    key = tmp_path / "other.pem"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    assert lines(one.does("--register", "-p", key))
    assert json.loads(Path(f"{key}_id.json").read_bytes())["url"]
    assert one.does("-c", "-p", key).code == 0
    assert not (one.page.folder / "accounts").exists()


def test_the_program_by_another_name(make: Make, tmp_path: Path) -> None:
    one = make()
    program = tmp_path / "dehydrated"
    program.symlink_to(Path(sys.executable).with_name("certkeeper-dehydrated"))
    (tmp_path / "config").write_text('CONTACT_EMAIL="a$b@example.org"\n'.replace("$", "\\$"))
    said = subprocess.run(
        ["/bin/bash", "-c", f'eval "$({program} --env | grep ^declare)"; echo "$CONTACT_EMAIL $RENEW_DAYS"'],
        capture_output=True,
        text=True,
        check=True,
        env=environment({"CONFIG": str(tmp_path / "config")}),
        cwd=one.page.folder,
    )
    assert said.stdout == "a$b@example.org 32\n", said.stderr
    usage = subprocess.run([program], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert usage.startswith(f"Usage: {program} ")


def test_issue_makes_one_certificate_for_names_that_are_typed(make: Make) -> None:
    one = make("a.example").registered()
    done = certkeeper("issue", "-f", one.page.config, "z.example", "y.example", "--alias", "last", cwd=one.page.folder)
    assert done.code == 0, done.text
    assert one.page.live() == {"last"}
    assert one.page.verified_names("last") == {"y.example", "z.example"}


@pytest.mark.row("H08")
def test_a_request_of_the_hooks_is_used(make: Make, tmp_path: Path) -> None:
    one = make("a.example b.example").registered()
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", tmp_path / "key", "-out", tmp_path / "csr", "-subj", "/CN=b.example",
            "-addext", "subjectAltName=DNS:b.example,DNS:a.example")  # fmt: skip
    (script := tmp_path / "requesting").write_text(
        f'#!/bin/sh\nif [ "$1" = generate_csr ]; then cat "{tmp_path}/csr"; fi\n'
    )
    script.chmod(0o755)
    one.page.configure(HOOK=str(script), PDNS_WAIT="1")
    said = lines(one.does("-c"))
    assert " + Using CSR from hook script (real names: a.example b.example)" in said
    assert " + Done!" in said
    assert not [line for line in said if "Generating" in line]
    folder = one.page.certs / "a.example"
    assert not list(folder.rglob("*privkey*"))
    assert openssl("x509", "-in", folder / "cert.pem", "-noout", "-pubkey") == openssl(
        "req", "-in", tmp_path / "csr", "-noout", "-pubkey"
    )
    orders = one.pebble.counts()[ORDER]
    said = lines(one.does("-c"))
    assert " + Checking domain name(s) of existing cert... unchanged." in said
    assert said[-1].endswith("Skipping renew!")
    assert one.pebble.counts()[ORDER] == orders
