"""The demo: three runs of certkeeper over a page of dehydrated's, with real servers. Started by scripts/demo."""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bed.process import Process
from bed.world import World

REPOSITORY = Path(__file__).resolve().parents[2]
SEED = REPOSITORY / "tests" / "data" / "seed"
CERTKEEPER = Path(sys.executable).parent / "certkeeper"
ZONES = ("example.net", "example.org")
PAGE_SOA_EDIT_API = "INCEPTION-INCREMENT"
CERTIFICATES = ("example.net", "example.org", "mail.example.net", "autoconfig.example.net", "xmpp.example.net")

BLOCK = """
########################################################
# Appended by the demo: what differs on this machine.  #
# The last assignment of a variable counts.            #
########################################################
CA="{ca}"
CA_BUNDLE="{ca_bundle}"
BASEDIR="{basedir}"
LOCKFILE="{basedir}/lock"
HOST={host}
PORT={port}
NAMESERVERS="{nameservers}"
CAA_CHECK="no"
"""


class DemoFailed(Exception):
    """Something ended in another way than the demo promises."""


def main() -> int:
    """Run the demo and say how it went."""
    options = _options()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="certkeeper-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.stderr.write(f"{folder}: is not empty\nhint: name a folder that does not exist\n")
        return 2
    Process.outlives = options.keep
    say(f"everything is in {folder}")
    with_servers = World(folder / "servers", zones=ZONES)
    try:
        demo = Demo(folder, with_servers)
        demo.show()
    except DemoFailed as failure:
        sys.stderr.write(f"\nthe demo failed: {failure}\nhint: the servers' logs are in {folder}/servers\n")
        with_servers.stop()
        return 1
    except BaseException:  # also Ctrl-C: no server may be left behind
        with_servers.stop()
        raise
    if options.keep:
        say("\nthe servers are still running; to stop them:")
        say("    kill " + " ".join(str(process.pid) for process in Process.running))
        # Daemons only: the demo's own threads would hold the exit.
        sys.stdout.flush()
        os._exit(0)
    with_servers.stop()
    say(f"\nthe servers are stopped; look around in {demo.etc}")
    return 0


