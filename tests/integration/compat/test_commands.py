"""Commands of dehydrated beside --cron, at a CA that believes everything."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from builders.installed import script
from builders.page import certkeeper, environment, openssl
from integration.compat.installation import Make, as_dehydrated_leaves_it, lines

pytestmark = pytest.mark.real


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
    program.symlink_to(script("certkeeper-dehydrated"))
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
    assert usage.startswith("Usage: dehydrated ")


def test_issue_makes_one_certificate_for_names_that_are_typed(make: Make) -> None:
    one = make("a.example").registered()
    done = certkeeper("issue", "-f", one.page.config, "z.example", "y.example", "--alias", "last", cwd=one.page.folder)
    assert done.code == 0, done.text
    assert one.page.live() == {"last"}
    assert one.page.verified_names("last") == {"y.example", "z.example"}
