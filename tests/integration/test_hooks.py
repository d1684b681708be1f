"""Every call of the operator's scripts, as they are made in the wild, beside dehydrated where that is told apart."""

import base64
import hashlib
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pytest

from bed.dehydrated import Dehydrated
from bed.world import World
from builders.page import Page, certkeeper, openssl
from certkeeper.base.names import Identifier
from certkeeper.lineage.leaf import parse_leaf

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]

BASH = """#!/usr/bin/env bash
# A handler for each name, and all others passed over, as in dehydrated's example.
set -eu
{{ printf '%s' "$1"; for word in "${{@:2}}"; do printf ' <%s>' "$word"; done; echo; }} >>{log}
env >{log}."$1"
case "$1" in
  deploy_challenge) echo deploying ;;
  {fails}) exit 1 ;;
  *) ;;
esac
"""
PYTHON = """#!{python}
import sys
HANDLERS = {{"deploy_challenge", "clean_challenge", "deploy_cert", "unchanged_cert", "startup_hook", "exit_hook"}}
with open({log!r}, "a") as log:
    log.write(" ".join([sys.argv[1], *("<" + word + ">" for word in sys.argv[2:])]) + "\\n")
if sys.argv[1] in HANDLERS:
    print("handled", sys.argv[1])
"""
STRICT = """#!/bin/sh
case "$1" in deploy_challenge|clean_challenge|deploy_cert) ;; *) echo "what is $1?" >&2; exit 64 ;; esac
"""
ENVIRONMENT = frozenset(
    [
        "WELLKNOWN",
        "BASEDIR",
        "CERTDIR",
        "ALPNCERTDIR",
        "CONFIG",
        "COMMAND",
        "alias",
        "altnames",
        "CHALLENGETYPE",
        "KEY_ALGO",
        "PRIVATE_KEY_ROLLOVER",
        "EAB_HMAC_KEY",
        "PDNS_KEY",
        "TOLD",
    ]
)
UNKNOWN = "this_hookscript_is_broken"


class Logged:
    """A script that notes its calls; the kind is the shape of it."""

    def __init__(
        self, folder: Path, shape: str = BASH, fails: Sequence[str] = ("nothing",), name: str = "hook"
    ) -> None:
        self.path, self.log = folder / name, folder / f"{name}.calls"
        self.path.write_text(
            shape.format(
                log=str(self.log) if shape is PYTHON else shlex.quote(str(self.log)),
                python=sys.executable,
                fails="|".join(fails),
            )
        )
        self.path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        """The name and the arguments of each call."""
        if not self.log.exists():
            return []
        split = [line.split(" <") for line in self.log.read_text().splitlines()]
        return [[name, *(word.removesuffix(">") for word in words)] for name, *words in split]

    def names(self) -> list[str]:
        return ["bricker" if name.startswith(UNKNOWN) else name for name, *_ in self.calls()]

    def environment(self, call: str) -> dict[str, str]:
        """What it got beside what everybody has."""
        lines = Path(f"{self.log}.{call}").read_text().splitlines()
        pairs = [line.partition("=") for line in lines]
        return {name: value for name, _, value in pairs if name in ENVIRONMENT}

    def forget(self) -> None:
        self.log.unlink(missing_ok=True)


BEGUN = ["bricker", "startup_hook"]
OPENED = ["bricker", "generate_csr"]


def told(make_page: MakePage, script: Logged, *lines: str, **settings: str) -> Page:
    """The built-in provider proves the names, and the script is told of the rest."""
    return make_page(*lines, DNS_PROVIDER="powerdns", HOOK=str(script.path), **settings)


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


REQUESTING = """#!/bin/sh
echo "$1" >>{log}
case "$1" in generate_csr) cat {request} 2>/dev/null || : ;; esac
"""


def requesting(folder: Path, *names: str) -> Logged:
    """A script that has its own key and prints a request for it, if the file is there."""
    script = Logged(folder, REQUESTING.replace("{request}", shlex.quote(str(folder / "theirs.csr"))))
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "theirs.key")
    listed = ",".join(f"DNS:{name}" for name in names)
    openssl("req", "-new", *made, "-out", folder / "theirs.csr", "-subj", "/", "-addext", f"subjectAltName={listed}")
    return script


def key_of(command: str, file: Path) -> str:
    return openssl(command, "-in", file, *(("-noout", "-pubkey") if command != "pkey" else ("-pubout",)))