class Demo:
    """The page on this machine, and what is done to it."""

    def __init__(self, folder: Path, servers: World) -> None:
        self.folder = folder
        self.servers = servers
        self.etc = folder / "etc" / "dehydrated"
        self.config = self.etc / "config"

    def show(self) -> None:
        """All of it, in order; raises DemoFailed at the first thing that is not as promised."""
        heading("the servers")
        self._describe_servers()
        heading("the page, byte for byte, with one block appended for this machine")
        self._write_page()
        heading("run 1: what is wrong with the page is said first, and what can be issued is issued")
        self._certkeeper(["run", "--accept-terms"], expected=1)
        self._expect_live(4)
        heading("what a person has to mend")
        self._mend()
        heading("what the next run will do")
        self._certkeeper(["plan"], expected=0)
        heading("run 2: the missing one")
        self._certkeeper(["run"], expected=0)
        self._expect_live(5)
        heading("run 3: nothing is due")
        self._certkeeper(["run"], expected=0)
        heading("what is there now")
        self._certkeeper(["status"], expected=0)
        heading("five chains, verified by openssl against the CA's root, and an empty DNS")
        self._verify_chains()
        self._verify_dns()

    def _describe_servers(self) -> None:
        servers = self.servers
        say(f"CA:             Pebble at {servers.pebble.directory_url}")
        say(f"PowerDNS:       primary {servers.primary.server}, its API at {self._api_url()}")
        say(f"                secondary {servers.secondary.server}")
        for zone in ZONES:
            servers.primary.set_soa_edit_api(zone, PAGE_SOA_EDIT_API)
            say(f"zone {zone}: signed, SOA-EDIT-API {PAGE_SOA_EDIT_API} as the page sets it by SQL")

    def _api_url(self) -> str:
        return self.servers.primary.api.url.removesuffix("/api/v1/servers/localhost")

    def _write_page(self) -> None:
        shutil.copytree(SEED / "certs", self.etc / "certs")
        shutil.copy(SEED / "domains.txt", self.etc / "domains.txt")
        host, _, port = self._api_url().removeprefix("http://").rpartition(":")
        block = BLOCK.format(
            ca=self.servers.pebble.directory_url,
            ca_bundle=self.servers.pebble.ca_bundle,
            basedir=self.etc,
            host=host,
            port=port,
            nameservers=self.servers.nameservers,
        )
        self.config.write_bytes((SEED / "config").read_bytes() + block.encode())
        say(f"{self.config}, and appended to it:{block}")
        say((self.etc / "domains.txt").read_text(encoding="utf-8"))
        for name in ZONES:
            key = self.folder / "ssl" / "private" / f"{name}.key.pem"
            key.parent.mkdir(parents=True, exist_ok=True)
            place = self.etc / "certs" / name
            place.mkdir()
            self._shell(f"umask 077; openssl genrsa -out {quote(key)} 4096")
            self._shell(f"cp {quote(key)} {quote(place / 'privkey.pem')}")

    def _mend(self) -> None:
        say("# the typo")
        self._shell(f"sed -i s/exammple/example/ {quote(self.etc / 'domains.txt')}")
        say("# no must-staple at a CA without OCSP, and no line for a CA that is gone")
        self._shell(f"sed -i 's/^OCSP_MUST_STAPLE=.*/OCSP_MUST_STAPLE=\"no\"/' {quote(self.config)}")
        self._shell(f"sed -i 's|^CA=\"https://acme-staging|#&|' {quote(self.config)}")
        say("# comments that bash understands")
        self._shell(f"sed -i 's/^;;/#/' {quote(self.etc / 'certs/mail.example.net/config')}")
        say("# a serial that moves when the API changes a zone")
        for zone in ZONES:
            config_dir = quote(self.servers.primary.folder)
            self._shell(f"pdnsutil --config-dir={config_dir} set-meta {zone} SOA-EDIT-API DEFAULT")

    def _verify_chains(self) -> None:
        root = self.folder / "root.pem"
        root.write_text(self.servers.pebble.root_pem(), encoding="utf-8")
        for name in CERTIFICATES:
            place = self.etc / "certs" / name
            self._shell(
                f"openssl verify -CAfile {quote(root)} -untrusted {quote(place / 'chain.pem')} "
                f"{quote(place / 'cert.pem')}"
            )

    def _verify_dns(self) -> None:
        for zone in ZONES:
            left = [owner for owner, kind in self.servers.primary.records(zone) if kind == "TXT"]
            if left:
                raise DemoFailed(f"zone {zone}: records are left: {', '.join(left)}")
            say(f"zone {zone}: no challenge record left")

    def _expect_live(self, wanted: int) -> None:
        live = sorted(path.parent.name for path in (self.etc / "certs").glob("*/fullchain.pem") if path.exists())
        if len(live) != wanted:
            raise DemoFailed(f"{wanted} certificates were to be live, but there are {len(live)}: {', '.join(live)}")

    def _certkeeper(self, arguments: list[str], *, expected: int) -> None:
        command, *rest = arguments
        shown = f"certkeeper {command} --config {quote(self.config)} {' '.join(rest)}".rstrip()
        say(f"$ {shown}")
        status = subprocess.run([CERTKEEPER, command, "--config", self.config, *rest], check=False).returncode
        say(f"exit code {status}")
        if status != expected:
            raise DemoFailed(f"{shown}: exit code {status} where {expected} was expected")

    def _shell(self, command: str) -> None:
        say(f"$ {command}")
        status = subprocess.run(["bash", "-c", command], check=False).returncode
        if status:
            raise DemoFailed(f"{command}: exit code {status}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("folder", type=Path, nargs="?")
    return parser.parse_args()


def quote(path: Path) -> str:
    return shlex.quote(str(path))


def heading(text: str) -> None:
    say(f"\n== {text}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
