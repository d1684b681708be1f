"""Every DNS provider through the installed program, with a real CA; and several of them in one certificate.

In a namespace with a resolver that finds all zones: lexicon and a person have their zones found by it.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bed import lookups
from bed.bind import Bind
from bed.namespace import Namespace
from bed.pebble import Pebble
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from builders.page import Done, certkeeper, environment, openssl

pytestmark = pytest.mark.real

POWERDNS, HOSTER, UPDATES = "example.net", "example.com", "example.org"


@dataclass(slots=True)
class Internet:
    """PowerDNS holds two zones, one of which lexicon or a person writes; BIND holds the third."""

    namespace: Namespace
    powerdns: PowerDns
    bind: Bind
    pebble: Pebble
    folder: Path
    said: list[str] = field(default_factory=list)

    def configure(self, *names: str, more: str = "", **zones: str) -> Path:
        """`zones` are files of ZONES_D, with _ for the dots."""
        held = f"{POWERDNS}={self.powerdns.server} {HOSTER}={self.powerdns.server} {UPDATES}={self.bind.server}"
        (self.folder / "zones").mkdir(exist_ok=True)
        for name, text in zones.items():
            (self.folder / "zones" / name.replace("_", ".")).write_text(text)
        (self.folder / "domains.txt").write_text(" ".join(names) + " > cert\n")
        config = self.folder / "config"
        config.write_text(
            f'CA="{self.pebble.directory_url}"\nCA_BUNDLE="{self.pebble.ca_bundle}"\nCHALLENGETYPE="dns-01"\n'
            f'PDNS_HOST="{self.powerdns.api_url}"\nPDNS_KEY="secret"\nPDNS_WAIT="60"\nNAMESERVERS="{held}"\n'
            f'KEY_ALGO="prime256v1"\nACCOUNT_KEY_ALGO="prime256v1"\nCAA_CHECK="no"\n'
            f'ZONES_D="{self.folder / "zones"}"\n{more}'
        )
        return config

    def run(self, config: Path) -> Done:
        return certkeeper("run", "--accept-terms", "--config", config, cwd=self.folder, prefix=self.namespace.prefix)

    @property
    def rfc2136(self) -> str:
        return f'DNS_PROVIDER="rfc2136"\nRFC2136_SERVER="{self.bind.server}"\nRFC2136_KEY_FILE="{self.bind.key_file}"\n'

    @property
    def lexicon(self) -> str:
        return (
            'DNS_PROVIDER="lexicon"\nLEXICON_PROVIDER="powerdns"\nLEXICON_POWERDNS_AUTH_TOKEN="secret"\n'
            f'LEXICON_POWERDNS_PDNS_SERVER="{self.powerdns.api_url}"\n'
        )

    def assert_issued(self, done: Done, *names: str) -> None:
        assert done.code == 0, done.text
        assert "secret" not in done.text
        text = openssl("x509", "-in", self.folder / "certs/cert/cert.pem", "-noout", "-ext", "subjectAltName")
        assert all(f"DNS:{name}" in text for name in names)
        assert self.left() == set()

    def left(self) -> set[str]:
        """Owners of TXT records, wherever they are."""
        held = {
            owner
            for zone in (POWERDNS, HOSTER)
            for owner, kind in self.namespace.call(self.powerdns.records, zone)
            if kind == "TXT"
        }
        asked = [f"_acme-challenge.{label}{UPDATES}." for label in ("", "www.")]
        return held | {owner for owner in asked if self.namespace.call(lookups.txt, self.bind.dns, owner)}


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace())
        powerdns = namespace.call(PowerDns, tmp_path / "pdns")
        stack.callback(powerdns.stop)
        bind = namespace.call(Bind, tmp_path / "bind")
        stack.callback(bind.stop)
        for zone in (POWERDNS, HOSTER):
            namespace.call(powerdns.create_zone, zone, dnssec=False)
        namespace.call(bind.new_zone, UPDATES)
        zones = {f"{POWERDNS}.": [powerdns.dns], f"{HOSTER}.": [powerdns.dns], f"{UPDATES}.": [bind.dns]}
        resolver = namespace.call(Resolver, tmp_path / "resolver", zones=zones, port=53, max_ttl=0)
        stack.callback(resolver.stop)
        pebble = namespace.call(Pebble, tmp_path / "pebble", dns_server=resolver.dns)
        stack.callback(pebble.stop)
        folder = tmp_path / "page"
        folder.mkdir()
        yield Internet(namespace, powerdns, bind, pebble, folder)


def test_dynamic_updates(internet: Internet) -> None:
    names = (UPDATES, f"*.{UPDATES}", f"a.www.{UPDATES}")
    before = internet.bind.updates()
    done = internet.run(internet.configure(*names, example_org=internet.rfc2136))
    internet.assert_issued(done, *names)
    assert internet.bind.updates() - before == 2, "one to publish, one to withdraw"


def test_lexicon(internet: Internet) -> None:
    names = (HOSTER, f"*.{HOSTER}")
    internet.assert_issued(internet.run(internet.configure(*names, example_com=internet.lexicon)), *names)


def test_three_providers_in_one_certificate(internet: Internet) -> None:
    names = (f"www.{POWERDNS}", HOSTER, UPDATES, f"*.{UPDATES}")
    config = internet.configure(*names, example_org=internet.rfc2136, example_com=internet.lexicon)
    done = internet.run(config)
    internet.assert_issued(done, *names)
    for zone, records in ((POWERDNS, "1 challenge record"), (HOSTER, "1 challenge record"), (UPDATES, "2 challenge")):
        assert f"zone {zone}: {records}" in done.out


def test_one_provider_that_fails_fails_its_own_certificates_only(internet: Internet) -> None:
    wrong = internet.rfc2136.replace(str(internet.bind.key_file), str(internet.folder / "wrong.key"))
    (internet.folder / "wrong.key").write_text('key "certkeeper" { algorithm hmac-sha256; secret "d3Jvbmc="; };\n')
    config = internet.configure(UPDATES, example_org=wrong)
    (internet.folder / "domains.txt").write_text(f"{UPDATES}\n{POWERDNS} > cert\n")
    done = internet.run(config)
    assert done.code == 1
    assert f"zone {UPDATES}" in done.only_error()
    assert (internet.folder / "certs/cert/cert.pem").exists()
    assert internet.left() == set()


def test_a_person_who_does_as_told(internet: Internet) -> None:
    config = internet.configure(HOSTER, f"*.{HOSTER}", example_com="DNS_PROVIDER=manual\n")
    program = [sys.executable, "-m", "certkeeper", "run", "--accept-terms", "--config", str(config)]
    with subprocess.Popen(
        [*internet.namespace.prefix, *program],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=internet.folder,
        env=environment(),
    ) as child:
        assert child.stderr is not None
        assert child.stdout is not None
        watchdog = threading.Timer(60, child.kill)
        watchdog.start()
        told: list[str] = []
        for line in child.stderr:
            told.append(line)
            owner, _, record = line.partition(" 60 IN TXT ")
            if record and any("publish" in heading for heading in told):
                values = [each.partition(" 60 IN TXT ")[2].strip() for each in told if " 60 IN TXT " in each]
                internet.namespace.call(internet.powerdns.patch, HOSTER, rrset(owner, "TXT", values))
            if "remove" in line:
                break
        rest = child.stderr.read()
        out = child.stdout.read()
        code = child.wait()
        watchdog.cancel()
    assert code == 0, out + rest
    assert f"zone {HOSTER}: served by" in out
    assert rest.count(" 60 IN TXT ") == 2
    assert (internet.folder / "certs/cert/cert.pem").exists()
