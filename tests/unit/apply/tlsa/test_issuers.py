"""Issuers that a CA announces have records before they sign."""

import ssl
from pathlib import Path

import pytest

from builders.certificates import Wish, new_key, root
from builders.fakestaples import FakeStaples
from builders.fakestore import FakeStore
from builders.plans import spec
from builders.tlsascene import CHAINS, KEYS, MAIL, OWNER, SAFE, SIBLINGS, Scene
from certkeeper.adapters.tlsamaterial import BadIssuers, StoredMaterials
from certkeeper.base.names import Identifier
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec
from certkeeper.config.tlsa import TlsaWish
from certkeeper.dane.face import chain_face
from certkeeper.dane.tlsa import Tlsa, TlsaType
from certkeeper.lineage.pem import certificates
from certkeeper.plan.gates import WaitsForDns

TA = TlsaType(2, 1, 1)


def issuer_of(found: tuple[bytes, ...]) -> frozenset[Tlsa]:
    return chain_face(found, [TA]).records


def of_sibling() -> tuple[bytes, ...]:
    """A chain of the live key's, by another CA."""
    other = root().sub("Sibling")
    pem = other.leaf(KEYS[0], Wish(identifiers=(Identifier.parse("mail.example.org"),))) + other.pem
    return tuple(ssl.PEM_cert_to_DER_cert(block.decode()) for block in certificates(pem))


def announcing(*issuers: str) -> CertSpec:
    return replace(
        spec("mail.example.org"), tlsa=TlsaWish(derived=False, owners=(OWNER,), types=(TA,), issuers=issuers)
    )


def test_issuers_that_are_announced_have_records_before_they_sign_and_their_chain_goes_live_at_once() -> None:
    other = of_sibling()
    SIBLINGS["/etc/other.pem"] = other[1:2]
    item = announcing("/etc/other.pem")
    scene = Scene(item)
    assert scene.seat().decision.add == issuer_of(CHAINS[0]) | issuer_of(other)

    scene.publish(*issuer_of(CHAINS[0]), *issuer_of(other))
    scene.look()
    scene.cabinet.versions[7] = len(CHAINS)
    CHAINS.append(other)
    with pytest.raises(WaitsForDns, match="caches may hold the set without its record"):
        scene.gate(scene.look()).check(MAIL, 7)
    scene.gate(scene.look(after=SAFE)).check(MAIL, 7)


def test_an_issuer_that_is_announced_no_more_loses_its_record() -> None:
    other = of_sibling()
    SIBLINGS["/etc/other.pem"] = other[1:2]
    named = announcing("/etc/other.pem")
    scene = Scene(named)
    scene.look()
    scene.publish(*issuer_of(CHAINS[0]), *issuer_of(other))
    scene.look()
    scene.specs = (announcing(),)
    assert scene.seat(after=SAFE).decision.remove == issuer_of(other)


def test_issuers_that_cannot_be_read_let_nothing_be_published() -> None:
    scene = Scene(announcing("/nowhere"))
    scene.cabinet.unreadable = BadIssuers("TLSA_ISSUERS: /nowhere is not there")
    view = scene.look()
    assert view.unread == {MAIL: "TLSA_ISSUERS: /nowhere is not there"}
    assert not any(seat.changes for seat in view.seats.values())


def test_a_file_of_issuers_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    store = FakeStore()
    materials = StoredMaterials(store, FakeStaples(store))
    one, two, path = root().sub("One"), root().sub("Two"), tmp_path / "issuers.pem"
    path.write_bytes(one.pem + two.pem + one.pem)
    assert len(materials.issuers([str(path), str(path)])) == 2

    wrong = {
        one.pem + one.leaf(new_key()): "certificate 2 is no CA's",
        b"": "holds no certificate in PEM",
        one.pem.replace(b"MII", b"!!!"): "cannot be read|no certificate",
    }
    for content, message in wrong.items():
        path.write_bytes(content)
        with pytest.raises(BadIssuers, match=message):
            materials.issuers([str(path)])
    path.unlink()
    with pytest.raises(BadIssuers, match="is not there"):
        materials.issuers([str(path)])
