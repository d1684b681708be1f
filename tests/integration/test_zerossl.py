"""ZeroSSL's URLs, behind a proxy that leads to a real CA that binds accounts: certkeeper, and dehydrated beside it."""

import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import trustme

from bed.dehydrated import Dehydrated
from bed.forwardproxy import ForwardProxy
from bed.pebble import Pebble
from bed.serving import OwnServer, Serving
from builders.page import Done, certkeeper

pytestmark = pytest.mark.real

KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
MAIL = "me@example.org"
PAIR = {"success": True, "eab_kid": "kid-1", "eab_hmac_key": KEY}


class ZeroSsl(Serving):
    """Its directory, which is Pebble's, and its service for pairs, which gives everybody the same answer."""

    def __init__(self, folder: Path, pebble: Pebble) -> None:
        self.directory = pebble.fetch(pebble.directory_url)
        self.answer: dict[str, object] = PAIR
        self.mails: list[str] = []
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.ca_bundle = folder / "roots.pem"
        self.ca_bundle.write_bytes(authority.cert_pem.bytes() + pebble.ca_bundle.read_bytes())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("acme.zerossl.com", "api.zerossl.com").configure_cert(tls)
        self.serve(_Handler, tls)


class _Handler(BaseHTTPRequestHandler):
    server: OwnServer[ZeroSsl]

    def do_GET(self) -> None:
        assert self.path == "/v2/DV90"
        self._say(self.server.owner.directory)

    def do_POST(self) -> None:
        assert (self.headers["Host"], self.path) == ("api.zerossl.com", "/acme/eab-credentials-email")
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.owner.mails += parse_qs(body, strict_parsing=True)["email"]
        self._say(json.dumps(self.server.owner.answer).encode())

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Installation:
    """A configuration that both programs read, and the way to ZeroSSL."""

    def __init__(self, folder: Path, zerossl: ZeroSsl, proxy_url: str) -> None:
        self.zerossl = zerossl
        self.folder = folder / "etc"
        self.folder.mkdir(parents=True)
        (self.folder / "domains.txt").touch()
        self.config = self.folder / "config"
        self.environment = {
            "https_proxy": proxy_url,
            "NO_PROXY": "",
            "no_proxy": "",
            # dehydrated's CURL_OPTS do not count for the service
            "CURL_CA_BUNDLE": str(zerossl.ca_bundle),
        }
        self.configure()

    def configure(self, **settings: str) -> None:
        wanted = {
            "CA": "zerossl",
            "CONTACT_EMAIL": MAIL,
            "CA_BUNDLE": str(self.zerossl.ca_bundle),
            "BASEDIR": str(self.folder),
            "STATEDIR": str(self.folder / "state"),
            "CURL_OPTS": f"--cacert {self.zerossl.ca_bundle}",
            "ACCOUNT_KEY_ALGO": "prime256v1",
            "CHALLENGETYPE": "dns-01",
            **settings,
        }
        self.config.write_text("".join(f'{name}="{value}"\n' for name, value in wanted.items()))
        self.config.chmod(0o600)

    def register(self) -> Done:
        words = ("account", "register", "--accept-terms", "--config", self.config)
        return certkeeper(*words, cwd=self.folder, env=self.environment)

    def files(self) -> set[str]:
        return {path.name for path in self.folder.glob("accounts/*/*")}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with (
        Pebble(tmp_path / "pebble", dns_server=("127.0.0.1", 9), eab={"kid-1": KEY}) as pebble,
        ZeroSsl(tmp_path, pebble) as zerossl,
        ForwardProxy() as proxy,
    ):
        here = ("127.0.0.1", zerossl.port)
        proxy.places |= {"acme.zerossl.com:443": here, "api.zerossl.com:443": here}
        yield Installation(tmp_path / "ours", zerossl, proxy.url)


def test_an_account_by_mail_address_is_there_for_both_programs(installation: Installation) -> None:
    done = installation.register()
    assert done.code == 0, done.text
    assert installation.zerossl.mails == [MAIL]
    assert f"asked for a key id and an HMAC key for {MAIL}" in done.text
    written = [path.read_text(errors="replace") for path in installation.folder.rglob("*") if path.is_file()]
    assert [text for text in (*written, done.text) if KEY in text] == []
    # The account is there: nobody is asked any more, by whichever program.
    assert installation.register().code == 0
    Dehydrated(installation.config).run("--register", "--accept-terms", env=installation.environment)
    assert installation.zerossl.mails == [MAIL]


def test_what_is_printed_is_the_same(installation: Installation, tmp_path: Path) -> None:
    words = ("--register", "--accept-terms")
    done = certkeeper("dehydrated", *words, "--config", installation.config, cwd=tmp_path, env=installation.environment)
    beside = Installation(tmp_path / "dehydrated", installation.zerossl, installation.environment["https_proxy"])
    said = Dehydrated(beside.config).run(*words, env=beside.environment)
    assert done.code == 0, done.text
    assert done.out.splitlines()[1:] == said.splitlines()[1:]
    assert installation.zerossl.mails == [MAIL, MAIL]
    assert installation.files() == beside.files()


@pytest.mark.parametrize("mail", [MAIL, ""])
def test_both_programs_end_without_an_account_where_there_is_no_pair(installation: Installation, mail: str) -> None:
    installation.zerossl.answer = {"success": False, "error": {"code": 2900, "type": "bad_mail"}, "eab_kid": "kid-1"}
    installation.configure(CONTACT_EMAIL=mail)
    done = installation.register()
    assert done.code == 1
    assert ("bad_mail" if mail else "external account binding") in done.only_error()
    assert "CONTACT_EMAIL" in done.hints[0]
    assert "kid-1" not in done.text
    assert installation.files() == set()
    said = Dehydrated(installation.config).run("--register", "--accept-terms", fails=True, env=installation.environment)
    assert ("bad_mail" if mail else "contact email") in said
    assert installation.zerossl.mails == ([MAIL, MAIL] if mail else [])
