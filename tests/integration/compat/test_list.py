"""`certkeeper dehydrated` in the place of dehydrated, at a CA that believes everything."""

from pathlib import Path

import pytest

from builders.page import openssl
from integration.compat.installation import ISSUED, Make, lines

pytestmark = pytest.mark.real
ORDER, DIRECTORY = ("POST", "/order-plz"), ("GET", "/dir")


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
