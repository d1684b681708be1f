"""`certkeeper init` on a machine with services, a PowerDNS and a CA that are real."""

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bed.namespace import without_resolver
from bed.waiting import wait_until
from bed.world import World
from builders.page import DEADLINE, Done, certkeeper, environment

NGINX = "server { listen 443 ssl; server_name example.org www.example.org; }\nserver { server_name www.example.com; }\n"


class Machine:
    """A root folder with configurations of services, whose PowerDNS is the world's."""

    def __init__(self, folder: Path, world: World) -> None:
        self.root, self.world = folder / "root", world
        self.out = folder / "new" / "certkeeper.toml"
        address, _, port = world.primary.api_url.removeprefix("http://").rpartition(":")
        self.write("etc/nginx/nginx.conf", "")
        self.write("etc/nginx/sites-enabled/site", NGINX)
        self.write("etc/dovecot/dovecot.conf", "")
        self.write("etc/mailname", "mail.example.org\n")
        conf = f"api=yes\napi-key={world.primary.api_key}\nwebserver-address={address}\nwebserver-port={port}\n"
        self.write("etc/powerdns/pdns.conf", conf)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    def environment(self) -> dict[str, str]:
        return environment({"SSL_CERT_FILE": str(self.world.pebble.ca_bundle)})

    def init(self, *options: str | Path) -> Done:
        return certkeeper(
            *("init", "--root", self.root, "--ca", self.world.pebble.directory_url, "--out", self.out, *options),
            cwd=self.root,
            prefix=without_resolver(),
            env=self.environment(),
        )


@pytest.fixture
def machine(tmp_path: Path, world: World) -> Machine:
    return Machine(tmp_path, world)


def test_what_is_found_becomes_a_page_that_a_run_works_with(machine: Machine) -> None:
    before = machine.files()
    done = machine.init("--yes", "--contact", "hostmaster@example.org", "--deploy", "")
    assert done.code == 0, done.text
    document = tomllib.loads(machine.out.read_text(encoding="utf-8"))
    assert {alias: table["names"] for alias, table in document["certificate"].items()} == {
        "example.org": ["example.org", "www.example.org"],
        "mail.example.org": ["mail.example.org"],
    }
    assert (
        "# www.example.com is served here and not asked for: no zone of PowerDNS's holds it" in machine.out.read_text()
    )
    key = machine.out.with_name("pdns.key")
    assert key.read_text() == f"{machine.world.primary.api_key}\n"
    assert [path.stat().st_mode & 0o777 for path in (machine.out, key)] == [0o600, 0o600]
    assert machine.world.primary.api_key not in machine.out.read_text() + done.text
    assert "$ certkeeper plan" in done.out
    assert "example.org: issue" in done.out
    assert f"certkeeper run --accept-terms --config {machine.out}" in done.out
    assert "--staging" not in done.out, "its CA has no test service that is known"
    assert machine.files() == before
    assert {path.name for path in machine.out.parent.iterdir()} == {"certkeeper.toml", "pdns.key"}
    text = f'nameservers = "{machine.world.nameservers}"\ncaa_check = false\n' + machine.out.read_text()
    machine.out.write_text(text)
    ran = certkeeper(
        *("run", "--accept-terms", "--config", machine.out),
        cwd=machine.root,
        prefix=without_resolver(),
        env=machine.environment(),
    )
    assert ran.code == 0, ran.text
    assert "2 issued" in ran.out


def test_nothing_is_written_over(machine: Machine) -> None:
    machine.out.parent.mkdir()
    machine.out.write_text("mine\n")
    done = machine.init("--yes")
    assert done.code == 2
    assert done.only_error() == f"{machine.out}: is there already"
    assert machine.out.read_text() == "mine\n"
    assert not machine.out.with_name("pdns.key").exists()


def test_where_nobody_can_be_asked_the_page_is_shown(machine: Machine) -> None:
    done = machine.init()
    assert done.code == 2
    assert '[certificate."example.org"]' in done.out
    assert "--yes writes it" in done.err
    assert not machine.out.exists()


def test_a_name_that_is_none_is_refused_before_anything_is_written(machine: Machine) -> None:
    done = machine.init("--yes", "--domains", "example.org www_example.org")
    assert done.code == 2
    assert "www_example.org" in done.only_error()
    assert not machine.out.exists()


def test_a_page_of_dehydrated_s_is_taken_as_it_is(machine: Machine) -> None:
    config = machine.write(
        "etc/dehydrated/config",
        f'CA="{machine.world.pebble.directory_url}"\nCHALLENGETYPE="dns-01"\nPDNS_HOST="{machine.world.primary.api_url}"\n'
        f'PDNS_KEY="{machine.world.primary.api_key}"\nCAA_CHECK="no"\n',
    )
    config.chmod(0o600)
    machine.write("etc/dehydrated/domains.txt", "example.org\n")
    before = machine.files()
    command = ("init", "--root", machine.root)
    done = certkeeper(*command, cwd=machine.root, prefix=without_resolver(), env=machine.environment())
    assert done.code == 0, done.text
    assert f"{config}: there is a configuration already, and it counts as it is; nothing is written" in done.out
    assert 'could be added: DEPLOY="nginx dovecot"' in done.out
    assert "could be added: a line of domains.txt: www.example.org" in done.out
    assert "example.org: issue" in done.out
    assert machine.files() == before
    typed = certkeeper(*command, "--contact", "a@example.org", cwd=machine.root, env=machine.environment())
    assert typed.code == 2
    assert f"{config}: there is a configuration already" in typed.only_error()
    # What dehydrated's package brings along is no page yet.
    machine.write("etc/dehydrated/domains.txt", "")
    assert "nothing is written" not in certkeeper(*command, cwd=machine.root, env=machine.environment()).out


def test_on_a_terminal_it_asks_and_enter_takes_what_was_found(machine: Machine) -> None:
    said = _typed(machine, {"CA [": "\n", "address": "me@example.org\n", "DNS (": "\n", "host or URL": "\n"}, "n\n")
    assert "nothing was written" in said
    assert not machine.out.exists()
    said = _typed(machine, {"address": "\n", "names:": "example.org bad_name.example.org\n"}, "\n")
    assert "bad_name.example.org" in said
    document = tomllib.loads(machine.out.read_text(encoding="utf-8"))
    assert list(document["certificate"]) == ["example.org", "mail.example.org"]


def _typed(machine: Machine, answers: dict[str, str], write: str) -> str:
    """Answers each question once by how it begins, all others with Enter; `write` is for the last one."""
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "certkeeper", "init", "--root", str(machine.root), "--out", str(machine.out)]
    process = subprocess.Popen(
        [*without_resolver(), *command], stdin=terminal, stdout=terminal, stderr=terminal, env=machine.environment()
    )
    os.close(terminal)
    os.set_blocking(main, False)
    said, answered, left = "", 0, dict(answers)

    def step() -> bool:
        nonlocal said, answered
        try:
            said += os.read(main, 65536).decode(errors="replace")
        except BlockingIOError:
            pass
        except OSError:
            return True
        question = said[answered:].replace("\r", "").rpartition("\n")[2]
        if question.rstrip().endswith((":", "]")) and question.endswith(" "):
            begins = next((start for start in left if question.startswith(start)), None)
            answer = left.pop(begins) if begins is not None else write if question.startswith("write ") else "\n"
            answered = len(said)
            os.write(main, answer.encode())
        return process.poll() is not None

    try:
        wait_until(step, "the end of init", deadline=DEADLINE)
    finally:
        process.kill()
        process.wait()
        os.close(main)
    return said
