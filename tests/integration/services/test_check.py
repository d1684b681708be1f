"""`certkeeper check` as it is typed, against a real server."""

import json
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from bed.services.openssl import OpensslServer
from builders.installed import script

pytestmark = pytest.mark.real
CERTKEEPER = script("certkeeper")
NAME = "www.example.org"


class Scene:
    """A page with one certificate, as dehydrated leaves it, and the files that a server wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.root = folder / "root.pem"
        self.authority.cert_pem.write_to_path(self.root)
        self.live = folder / "certs" / NAME
        self.live.mkdir(parents=True)
        (folder / "config").write_text(
            f'CHALLENGETYPE="dns-01"\nCERTDIR={folder}/certs\nPDNS_HOST=localhost\nPDNS_KEY=x\n'
        )
        (folder / "domains.txt").write_text(f"{NAME}\n")
        self.certificate, self.key = self.issue(self.live)

    def issue(self, folder: Path, kind: trustme.KeyType = trustme.KeyType.ECDSA) -> tuple[Path, Path]:
        folder.mkdir(exist_ok=True)
        end = datetime.now(UTC) + timedelta(days=90)
        made = self.authority.issue_cert(NAME, key_type=kind, not_after=end)
        leaf, chain = made.cert_chain_pems[0].bytes(), self.authority.cert_pem.bytes()
        key = folder / "privkey.pem"
        key.write_bytes(made.private_key_pem.bytes())
        for name, content in (("cert", leaf), ("chain", chain), ("fullchain", leaf + chain)):
            (folder / f"{name}.pem").write_bytes(content)
        return folder / "fullchain.pem", key

    def check(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [CERTKEEPER, "check", "--config", self.folder / "config", "--ca-bundle", self.root, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def endpoint(server: OpensslServer) -> str:
    return f"{NAME}:{server.port}@127.0.0.1"


def test_the_live_certificate_on_the_wire_is_what_is_wanted(scene: Scene) -> None:
    with OpensslServer(scene.certificate, scene.key) as server:
        done = scene.check(endpoint(server))
        assert done.returncode == 0, done
        assert done.stdout.startswith(
            "CERTKEEPER OK - 1 of 1 handshakes as they should be\nOK       tls://www.example.org:"
        )
        shown = json.loads(scene.check(endpoint(server), "--json").stdout)
    assert (shown["grade"], shown["endpoints"][0]["certificate"]["names"]) == ("ok", [NAME])


def test_a_service_that_was_not_told_of_a_renewal_is_found(scene: Scene) -> None:
    with OpensslServer(scene.certificate, scene.key) as server:
        scene.issue(scene.live)
        done = scene.check(endpoint(server))
    assert done.returncode == 2
    assert "certificate is served" in done.stdout.splitlines()[0]


def test_a_server_that_leaves_the_intermediate_out_is_told(scene: Scene) -> None:
    scene.authority = scene.authority.create_child_ca()
    scene.certificate, scene.key = scene.issue(scene.live)
    with OpensslServer(scene.certificate.with_name("cert.pem"), scene.key) as server:
        done = scene.check(endpoint(server))
        assert done.returncode == 2
        assert "the intermediate is missing: the server sends the leaf only" in done.stdout, done.stdout
        (scene.folder / "domains.txt").write_text("")
        assert "the server sent no intermediate certificate" in scene.check(endpoint(server)).stdout


def test_ends_soon_and_a_root_that_is_not_known(scene: Scene) -> None:
    with OpensslServer(scene.certificate, scene.key) as server:
        assert scene.check(endpoint(server), "--warning", "100").returncode == 1
        done = scene.check(endpoint(server), "--ca-bundle", "/etc/ssl/certs/ca-certificates.crt")
    assert done.returncode == 2
    assert "not trusted" in done.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_each_certificate_of_a_server_with_two_is_asked_for(scene: Scene, version: str) -> None:
    rsa, key = scene.issue(scene.folder / "rsa", trustme.KeyType.RSA)
    with OpensslServer(
        scene.certificate, scene.key, version, "-dcert", rsa, "-dkey", key, "-dcert_chain", rsa.with_name("chain.pem")
    ) as server:
        done = scene.check(endpoint(server), "--family", "both", "--json")
    found = {item["family"]: item for item in json.loads(done.stdout)["endpoints"]}
    assert found["ecdsa"]["grade"] == "ok"
    assert "another certificate" in found["rsa"]["remarks"][0]["text"] or "older" in found["rsa"]["remarks"][0]["text"]
    with OpensslServer(scene.certificate, scene.key, version) as server:
        only = scene.check(endpoint(server), "--family", "rsa")
    assert only.returncode == 3
    assert "no rsa certificate" in only.stdout


@pytest.mark.parametrize(("status", "code"), [(ocsp.OCSPCertStatus.GOOD, 0), (ocsp.OCSPCertStatus.REVOKED, 2)])
def test_a_staple_is_seen(scene: Scene, status: ocsp.OCSPCertStatus, code: int) -> None:
    staple = scene.folder / "ocsp.der"
    staple.write_bytes(response(scene, status))
    with OpensslServer(scene.certificate, scene.key, "-status_file", staple) as server:
        done = scene.check(endpoint(server))
    assert done.returncode == code, done
    assert f"staple {status.name.lower()}" in done.stdout


def response(scene: Scene, status: ocsp.OCSPCertStatus) -> bytes:
    leaf = x509.load_pem_x509_certificate((scene.live / "cert.pem").read_bytes())
    issuer = x509.load_pem_x509_certificate(scene.root.read_bytes())
    key = serialization.load_pem_private_key(scene.authority.private_key_pem.bytes(), None)
    now = datetime.now(UTC)
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    made = ocsp.OCSPResponseBuilder().add_response(
        leaf,
        issuer,
        hashes.SHA1(),  # noqa: S303 (what RFC 5019 asks for)
        status,
        now,
        now + timedelta(days=1),
        now if revoked else None,
        x509.ReasonFlags.key_compromise if revoked else None,
    )
    signed = made.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    return signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["gopher://example.org"], "service gopher is not known"),
        (["example.org:99999"], "no port"),
        (["example.org", "--warning", "3", "--critical", "4"], "--critical 4 is more than --warning 3"),
        (["example.org", "--warning", "soon"], "no number of days"),
        (["example.org", "--bogus"], "unrecognized arguments: --bogus"),
        (["--max-age", "0"], "no number of hours"),
        (["example.org", "--config", "/nowhere/config"], "/nowhere/config"),
        (["example.org", "--config", ""], "--config: empty"),
    ],
)
def test_a_typo_is_told_as_one(scene: Scene, typed: Sequence[str], said: str) -> None:
    done = scene.check(*typed)
    assert done.returncode == 3
    # Monitoring shows what is on standard output.
    assert not done.stdout or (done.stdout.startswith("CERTKEEPER UNKNOWN - ") and done.stdout.count("\n") == 1)
    assert said in done.stderr


def test_a_machine_without_a_page_can_look_all_the_same(tmp_path: Path, scene: Scene) -> None:
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    with OpensslServer(scene.certificate, scene.key) as server:
        done = run(
            [CERTKEEPER, "check", "--ca-bundle", scene.root, endpoint(server)],
            capture_output=True,
            text=True,
            cwd=tmp_path / "certs",
            check=False,
        )
    assert done.returncode == 0, done
