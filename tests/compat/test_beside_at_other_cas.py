"""Beside dehydrated where the CA is not as easy-going: proofs that count, refusals, nonces that it does not take."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import AuthorityInformationAccessOID

from bed.faults import Answer, Asked, FaultProxy, FaultyPebble, Rewrite
from bed.pebble import Options
from bed.world import World
from builders.page import openssl
from compat.beside import Side, Step, both, comparable, ours

pytestmark = pytest.mark.real

NUMBERS = itertools.count(1)
CRON = "--cron"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Options], World]]:
    """A world with such a CA; each is started once."""
    worlds: dict[str, World] = {}
    with ExitStack() as stack:

        def world(options: Options) -> World:
            kind = repr(sorted(options.items()))
            if kind not in worlds:
                folder = tmp_path_factory.mktemp("other")
                made = World(folder, zones=("example.org",), secondaries=0, dnssec=False, pebble=options)
                worlds[kind] = stack.enter_context(made)
            return worlds[kind]

        yield world


@pytest.fixture
def zone() -> str:
    return f"t{next(NUMBERS)}.example.org"


At = Callable[[Options], World]


def without_names(step: Step, zone: str) -> list[str]:
    """What is printed, whichever name the CA lists first."""
    return [re.sub(rf"\w+\.{re.escape(zone)}", "<name>", line) for line in step.out]


@pytest.mark.row("G19")
@pytest.mark.long
def test_the_first_name_that_fails_ends_it(tmp_path: Path, at: At, zone: str) -> None:
    """Nobody serves the files, so all would fail; the CA is told of one, and all are cleaned."""
    world = at({})
    asked: list[int] = []

    def scenario(side: Side) -> None:
        wellknown = side.folder / "www"
        wellknown.mkdir()
        side.configure(CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown))
        side.lines(f"a.{zone} b.{zone} c.{zone}")
        side.run("--register", "--accept-terms")
        world.pebble.forget()
        side.run(CRON)
        assert list(wellknown.iterdir()) == []
        asked.append(len({path for method, path in world.pebble.requests() if "chalZ" in path and method == "POST"}))

    theirs, mine = both(tmp_path, world, scenario)
    assert asked == [1, 1]
    assert (theirs[-1].code, mine[-1].code) == (1, 1)
    assert without_names(mine[-1], zone) == without_names(theirs[-1], zone)
    assert mine[-1].names == theirs[-1].names
    assert mine[-1].names.count("clean_challenge") == 3
    assert mine[-1].names.count("invalid_challenge") == 1
    said = "\n".join(mine[-1].err)
    assert "Challenge is invalid!" in said
    assert "urn:ietf" in said or "dns" in said or "connection" in said
    assert {entry: what for entry, what in mine[-1].tree.items() if "->" in what} == {}


@pytest.mark.row("G19", "H18")
@pytest.mark.long
@pytest.mark.parametrize("chain", ["no", "yes"])
def test_a_request_whose_name_fails_is_told_to_the_script(tmp_path: Path, at: At, zone: str, chain: str) -> None:
    def scenario(side: Side) -> None:
        wellknown = side.folder / "www"
        wellknown.mkdir()
        side.configure(CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown), HOOK_CHAIN=chain)
        side.run("--register", "--accept-terms")
        side.run("--signcsr", requested(side, f"a.{zone}", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"))
        assert list(wellknown.iterdir()) == []

    theirs, mine = both(tmp_path, at({}), scenario)
    assert (theirs[-1].code, mine[-1].code) == (1, 1)
    assert mine[-1].out == theirs[-1].out
    assert [(call.name, len(call.arguments)) for call in mine[-1].calls] == [
        (call.name, len(call.arguments)) for call in theirs[-1].calls
    ]
    assert mine[-1].names == ("deploy_challenge", "invalid_challenge", "clean_challenge", "exit_hook")
    assert mine[-1].calls[1].arguments[0] == f"a.{zone}"


@pytest.mark.row("H18")
@pytest.mark.long
def test_a_request_that_the_ca_refuses_is_told_to_the_script(tmp_path: Path, at: At, zone: str) -> None:
    def scenario(side: Side) -> None:
        wellknown = side.folder / "www"
        wellknown.mkdir()
        side.configure(CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown))
        side.run("--register", "--accept-terms")
        side.run("--signcsr", requested(side, zone, "ed25519"))

    theirs, mine = both(tmp_path, at({"always_valid": True}), scenario)
    assert (theirs[-1].code, mine[-1].code) == (1, 1)
    assert mine[-1].names == theirs[-1].names == ("deploy_challenge", "clean_challenge", "request_failure", "exit_hook")
    refusals = [step[-1].calls[-2] for step in (theirs, mine)]
    assert [call.arguments[0] for call in refusals] == ["400", "400"]
    assert [call.arguments[2] for call in refusals] == ["post", "post"]
    assert all("urn:ietf:params:acme:error:badCSR" in call.arguments[1] for call in refusals)
    assert refusals[1].environment == refusals[0].environment


@pytest.mark.row("I09")
@pytest.mark.long
@pytest.mark.parametrize("form", ["der", "pem", "missing"])
def test_the_chain_of_a_ca_that_sends_the_leaf_alone(tmp_path: Path, at: At, zone: str, form: str) -> None:
    """The issuer is fetched from where the leaf says that it is, by plain HTTP."""
    world = at({"always_valid": True, "key_algorithm": "rsa"})
    pem, key = world.pebble.intermediate()
    issuer = x509.load_pem_x509_certificate(pem.encode())
    answers = {
        "der": Answer(200, issuer.public_bytes(Encoding.DER), {"Content-Type": "application/pkix-cert"}),
        "pem": Answer(200, pem.encode(), {"Content-Type": "application/x-pem-file"}),
        "missing": Answer(404, b"no such file\n", {"Content-Type": "text/plain"}),
    }
    with FaultProxy("http://localhost:9", lambda _: answers[form]) as place:

        def alone(fullchain: bytes) -> bytes:
            return _as_if_issued_with(f"{place.url}/issuer", fullchain, issuer, key)

        def rule(asked: Asked) -> Rewrite | None:
            return Rewrite(alone) if asked.kind == "/certZ" else None

        with FaultyPebble(world.pebble, rule, tmp_path / "proxy") as ca:

            def scenario(side: Side) -> None:
                wellknown = side.folder / "www"
                wellknown.mkdir()
                side.configure(CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown))
                side.configure(CA=ca.directory_url, CURL_OPTS=f"--cacert {ca.ca_bundle}")
                side.run("--register", "--accept-terms")
                side.run("--signcsr", requested(side, zone, "ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "-fc")

            theirs, mine = both(tmp_path, world, scenario)
        assert [asked.path for asked in place.requests()] == ["/issuer"] * 2
    assert mine[-1].out == theirs[-1].out
    assert mine[-1].code == theirs[-1].code == (1 if form == "missing" else 0)
    assert mine[-1].names == theirs[-1].names
    if form == "missing":
        assert mine[-1].names[-2:] == ("request_failure", "exit_hook")
        assert mine[-1].calls[-2].arguments[:3] == ("404", "no such file\n", "get")
    else:
        assert mine[-1].out[-3:] == ("", "# CHAIN #", "<CERTIFICATE>")


def _as_if_issued_with(url: str, fullchain: bytes, issuer: x509.Certificate, key: str) -> bytes:
    """The leaf alone, signed anew so that it says where its issuer's certificate is."""
    leaf = x509.load_pem_x509_certificate(fullchain)
    builder = x509.CertificateBuilder(
        issuer.subject,
        leaf.subject,
        leaf.public_key(),
        leaf.serial_number,
        leaf.not_valid_before_utc,
        leaf.not_valid_after_utc,
    )
    place = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url))
    builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    for extension in leaf.extensions:
        if not isinstance(extension.value, x509.AuthorityInformationAccess):
            builder = builder.add_extension(extension.value, extension.critical)
    signer = load_pem_private_key(key.encode(), None)
    assert isinstance(signer, rsa.RSAPrivateKey)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def requested(side: Side, name: str, *key: str) -> str:
    """The path of a request for the name that somebody else made, with such a key."""
    made = side.folder / "request.csr"
    openssl(
        "req", "-new", "-newkey", *key, "-nodes", "-subj", "/", "-addext", f"subjectAltName=DNS:{name}",
        "-keyout", side.folder / "request.key", "-out", made,
    )  # fmt: skip
    return str(made)


