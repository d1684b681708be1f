"""The guide for those who come from dehydrated, played as it is written: every command, on real servers."""

import base64
import getpass
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.dehydrated import Dehydrated, program, shorten_sleep
from bed.namespace import without_resolver
from bed.pebble import Pebble
from bed.world import World
from builders.page import environment, txt_owners
from builders.transcript import SHORTENED, replaced, same, steps
from certkeeper.cli.arguments import build_parser

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "moving-from-dehydrated.md"
SEED = ROOT / "tests" / "data" / "seed"
PROJECT = ROOT / "pyproject.toml"
LONG = ("## Rehearse", "## Hooks keep working", "## Going back", "## Other ways")
"""Sections that take long, and without which the others go."""
ZONES = ("example.net", "example.org")
OURS = re.compile(r"(?<![\w./])/(?=(?:etc|usr/local|var)/)")
"""Where a path of the guide's begins that is below the test's folder here."""

# As pip installs them.
_PROGRAM = """#!{0}
import sys
from {1} import {2}
sys.exit({2}())
"""

# Writes as pdns_api.sh does: whoever had records at the name has them no longer.
_HOOK = """#!/bin/bash
hook=$1; shift
case $hook in deploy_challenge) change=REPLACE ;; clean_challenge) change=DELETE ;; *) exit 0 ;; esac
while (($#)); do
    IFS=. read -ra labels <<<"$1"
    zone="${{labels[-2]}}.${{labels[-1]}}."
    rrset='"name":"_acme-challenge.'$1'.","type":"TXT","ttl":1,"changetype":"'$change'"'
    records='"records":[{{"content":"\\"'$3'\\"","disabled":false}}]'
    curl -sSf -X PATCH -H 'X-API-Key: {key}' -d "{{\\"rrsets\\":[{{$rrset,$records}}]}}" "{url}/zones/$zone" || exit 1
    shift 3
done
"""


class Host:
    """A machine with the page's installation, in a folder that stands for `/`."""

    def __init__(self, folder: Path, world: World, test_ca: Pebble) -> None:
        self.root = folder / "root"
        self.world = world
        self.test_ca = test_ca
        self.etc = self.root / "etc" / "dehydrated"
        self.config = self.etc / "config"
        self.programs = self.root / "usr" / "local" / "bin"
        self._write_page()
        self.dehydrated = Dehydrated(self.config)
        self._install()

    def _write_page(self) -> None:
        shutil.copytree(SEED / "certs", self.etc / "certs")
        shutil.copy(SEED / "domains.txt", self.etc / "domains.txt")
        shutil.copy("/etc/ssl/openssl.cnf", self.etc / "openssl.cnf")
        for folder in ("etc/certkeeper", "usr/local/sbin", "var/run"):
            (self.root / folder).mkdir(parents=True)
        host, _, port = self.world.primary.api_url.removeprefix("http://").rpartition(":")
        text = OURS.sub(f"{self.root}/", (SEED / "config").read_text(encoding="utf-8"))
        for name, value in {"CA": f'"{self.world.pebble.directory_url}"', "HOST": host, "PORT": port}.items():
            text = re.sub(rf"^{name}=\S+", f"{name}={value}", text, flags=re.MULTILINE)
        # What only a machine without the internet needs.
        trust = self.etc.with_name("roots.pem")
        trust.write_bytes(self.world.pebble.ca_bundle.read_bytes() + self.test_ca.ca_bundle.read_bytes())
        text += f'\nCURL_OPTS="--cacert {trust}"\nNAMESERVERS="{self.world.nameservers}"\nCAA_CHECK="no"\n'
        text += 'ACCOUNT_KEYSIZE="2048"\n'  # no patience for a larger one
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(0o644)

    def _install(self) -> None:
        self.programs.mkdir(parents=True)
        for name, place in tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["scripts"].items():
            _script(self.programs / name, _PROGRAM.format(sys.executable, *place.split(":")))
        (self.programs / "dehydrated").symlink_to(program())
        shorten_sleep(self.programs)
        hook = self.root / "usr/local/lib/pdns_api.sh/pdns_api.sh"
        hook.parent.mkdir(parents=True)
        _script(hook, _HOOK.format(key=self.world.primary.api_key, url=self.world.primary.api.url))

    def type(self, command: str) -> str:
        """Run it, with the guide's paths below the test's folder, and tell what it printed in the guide's names."""
        typed = self._here(command)
        path = [self.programs, os.environ.get("PATH", os.defpath)]
        ended = subprocess.run(
            [*without_resolver(), "bash", "-c", typed],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
            cwd=self.etc,
            env=environment({"PATH": os.pathsep.join(map(str, path)), "CONFIG": str(self.config), "LC_ALL": "C.UTF-8"}),
        )
        printed = re.sub(r"Pebble Intermediate CA \w+", "R12", ended.stdout)
        return replaced(printed, self._names())

    def _here(self, command: str) -> str:
        command = command.replace('CA="letsencrypt-test"', f'CA="{self.test_ca.directory_url}"\\nTEST_CA="yes"')
        return OURS.sub(f"{self.root}/", command)

    def challenges(self, zone: str) -> set[str]:
        """The names of the zone's challenge records."""
        return txt_owners(self.world.primary.records(zone))

    def certificate(self, alias: str) -> str:
        return (self.etc / "certs" / alias / "cert.pem").read_text(encoding="ascii")

    def account_key(self) -> str:
        """Of the account that dehydrated registered."""
        folder = base64.urlsafe_b64encode(f"{self.world.pebble.directory_url}\n".encode()).decode().rstrip("=")
        return (self.etc / "accounts" / folder / "account_key.pem").read_text(encoding="ascii")

    def _names(self) -> dict[str, str]:
        """What is called by other names in the guide."""
        primary = self.world.primary
        return {
            str(self.root): "",
            f"  {getpass.getuser()}  ": "  root  ",
            self.world.pebble.directory_url: "https://acme-v02.api.letsencrypt.org/directory",
            self.test_ca.directory_url: "https://acme-staging-v02.api.letsencrypt.org/directory",
            primary.api_url: "http://ns0.example.net:8081",
            primary.server: "192.0.2.1",
            self.world.secondary.server: "192.0.2.2",
        }


