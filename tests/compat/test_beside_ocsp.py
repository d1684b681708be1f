"""OCSP_FETCH of `certkeeper dehydrated` beside dehydrated's, with what `openssl ocsp` signs with the CA's key."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.ocsp import OCSPCertStatus, load_der_ocsp_response

from bed.ocspresponder import DAY, OpensslResponder
from bed.pebble import Options
from bed.world import World
from builders.certificates import Authority
from builders.responder import Signer, delegate
from compat.beside import Side, alike, both, registered

pytestmark = pytest.mark.real

CRON = "--cron"
ALIKE = ("mine", "issuer", "signer", "along", "nonce", "named")
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpensslResponder]:
    with OpensslResponder(tmp_path_factory.mktemp("openssl")) as found:
        yield found


@pytest.fixture(scope="module")
def stapling(tmp_path_factory: pytest.TempPathFactory, signs: OpensslResponder) -> Iterator[World]:
    """A CA that finds every challenge valid, and whose certificates name the responder."""
    folder = tmp_path_factory.mktemp("beside")
    settings: Options = {"always_valid": True, "ocsp_url": signs.url, "key_algorithm": "rsa"}
    with World(folder, zones=("example.org",), secondaries=0, dnssec=False, pebble=settings) as world:
        signs.speaks_for(world.pebble.intermediate)
        yield world


@pytest.fixture
def name(stapling: World, signs: OpensslResponder) -> str:
    signs.reset()
    return f"o{next(NUMBERS)}.{stapling.zone.removesuffix('.')}"


def by_another(world: World) -> Signer:
    """Somebody whom the CA gave the task."""
    certificate, key = world.pebble.intermediate()
    loaded = load_pem_private_key(key.encode(), None)
    assert isinstance(loaded, RSAPrivateKey)
    now = datetime.now(tz=UTC)
    authority = Authority(x509.load_pem_x509_certificate(certificate.encode()), loaded)
    return delegate(authority, not_before=now - DAY, not_after=now + 30 * DAY)


def serial(side: Side, name: str) -> int:
    return x509.load_pem_x509_certificate((side.certs / name / "cert.pem").read_bytes()).serial_number


def says(side: Side, name: str) -> Mapping[str, object]:
    """What is in the response that is there, but for what differs between any two certificates."""
    found = load_der_ocsp_response((side.certs / name / "ocsp.der").read_bytes())
    return {
        "mine": found.serial_number == serial(side, name),
        "status": found.certificate_status,
        "issuer": (found.issuer_name_hash, found.issuer_key_hash, found.hash_algorithm.name),
        "signer": (found.responder_name, found.responder_key_hash),
        "along": [item.subject for item in found.certificates],
        "nonce": [extension.oid for extension in found.extensions],
        "named": (side.certs / name / "ocsp.der").resolve().read_bytes()
        in {path.read_bytes() for path in (side.certs / name).glob("ocsp-*.der")},
    }


def trusted(side: Side) -> None:
    """dehydrated takes a response only where this host trusts the CA's root; nobody tells it of another."""
    root = side.folder / "root.pem"
    root.write_text(side.world.pebble.root_pem(), encoding="ascii")
    side.environment["SSL_CERT_FILE"] = str(root)


def fetched(side: Side, name: str) -> None:
    trusted(side)
    side.configure(OCSP_FETCH="yes")
    side.lines(name)
    registered(side)
    step = side.run(CRON)
    assert step.code == 0, step.err


def test_the_life_of_a_response(tmp_path: Path, stapling: World, name: str) -> None:
    found: list[list[Mapping[str, object]]] = []

    def scenario(side: Side) -> None:
        fetched(side, name)
        kept = [says(side, name)]
        side.run(CRON)
        side.run(CRON, "--force")
        kept.append(says(side, name))
        side.run("--cleanup")
        kept.append(says(side, name))
        found.append(kept)

    _, mine = alike(tmp_path, stapling, scenario)
    theirs, ours = found[-2:]
    assert ours == theirs
    assert (ours[0]["mine"], ours[0]["status"], ours[0]["named"]) == (True, OCSPCertStatus.GOOD, True)
    assert mine[1].tree[f"certs/{name}/ocsp.der"] == "-> ocsp-<1>.der"
    (call,) = [call for call in mine[1].calls if call.name == "deploy_ocsp"]
    assert call.arguments == (name, f"<base>/certs/{name}/ocsp.der", "<stamp>")
    assert mine[2].out[-1] == " + OCSP stapling file is still valid (skipping update)"


@pytest.mark.long
def test_somebody_else_signs_for_the_ca(tmp_path: Path, stapling: World, signs: OpensslResponder, name: str) -> None:
    found: list[Mapping[str, object]] = []
    other = by_another(stapling)
    signs.signer = (other.certificate, other.key)

    def scenario(side: Side) -> None:
        fetched(side, name)
        found.append(says(side, name))

    alike(tmp_path, stapling, scenario)
    theirs, ours = found[-2:]
    assert ours == theirs
    assert (ours["mine"], ours["status"]) == (True, OCSPCertStatus.GOOD)
    assert ours["along"] == [other.certificate.subject]


@pytest.mark.row("I10")
@pytest.mark.long
def test_a_certificate_that_was_taken_back(tmp_path: Path, stapling: World, signs: OpensslResponder, name: str) -> None:
    """dehydrated has servers send along that the certificate is revoked; ours is another one by then."""
    found: list[Mapping[str, object]] = []

    def scenario(side: Side) -> None:
        side.lines(name)
        registered(side)
        side.run(CRON)
        before = serial(side, name)
        signs.revoked.add(before)
        trusted(side)
        side.configure(OCSP_FETCH="yes")
        side.run(CRON)
        found.append({**says(side, name), "stays": serial(side, name) == before})

    theirs, mine = both(tmp_path, stapling, scenario)
    assert [step.code for step in (*theirs, *mine)] == [0] * 6, mine[-1].err
    revoked, good = found
    assert (revoked["status"], revoked["stays"]) == (OCSPCertStatus.REVOKED, True)
    assert (good["status"], good["stays"]) == (OCSPCertStatus.GOOD, False)
    assert {name: good[name] for name in ALIKE} == {name: revoked[name] for name in ALIKE}
    calls = [[call for call in story[-1].calls if call.name == "deploy_ocsp"] for story in (theirs, mine)]
    assert [call.arguments for call in calls[1]] == [call.arguments for call in calls[0]]
    assert "REVOKED" in "".join(mine[-1].err)
    assert mine[-1].names.count("deploy_cert") == 1