def proven_before(side: Side, line: str) -> Step:
    """The second certificate for the line."""
    side.lines(line)
    side.run("--register", "--accept-terms")
    side.run(CRON)
    return side.run(CRON, "--force")


@pytest.mark.row("G14")
@pytest.mark.long
def test_names_that_are_proven_already(tmp_path: Path, at: At, zone: str) -> None:
    world = at({"always_valid": True, "authz_reuse": 100})

    def scenario(side: Side) -> None:
        proven_before(side, f"{zone} www.{zone}")

    theirs, mine = both(tmp_path, world, scenario)
    assert mine[-1].out == theirs[-1].out
    assert " + 0 pending challenge(s)" in mine[-1].out
    assert mine[-1].names == theirs[-1].names


def test_names_that_are_proven_anew(tmp_path: Path, at: At, zone: str) -> None:
    """dehydrated asks for a proof that the CA does not want any more; here the name is proven once more."""
    world = at({"always_valid": True, "authz_reuse": 100})
    side = ours(tmp_path, world)
    first = proven_before(side, zone)
    assert f" + Found valid authorization for {zone}" in first.out
    assert "deploy_challenge" not in first.names
    anew = comparable(side.run(CRON, "--force", "--force-validation"))
    assert anew.code == 0, anew
    handled = anew.out.index(f" + Handling authorization for {zone}")
    assert anew.out[handled - 2 : handled + 8] == (
        " + Requesting new certificate order from CA...",
        " + Received 1 authorizations URLs from the CA",
        f" + Handling authorization for {zone}",
        " + A valid authorization has been found but will be ignored",
        " + 1 pending challenge(s)",
        " + Deploying challenge tokens...",
        f" + Responding to challenge for {zone} authorization...",
        " + Challenge is valid!",
        " + Cleaning challenge tokens...",
        " + Requesting certificate...",
    ), anew.out
    assert (anew.names.count("deploy_challenge"), anew.names.count("clean_challenge")) == (1, 1)


