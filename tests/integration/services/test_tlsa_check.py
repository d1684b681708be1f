"""`certkeeper tlsa check` as it is typed: PowerDNS with a signed zone, a validating unbound, and a TLS server with an
RSA and an ECDSA certificate.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from bed.services.openssl import OpensslServer
from builders.page import certkeeper
from certkeeper.cli.main import main
from certkeeper.dane.der import spki_of
from certkeeper.dane.tlsa import Tlsa, TlsaType

ZONE = "served.test"
HOST = f"mail.{ZONE}"


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def first(self) -> str:
        return self.out.partition("\n")[0]


def _record(certificate: bytes) -> Tlsa:
    return Tlsa.of(TlsaType(3, 1, 1), spki_of(x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)))


class Served:
    """One zone with one service, found by an SRV record. `put` changes the zone; no cache remembers."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        authority = trustme.CA()
        paths = {}
        self.records = {}
        for kind in (trustme.KeyType.RSA, trustme.KeyType.ECDSA):
            made = authority.issue_cert(HOST, key_type=kind)
            chain, key = folder / f"{kind.name}.pem", folder / f"{kind.name}.key"
            chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
            key.write_bytes(made.private_key_pem.bytes())
            paths[kind] = chain, key
            self.records[kind] = _record(made.cert_chain_pems[0].bytes())
        (rsa, rsa_key), (ecdsa, ecdsa_key) = paths[trustme.KeyType.RSA], paths[trustme.KeyType.ECDSA]
        self.server = stack.enter_context(OpensslServer(rsa, rsa_key, "-dcert", ecdsa, "-dkey", ecdsa_key))
        self.pdns = stack.enter_context(PowerDns(folder / "pdns"))
        self.pdns.create_zone(ZONE, soa_edit_api="DEFAULT")
        self.pdns.patch(
            ZONE,
            rrset(ZONE, "MX", ["0 ."]),
            rrset(f"_imaps._tcp.{ZONE}", "SRV", [f"0 1 {self.server.port} {HOST}."]),
            rrset(HOST, "A", ["127.0.0.1"]),
        )
        self.unbound = stack.enter_context(
            Resolver(
                folder / "unbound",
                zones={f"{ZONE}.": [self.pdns.dns]},
                trust_anchors=self.pdns.trust_anchors(ZONE),
                max_ttl=0,
            )
        )
        self.config = folder / "config"
        self.config.write_text(
            f'BASEDIR="{folder}"\nCAA_CHECK="no"\nNAMESERVERS="{ZONE}={self.pdns.server}"\n'
            f'VALIDATING_RESOLVER="{self.unbound.server}"\n',
            encoding="utf-8",
        )
        (folder / "domains.txt").touch()
        self.owner = f"_{self.server.port}._tcp.{HOST}"

    def publish(self, *records: Tlsa, ttl: int = 60) -> None:
        self.pdns.patch(ZONE, rrset(self.owner, "TLSA", map(str, records), ttl=ttl))

    def check(self, *arguments: str) -> Done:
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            code = main(["tlsa", "check", "--config", str(self.config), *(arguments or (ZONE,))])
        return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as stack:
        yield Served(tmp_path_factory.mktemp("served"), stack)


def test_both_keys_have_records(served: Served) -> None:
    served.publish(*served.records.values())
    done = served.check()

    assert (done.code, done.err) == (0, "")
    assert done.first == "CERTKEEPER TLSA OK - 1 of 1 services with TLSA records proven"
    rsa, ecdsa = (str(served.records[kind])[:14] for kind in (trustme.KeyType.RSA, trustme.KeyType.ECDSA))
    assert any(line.strip().startswith(rsa) and line.endswith("127.0.0.1 rsa") for line in done.out.splitlines())
    assert any(line.strip().startswith(ecdsa) and "127.0.0.1 ecdsa" in line for line in done.out.splitlines())


