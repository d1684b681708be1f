"""`certkeeper tlsa generate` as it is typed, with openssl's TLS client as the judge of its records."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from bed import binaries
from bed.services.openssl import OpensslServer
from certkeeper.cli.main import main
from certkeeper.dane.policy import ALL_TYPES

NAME = "mail.example.org"
OTHER = "example.net"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def certkeeper(*arguments: str | Path) -> Done:
    """In this process: a new one for each call would take longer than all of them."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = main(["tlsa", "generate", *map(str, arguments)])
    return Done(code, out.getvalue(), err.getvalue())


class Files:
    """A chain with its root, as a server that publishes 2 x x has to send it."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        issuing = authority.create_child_ca()
        made = issuing.issue_cert(NAME, not_after=datetime.now(UTC) + timedelta(days=90))
        self.key, self.chain, self.leaf = (folder / name for name in ("privkey.pem", "fullchain.pem", "cert.pem"))
        self.key.write_bytes(made.private_key_pem.bytes())
        self.parts = [*(blob.bytes() for blob in made.cert_chain_pems), authority.cert_pem.bytes()]
        self.leaf.write_bytes(self.parts[0])
        self.chain.write_bytes(b"".join(self.parts))
        self.folder = folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def server(files: Files) -> Iterator[OpensslServer]:
    with OpensslServer(files.chain, files.key) as running:
        yield running


def records(*arguments: str | Path) -> list[dict[str, object]]:
    done = certkeeper(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    (owner,) = json.loads(done.stdout)["owners"]
    found = owner["records"]
    assert isinstance(found, list)
    return found


def openssl_accepts(server: OpensslServer, record: str, name: str = NAME) -> bool:
    command = ["s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", name, "-brief"]
    command += ["-no-CAfile", "-no-CApath", "-no-CAstore", "-dane_tlsa_domain", name, "-dane_tlsa_rrdata", record]
    command += ["-dane_ee_no_namechecks", "-verify_return_error"]
    done = subprocess.run(
        [binaries.require("openssl"), *command], input=b"", capture_output=True, timeout=30, check=False
    )
    return done.returncode == 0 and b"Verification: OK" in done.stderr


@pytest.mark.real
def test_openssl_accepts_every_record_of_usages_2_and_3_and_no_other(files: Files, server: OpensslServer) -> None:
    made = records(files.chain, f"{NAME}:443")
    assert {str(item["type"]) for item in made} == {kind.word for kind in ALL_TYPES}
    ours = [str(item["content"]) for item in made if str(item["type"])[0] in "23"]
    assert len(ours) >= 18
    for record in ours:
        assert openssl_accepts(server, record), record
    recommended = next(record for record in ours if record.startswith("3 1 1"))
    assert not openssl_accepts(server, re.sub(r"[0-9a-f]$", lambda m: "0" if m[0] != "0" else "1", recommended))
    authority = next(record for record in ours if record.startswith("2 1 1"))
    assert openssl_accepts(server, recommended, OTHER), "names do not count for usage 3"
    assert not openssl_accepts(server, authority, OTHER)


@pytest.mark.real
def test_a_server_gives_what_its_files_give(files: Files, server: OpensslServer) -> None:
    from_file = records(files.chain, f"{NAME}:{server.port}")
    assert records(f"tls://{NAME}:{server.port}@127.0.0.1") == from_file


@pytest.mark.real
def test_digests_are_openssl_s_own(files: Files) -> None:
    key = subprocess.run(
        ["openssl", "pkey", "-in", files.key, "-pubout", "-outform", "DER"], capture_output=True, check=True
    ).stdout
    for option, word in (("-sha256", "311"), ("-sha512", "312")):
        digest = subprocess.run(["openssl", "dgst", option, "-r"], input=key, capture_output=True, check=True).stdout
        for source in (files.chain, files.leaf, files.key):
            made = next(item for item in records(source, f"{NAME}:25") if item["type"] == word)
            assert str(made["content"]).split()[3] == digest.split()[0].decode()


def test_a_key_without_a_certificate_has_what_is_about_keys(files: Files) -> None:
    assert {item["type"] for item in records(files.key)} == {"110", "111", "112", "310", "311", "312"}
    public = files.folder / "public.pem"
    public.write_bytes(
        subprocess.run(["openssl", "pkey", "-in", files.key, "-pubout"], capture_output=True, check=True).stdout
    )
    assert records(public) == records(files.key)


def test_the_zone_file_has_what_is_to_be_published_and_comments(files: Files) -> None:
    done = certkeeper(files.chain, f"{NAME}:443", f"_465._tcp.{NAME}", "--types", "311 211", "--ttl", "1800")
    assert (done.returncode, done.stderr) == (0, "")
    active = [line for line in done.stdout.splitlines() if line and not line.startswith(";")]
    assert sorted(" ".join(line.split()[:7]) for line in active) == [
        f"_{port}._tcp.{NAME}. 1800 IN TLSA {usage} 1 1" for port in (443, 465) for usage in "23"
    ]
    for word in ("recommended", "possible", "not recommended"):
        assert f": {word}: " in done.stdout


def test_powerdns_gets_an_rrset(files: Files) -> None:
    done = certkeeper(files.chain, f"{NAME}:25", "--powerdns")
    (rrset,) = json.loads(done.stdout)["rrsets"]
    assert (rrset["name"], rrset["type"], rrset["ttl"], rrset["changetype"]) == (
        f"_25._tcp.{NAME}.",
        "TLSA",
        3600,
        "REPLACE",
    )
    (record,) = rrset["records"]
    assert re.fullmatch(r"3 1 1 [0-9a-f]{64}", record["content"])


def test_a_host_that_the_certificate_is_not_for_is_warned_of(files: Files) -> None:
    done = certkeeper(files.chain, f"{OTHER}:443")
    assert done.returncode == 0
    assert f"the certificate is not for {OTHER}, but for {NAME}" in done.stderr


def test_what_breaks_at_renewal_is_warned_of_and_what_mail_servers_pass_over_is_refused(files: Files) -> None:
    done = certkeeper(files.chain, f"{NAME}:25", "--types", "301")
    assert done.returncode == 0
    assert "after each renewal" in done.stderr
    refused = certkeeper(files.chain, f"{NAME}:25", "--types", "011")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "RFC 7672" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["FILE", "nohost"], "no port"),
        (["FILE", "192.0.2.1:443"], "an address has no TLSA records"),
        (["FILE", f"{NAME}:25", "--types", "999"], "not defined"),
        (["FILE", "--powerdns"], "PowerDNS wants names"),
        (["LEAF", f"{NAME}:25", "--types", "211"], "no 2 1 1 record without its issuer's certificate"),
        (["KEY", f"{NAME}:25", "--types", "301"], "no 3 0 1 record without the certificate"),
        (["WRONG", f"{NAME}:25"], "certificates in the wrong order"),
        (["EMPTY", f"{NAME}:25"], "holds no certificate and no key"),
        (["CUT", f"{NAME}:25"], "cut.pem: a certificate in it cannot be read: it may be cut off"),
        (["MISSING", f"{NAME}:25"], "MISSING"),
        (["tls://192.0.2.1:443"], "an address has no TLSA records"),
        (["gopher://example.org"], "service gopher is not known"),
        (["tls://localhost.invalid:1", "--timeout", "2"], "localhost.invalid"),
    ],
)
def test_what_cannot_be_done_is_told(files: Files, arguments: list[str], said: str) -> None:
    wrong, empty = files.folder / "wrong.pem", files.folder / "empty.pem"
    wrong.write_bytes(b"".join(reversed(files.parts)))
    empty.write_bytes(b"hello\n")
    cut = files.folder / "cut.pem"
    cut.write_bytes(files.parts[0][:200] + b"\n-----END CERTIFICATE-----\n")
    named = {"FILE": files.chain, "LEAF": files.leaf, "KEY": files.key, "WRONG": wrong, "EMPTY": empty, "CUT": cut}
    done = certkeeper(*(named.get(word, word) for word in arguments))
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "PRIVATE KEY" not in done.stderr