@pytest.mark.row("G20")
@pytest.mark.long
def test_nonces_that_are_refused(tmp_path: Path, at: At, zone: str) -> None:
    world = at({"always_valid": True, "nonce_reject": 50})
    notice = " ! Request failed (badNonce), retrying request..."

    def scenario(side: Side) -> None:
        side.lines(f"{zone} www.{zone}")
        side.run("--register", "--accept-terms")
        side.run(CRON)

    theirs, mine = both(tmp_path, world, scenario)
    for story in (theirs, mine):
        assert [step.code for step in story] == [0, 0]
        assert {line for step in story for line in step.err} == {notice}
    assert mine[-1].out == theirs[-1].out
    assert mine[-1].names == theirs[-1].names


@pytest.mark.row("C04")
@pytest.mark.long
def test_an_account_that_the_ca_refuses(tmp_path: Path, at: At) -> None:
    world = at({"eab": {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}})

    def scenario(side: Side) -> None:
        side.lines()
        side.run("--register", "--accept-terms")
        side.run(CRON)

    theirs, mine = both(tmp_path, world, scenario)
    assert [step.code for step in mine] == [step.code for step in theirs] == [1, 1]
    assert all(step.err for step in mine)
    assert [entry for entry in mine[-1].tree if entry.startswith("accounts/")] == []
    assert [entry for entry in theirs[-1].tree if entry.endswith((".pem", ".json"))] == []


@pytest.mark.row("A14")
@pytest.mark.long
def test_the_version_needs_no_configuration(tmp_path: Path, at: At) -> None:
    def scenario(side: Side) -> None:
        side.run("-v", config=False)

    theirs, mine = both(tmp_path, at({}), scenario)
    assert (theirs[-1].code, mine[-1].code) == (0, 0)
    assert any("version" in line.lower() for line in mine[-1].out)
    assert mine[-1].tree == theirs[-1].tree