@pytest.mark.row("H08")
def test_a_request_of_the_scripts_is_signed_and_no_key_is_made(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = requesting(tmp_path, f"www.{zone}", zone, f"more.{zone}")
    page = told(make_page, script, zone, KEY_ALGO="rsa")
    done = page.run()
    assert done.code == 0, done.text
    assert f"gave the certificate request, for {zone} www.{zone} more.{zone}" in done.out
    folder = page.certs / zone
    assert parse_leaf((folder / "cert.pem").read_bytes()).identifiers == {
        Identifier.parse(name) for name in (zone, f"www.{zone}", f"more.{zone}")
    }
    assert key_of("x509", folder / "cert.pem") == key_of("req", tmp_path / "theirs.csr")
    assert key_of("req", folder / "cert.csr") == key_of("req", tmp_path / "theirs.csr")
    assert [path.name for path in folder.rglob("*privkey*")] == []
    script.forget()
    orders = page.world.pebble.counts()[("POST", "/order-plz")]
    again = page.run()
    assert again.code == 0, again.text
    assert script.names() == [*BEGUN, *OPENED, "unchanged_cert", "exit_hook"]
    assert page.world.pebble.counts()[("POST", "/order-plz")] == orders
    assert certkeeper("heal", "--config", page.config, cwd=page.folder).code == 0
    assert (folder / ".live").readlink() == Path(f".versions/{max(page.stamps(zone))}")


@pytest.mark.row("H08")
def test_keys_that_are_there_stay_when_a_request_is_signed(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = requesting(tmp_path, zone)
    (theirs := tmp_path / "theirs.csr").rename(aside := tmp_path / "aside.csr")
    page = told(make_page, script, zone)
    assert page.run().code == 0
    folder = page.certs / zone
    ours = (folder / "privkey.pem").read_bytes()
    aside.rename(theirs)
    assert page.run("--force").code == 0
    assert key_of("x509", folder / "cert.pem") == key_of("req", theirs)
    # Where dehydrated would have left it.
    assert (folder / "privkey.pem").read_bytes() == ours
    assert (folder / "privkey.pem").readlink().name.startswith("privkey-")
    assert "nothing due" in page.run().out
    # An operator's file in its place is nobody's to touch, and a script that prints nothing any more gets a new key.
    (folder / "privkey.pem").unlink()
    (folder / "privkey.pem").write_bytes(b"somebody's\n")
    assert page.run("--force").code == 0
    assert (folder / "privkey.pem").read_bytes() == b"somebody's\n"
    (folder / "privkey.pem").unlink()
    theirs.unlink()
    assert page.run().code == 0
    assert key_of("x509", folder / "cert.pem") == key_of("req", folder / "cert.csr")
    assert not (folder / "privkey.pem").exists()
    assert page.run("--force").code == 0
    assert key_of("x509", folder / "cert.pem") == key_of("pkey", folder / "privkey.pem")


@pytest.fixture(scope="module")
def believer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose CA finds every challenge valid."""
    folder = tmp_path_factory.mktemp("hooks")
    with World(folder, zones=(), secondaries=0, dnssec=False, pebble={"always_valid": True}) as world:
        yield world


def in_shape(calls: list[list[str]], folder: Path) -> list[list[str]]:
    """What two programs can have in common: tokens, values, stamps and the CA's order are different in every run."""
    shaped = []
    for name, *words in calls:
        if name.endswith("_challenge"):
            lengths = [str(len(word.partition(".")[0])) for word in words[1::3]]
            shaped.append([name, *sorted(words[::3]), *lengths, *(str(len(word)) for word in words[2::3])])
        elif name == "sync_cert":
            shaped.append([name, str(len(words))])
        else:
            shaped.append([name, *(word.replace(str(folder), "") for word in words if not word.isdigit())])
    return [call for _, same in groupby(shaped, key=lambda call: call[0]) for call in sorted(same)]


@pytest.mark.long
@pytest.mark.row("H01", "H02", "H04")
@pytest.mark.parametrize("method", ["dns-01", "http-01"])
@pytest.mark.parametrize("chain", ["yes", "no"])
def test_calls_are_as_dehydrated_makes_them(believer: World, tmp_path: Path, method: str, chain: str) -> None:
    made = {}
    (wellknown := tmp_path / "wellknown").mkdir()
    for program in ("dehydrated", "certkeeper"):
        script = Logged(tmp_path, name=f"{program}-hook")
        page = Page(tmp_path / program, believer, "a.example > one", "b.example c.b.example d.b.example")
        page.configure(CURL_OPTS=f"--cacert {believer.pebble.ca_bundle}", HOOK=str(script.path), HOOK_CHAIN=chain)
        page.configure(CHALLENGETYPE=method, WELLKNOWN=str(wellknown), PDNS_WAIT="1")
        page.unset("CA_BUNDLE", "ACCOUNT_KEY_ALGO", "KEY_ALGO", "PDNS_HOST", "PDNS_KEY")
        if program == "dehydrated":
            dehydrated = Dehydrated(page.config)
            dehydrated.register()
            script.forget()
            dehydrated.cron()
            dehydrated.cron()
        else:
            for _ in range(2):
                done = page.run()
                assert done.code == 0, done.text
        made[program] = in_shape(script.calls(), page.folder)
        deployed = [call[1:] for call in script.calls() if call[0] == "deploy_challenge"]
        assert [len(words) for words in deployed] == ([3, 9] if chain == "yes" else [3, 3, 3, 3])
        environment = script.environment("deploy_challenge")
        assert (environment["CHALLENGETYPE"], environment["alias"]) == (method, "b.example")
    assert made["certkeeper"] == made["dehydrated"]
    if method == "dns-01":
        # Without padding, and as long as a SHA-256 is.
        value = deployed[0][2]
        assert len(base64.urlsafe_b64decode(f"{value}=")) == hashlib.sha256().digest_size