def test_one_of_two_keys_without_a_record(served: Served) -> None:
    served.publish(served.records[trustme.KeyType.ECDSA])
    done = served.check()

    assert done.code == 2
    assert "127.0.0.1 (rsa): no record matches what is served" in done.first


def test_the_document(served: Served) -> None:
    served.publish(*served.records.values(), ttl=77)
    done = served.check("--json", ZONE)
    document = json.loads(done.out)

    assert (done.code, document["grade"], document["lost"]) == (0, "ok", [])
    (service,) = document["services"]
    assert {name: service[name] for name in ("service", "domain", "kind", "host", "port", "owner", "trust")} == {
        "service": "imaps",
        "domain": ZONE,
        "kind": "SRV",
        "host": HOST,
        "port": served.server.port,
        "owner": served.owner,
        "trust": "secure",
    }
    assert service["servers"][0]["ttl"] == 77
    assert [item["family"] for item in service["handshakes"]] == ["any", "rsa", "ecdsa"]
    assert all(item["proven"] for item in service["handshakes"])


def test_a_service_that_is_named(served: Served) -> None:
    served.publish(*served.records.values())

    assert served.check(f"imaps://{HOST}:{served.server.port}").code == 0


def test_days_before_the_end_do_not_count_for_usage_3(served: Served) -> None:
    served.publish(*served.records.values())
    assert served.check("--warning", "9999", "--critical", "9998", ZONE).code == 0
    done = served.check("--warning", "3", "--critical", "4", ZONE)
    assert (done.code, "--critical 4 is more than --warning 3" in done.err) == (3, True)


def test_the_program_prints_the_same(served: Served) -> None:
    served.publish(*served.records.values())
    done = certkeeper("tlsa", "check", "--config", served.config, ZONE, cwd=served.config.parent)

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("CERTKEEPER TLSA OK - 1 of 1 services with TLSA records proven\nOK ")


def test_no_records(served: Served) -> None:
    served.publish()
    done = served.check()

    assert (done.code, done.first) == (1, "CERTKEEPER TLSA WARNING - no TLSA records")


def test_an_owner_without_records_is_a_warning_where_it_is_named(served: Served) -> None:
    served.publish()
    done = served.check(f"imaps://{HOST}:{served.server.port}")

    assert done.code == 1
    assert f"there are no TLSA records at {served.owner}" in done.first


def test_nobody_who_validates_is_not_known(served: Served, tmp_path: Path) -> None:
    served.publish(*served.records.values())
    text = served.config.read_text("utf-8").replace(served.unbound.server, served.pdns.server)
    other = tmp_path / "config"
    other.write_text(text, encoding="utf-8")
    with redirect_stdout(StringIO()) as out:
        code = main(["tlsa", "check", "--config", str(other), f"imaps://{HOST}:{served.server.port}"])

    assert code == 3
    assert "does not validate" in out.getvalue()


def test_our_own_proof_does_where_nobody_else_validates(served: Served, tmp_path: Path) -> None:
    served.publish(*served.records.values())
    anchor = tmp_path / "anchor"
    anchor.write_text("\n".join(served.pdns.trust_anchors(ZONE)), encoding="ascii")
    other = tmp_path / "config"
    text = served.config.read_text("utf-8").replace(served.unbound.server, served.pdns.server)
    other.write_text(f'{text}TRUST_ANCHOR="{anchor}"\n', encoding="utf-8")
    with redirect_stdout(StringIO()) as out:
        main(["tlsa", "check", "--config", str(other), "--json", f"imaps://{HOST}:{served.server.port}"])

    assert json.loads(out.getvalue())["services"][0]["trust"] == "secure"


@pytest.mark.parametrize("text", ["a..b", "nope://mail.example.org", "mail.example.org:99999"])
def test_what_is_no_domain(served: Served, text: str) -> None:
    done = served.check(text)

    assert (done.code, done.out) == (3, "")
    assert text.split("://", maxsplit=1)[0].split(":", maxsplit=1)[0] in done.err