def _script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        world = stack.enter_context(World(tmp_path / "world", zones=ZONES))
        test_ca = stack.enter_context(Pebble(tmp_path / "test-ca", dns_server=world.primary.dns))
        for zone in ZONES:
            world.primary.set_soa_edit_api(zone, "INCEPTION-INCREMENT")
        yield Host(tmp_path, world, test_ca)


def play(host: Host, guide: str) -> int:
    """Type all that is in it, from where dehydrated stopped at the list's third line; how many commands that were."""
    host.dehydrated.register()
    host.dehydrated.cron(fails=True)
    left = {zone: host.challenges(zone) for zone in ZONES}
    certificates = [host.certificate(zone) for zone in ZONES]
    account = host.account_key()
    host.world.pebble.forget()
    typed = list(steps(guide))
    for step in typed:
        printed = host.type(step.command)
        assert same(step.shown, printed.splitlines()), f"{GUIDE.name}:{step.line}: $ {step.command}\n{printed}"
    # What was valid was not ordered anew, no other account was made, and only dehydrated left records behind.
    assert [host.certificate(zone) for zone in ZONES] == certificates
    assert host.account_key() == account
    assert host.world.pebble.counts()["POST", "/sign-me-up"] == 0
    assert {zone: host.challenges(zone) for zone in ZONES} == left
    return len(typed)


@pytest.mark.real
def test_moving_goes_as_the_guide_shows_it(host: Host) -> None:
    assert play(host, guide_without(*LONG)) > 5


@pytest.mark.real
@pytest.mark.long
def test_all_of_it_goes_as_the_guide_shows_it_and_so_does_going_back(host: Host) -> None:
    assert play(host, guide_without()) > 10


def guide_without(*headings: str) -> str:
    """Without what stands below them; what is left stays on its line."""
    parts = re.split(r"(?=^## )", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    left_out = [part for part in parts if part.partition("\n")[0] in headings]
    assert len(left_out) == len(headings)
    return "".join("\n" * part.count("\n") if part in left_out else part for part in parts)


def test_what_is_typed_but_not_played_can_be_typed() -> None:
    """Blocks for a machine's own systemd are not played; our commands in them are at least understood."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    typed = [line.split()[1:] for block in blocks for line in block.splitlines() if line.startswith("certkeeper ")]
    assert typed
    for words in typed:
        build_parser().parse_args(words)


@pytest.mark.parametrize(
    ("shown", "printed", "equal"),
    [
        (["a 3 s", SHORTENED, "z"], ["a 0.4 s", "b", "c", "z"], True),
        ([SHORTENED], [], True),
        (["until 2027-01-26T17:26:47Z"], ["until 2031-11-06T07:06:07Z"], True),
        (["a", "z"], ["a", "b", "z"], False),
        (["a", SHORTENED, "z"], ["a", "b"], False),
        (["1 issued"], ["2 issued"], False),
        (["a.b"], ["a-b"], False),
    ],
)
def test_what_is_shown_is_compared(shown: list[str], printed: list[str], *, equal: bool) -> None:
    assert same(shown, printed) is equal
