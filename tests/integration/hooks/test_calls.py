"""Every call of the operator's scripts, as they are made in the wild, beside dehydrated where that is told apart."""

from pathlib import Path

import pytest

from builders.page import certkeeper
from integration.hooks.logged import BASH, BEGUN, OPENED, PYTHON, STRICT, UNKNOWN, Logged, MakePage, told

pytestmark = pytest.mark.real


@pytest.mark.row("H01", "H05", "H13")
@pytest.mark.parametrize("shape", [BASH, PYTHON], ids=["bash", "python"])
def test_the_order_of_calls_and_their_arguments(
    make_page: MakePage, zone: str, tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Logged(tmp_path, shape, fails=["exit_hook"])
    page = told(make_page, script, f"{zone} www.{zone}", KEY_ALGO="prime256v1")
    monkeypatch.setenv("TOLD", "yes")
    done = page.run()
    assert done.code == 0, done.text
    assert script.names() == [*BEGUN, *OPENED, "sync_cert", "deploy_cert", "exit_hook"]
    folder = page.certs / zone
    _, _, _, csr, synced, deployed, left = script.calls()
    assert csr == ["generate_csr", zone, str(folder), f"{zone} www.{zone}"]
    files = [f"{folder}/{name}.pem" for name in ("privkey", "cert", "fullchain", "chain")]
    assert deployed[:-1] == ["deploy_cert", zone, *files]
    stamped = [f"{folder}/{name}-{deployed[-1]}" for name in ("privkey", "cert", "fullchain", "chain", "cert")]
    assert synced[1:] == [*(f"{path}.pem" for path in stamped[:-1]), f"{stamped[-1]}.csr"]
    assert left == ["exit_hook"]
    if shape is BASH:
        assert "exit_hook: ended with status 1" in done.only_error()
        found = script.environment("deploy_cert")
        assert found == {
            "ALPNCERTDIR": f"{page.folder}/alpn-certs",
            "BASEDIR": str(page.folder),
            "CERTDIR": str(page.certs),
            "CHALLENGETYPE": "dns-01",
            "COMMAND": "sign_domains",
            "CONFIG": str(page.folder / "config"),
            "KEY_ALGO": "prime256v1",
            "PRIVATE_KEY_ROLLOVER": "no",
            "TOLD": "yes",
            "WELLKNOWN": "/var/www/dehydrated",
            "alias": zone,
            "altnames": f"{zone} www.{zone}",
        }
        assert "altnames" not in script.environment("generate_csr")
    script.forget()
    assert page.run().code == 0
    assert script.names() == [*BEGUN, *OPENED, "unchanged_cert", "exit_hook"]
    assert script.calls()[-2] == ["unchanged_cert", zone, *files]


@pytest.mark.row("H07", "H14")
def test_one_that_does_not_pass_over_what_it_does_not_know(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = Logged(tmp_path, STRICT)
    done = told(make_page, script, zone).run()
    assert done.code == 1
    assert f"hook {script.path} for an unknown call: ended with status 64: what is {UNKNOWN}" in done.only_error()
    assert "ignore unknown hooks" in done.hints[0]


@pytest.mark.row("H14")
def test_what_ends_a_run_is_told_to_exit_hook_once(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = Logged(tmp_path, fails=["startup_hook"])
    done = told(make_page, script, zone).run()
    assert done.code == 1
    assert script.names() == [*BEGUN, "exit_hook"]
    assert "startup_hook: ended with status 1" in script.calls()[-1][1]
    assert "startup_hook: ended with status 1" in done.only_error()


@pytest.mark.row("H16", "H17")
def test_one_that_is_not_there_or_not_executable(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = Logged(tmp_path)
    script.path.chmod(0o644)
    page = told(make_page, script, zone)
    done = page.run()
    assert done.code == 1
    assert "cannot be started: permission denied" in done.only_error()
    page.configure(HOOK="./hook.sh")
    done = page.run()
    assert done.code == 1
    assert "./hook.sh for an unknown call: cannot be started: no such file" in done.only_error()
    assert "HOOK counts from the folder that the program is started in" in page.plan().out


@pytest.mark.row("H10")
def test_a_failed_deploy_cert_is_made_up_for_by_the_next_run(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    page = told(make_page, Logged(tmp_path, fails=["deploy_cert"]), zone)
    assert page.run().code == 1
    assert page.verified_names(zone) == {zone}, "the links are switched"
    script = Logged(tmp_path)
    script.forget()
    assert page.run().code == 0
    assert script.names() == [*BEGUN, *OPENED, "deploy_cert", "exit_hook"]


def test_commands_in_the_place_of_pdns_api_sh_s_hooks_are_run_as_they_are_and_made_up_for(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    reload = tmp_path / "reload"
    reload.write_text('#!/bin/sh\necho "$# $* $alias $COMMAND" >>"$0.log"\n[ "$1" != fail ] && exit 0; exit 7\n')
    reload.chmod(0o755)
    log = tmp_path / "reload.log"
    page = make_page(
        zone,
        HOOK="/usr/local/lib/pdns_api.sh",
        PDNS_DEPLOY_CERT_HOOK=f"{reload}  fail  me",
        PDNS_EXIT_HOOK=f"{reload} end",
    )
    done = page.run()
    assert (done.code, f"{reload} fail me deploy_cert: ended with status 7" in done.text) == (1, True), done.text
    assert page.verified_names(zone) == {zone}, "the links are switched"
    assert log.read_text().splitlines() == [f"2 fail me {zone} sign_domains", "1 end  sign_domains"]
    log.unlink()
    page.configure(PDNS_DEPLOY_CERT_HOOK=f"{reload} well")
    assert page.run().code == 0
    assert log.read_text().splitlines() == [f"1 well {zone} sign_domains", "1 end  sign_domains"]
    log.unlink()
    assert page.run().code == 0
    assert log.read_text().splitlines() == ["1 end  sign_domains"]
    log.unlink()
    done = certkeeper("dehydrated", "-c", "-x", "-f", page.config, cwd=page.folder)
    assert done.code == 0, done.text
    assert log.read_text().splitlines() == [f"1 well {zone} sign_domains", "1 end  sign_domains"]
    log.unlink()
    page.configure(PDNS_EXIT_HOOK="/nowhere/reload now")
    done = page.run()
    assert (done.code, "/nowhere/reload now exit_hook: cannot be started" in done.text) == (0, True), done.text


def test_a_failed_sync_cert_leaves_the_links_and_costs_no_second_order(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = told(make_page, Logged(tmp_path, fails=["sync_cert"]), zone)
    done = page.run()
    assert done.code == 1
    assert "sync_cert: ended with status 1" in done.only_error()
    assert not (page.certs / zone / "cert.pem").exists()
    script = Logged(tmp_path)
    script.forget()
    again = page.run()
    assert again.code == 0, again.text
    assert "order opened" not in again.out
    assert script.names() == [*BEGUN, *OPENED, "sync_cert", "deploy_cert", "exit_hook"]


@pytest.mark.row("H11")
def test_the_name_that_fails_is_the_one_that_is_told(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = Logged(tmp_path)
    (folder := tmp_path / "wellknown").mkdir()
    page = make_page(
        f"bad.{zone} good.{zone}",
        HOOK=str(script.path),
        WELLKNOWN=str(folder),
        CHALLENGETYPE=f"dns-01 bad.{zone}=http-01",
        DNS_PROVIDER="powerdns",
    )
    assert page.run().code == 1
    told_ = [call for call in script.calls() if call[0] == "invalid_challenge"]
    assert [call[1] for call in told_] == [f"bad.{zone}"]
    assert script.names() == [
        *BEGUN, *OPENED, "deploy_challenge", "invalid_challenge", "clean_challenge", "exit_hook"
    ]  # fmt: skip
    deployed = next(call for call in script.calls() if call[0] == "deploy_challenge")
    name, token, value = deployed[1:]
    assert (name, value.partition(".")[0]) == (f"bad.{zone}", token)


@pytest.mark.row("H11")
def test_every_name_that_fails_is_told_once(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = Logged(tmp_path)
    (folder := tmp_path / "wellknown").mkdir()
    names = [f"{letter}.{zone}" for letter in "abc"]
    page = make_page(" ".join(names), HOOK=str(script.path), WELLKNOWN=str(folder), CHALLENGETYPE="http-01")
    assert page.run().code == 1
    assert sorted(call[1] for call in script.calls() if call[0] == "invalid_challenge") == names


def test_scripts_of_a_folder_in_the_order_of_their_names(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    (folder := tmp_path / "hooks.d").mkdir()
    first, second = (
        Logged(folder, fails=["deploy_cert", "exit_hook"], name="10-first"),
        Logged(folder, name="20-second"),
    )
    Logged(folder, name="20-second.bak")
    page = make_page(zone, DNS_PROVIDER="powerdns", HOOK=str(folder))
    assert page.run().code == 1
    assert first.names() == [*BEGUN, *OPENED, "sync_cert", "deploy_cert", "exit_hook"]
    assert second.names() == [*BEGUN, *OPENED, "sync_cert", "exit_hook"]


def test_one_that_hangs_is_ended(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = tmp_path / "hook"
    script.write_text("#!/bin/sh\ncase $1 in startup_hook) exec sleep 60 ;; esac\n")
    script.chmod(0o755)
    done = make_page(zone, DNS_PROVIDER="powerdns", HOOK=str(script), HOOK_TIMEOUT="1").run()
    assert done.code == 1
    assert "startup_hook: did not end within 1 s and was killed" in done.only_error()
