"""`certkeeper tlsa check` for mail, on real ports in a namespace, with Postfix's own DANE client as the judge."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bed import binaries
from bed.namespace import Namespace
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from bed.services.postfix import Postfix
from builders.page import Done, certkeeper
from certkeeper.dane.der import spki_of
from certkeeper.dane.tlsa import Tlsa, TlsaType

pytestmark = [pytest.mark.real, pytest.mark.long]

ZONE = "example.org"
HOST = f"mail.{ZONE}"
OWNER = f"_25._tcp.{HOST}"
TARGET = f"tlsa._dane.{ZONE}"
DNS, RESOLVER, SMTP = "127.0.0.2", "127.0.0.1", "127.0.0.3"


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def _join(here: socket.socket, port: int) -> None:
    with here, socket.create_connection(("127.0.0.1", port)) as there:
        back = threading.Thread(target=_pump, args=(there, here), daemon=True)
        back.start()
        _pump(here, there)
        back.join()


def _forward(listener: socket.socket, port: int) -> None:
    """Port 25 of an address, for a server that got another one from the bed."""
    while True:
        try:
            here, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_join, args=(here, port), daemon=True).start()


@dataclass(frozen=True, slots=True)
class Mail:
    namespace: Namespace
    pdns: PowerDns
    folder: Path
    record: Tlsa

    def publish(self, *records: str) -> None:
        self.namespace.call(self.pdns.patch, ZONE, rrset(OWNER, "TLSA", records))

    def check(self, *words: str) -> Done:
        config = self.folder / "config"
        prefix = self.namespace.prefix
        return certkeeper("tlsa", "check", "--config", config, *words, cwd=self.folder, prefix=prefix)

    def postfix_says(self) -> str:
        """How safe Postfix finds the connection: Verified is DANE's."""
        finger = [binaries.require("posttls-finger"), "-c", "-l", "dane", "-L", "summary", ZONE]
        said = subprocess.run([*self.namespace.prefix, *finger], capture_output=True, text=True, check=False)
        return said.stdout + said.stderr


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    folder = tmp_path_factory.mktemp("mail")
    folder.chmod(0o755)
    made = trustme.CA().issue_cert(HOST)
    (folder / "config").write_text(f'BASEDIR="{folder}"\n', encoding="utf-8")
    (folder / "domains.txt").touch()
    chain = folder / "chain.pem"
    chain.write_bytes(made.private_key_and_cert_chain_pem.bytes())
    leaf = x509.load_pem_x509_certificate(made.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER)
    record = Tlsa.of(TlsaType(3, 1, 1), spki_of(leaf))
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace(resolver=RESOLVER))
        pdns = namespace.call(PowerDns, folder / "pdns", address=DNS, port=53)
        stack.callback(pdns.stop)
        records = [
            rrset(f"ns1.{ZONE}", "A", [DNS]),
            rrset(ZONE, "MX", [f"10 {HOST}."]),
            rrset(HOST, "A", [SMTP]),
            # There from the start: a resolver that proved once that it is not there remembers that (RFC 8198).
            rrset(TARGET, "TLSA", [str(record)]),
        ]
        namespace.call(pdns.create_zone, ZONE, nameservers=[f"ns1.{ZONE}"], records=records, soa_edit_api="DEFAULT")
        anchors = namespace.call(pdns.trust_anchors, ZONE)
        zones = {f"{ZONE}.": [pdns.dns]}
        unbound = namespace.call(
            Resolver, folder / "unbound", zones=zones, trust_anchors=anchors, address=RESOLVER, port=53, max_ttl=0
        )
        stack.callback(unbound.stop)
        postfix = namespace.call(Postfix, chain)
        stack.callback(postfix.stop)
        listener = namespace.call(socket.create_server, (SMTP, 25))
        stack.callback(listener.close)
        stack.callback(listener.shutdown, socket.SHUT_RDWR)
        namespace.call(threading.Thread(target=_forward, args=(listener, postfix.ports["smtp"]), daemon=True).start)
        yield Mail(namespace, pdns, folder, record)


def test_mail_is_proven_with_nothing_but_a_resolver_on_loopback(mail: Mail) -> None:
    mail.publish(str(mail.record))
    done = mail.check(ZONE)

    assert (done.code, done.err) == (0, ""), done.text
    assert done.out.startswith("CERTKEEPER TLSA OK - 1 of 1 services with TLSA records proven")
    assert "Verified TLS connection" in mail.postfix_says()


def test_a_cname_at_the_owner_is_followed(mail: Mail) -> None:
    mail.publish()
    mail.namespace.call(mail.pdns.patch, ZONE, rrset(OWNER, "CNAME", [f"{TARGET}."]))
    done, verified = mail.check(ZONE, "--json"), mail.postfix_says()
    mail.namespace.call(mail.pdns.patch, ZONE, rrset(OWNER, "CNAME", []))

    assert done.code == 0, done.text
    (service,) = json.loads(done.out)["services"]
    assert (service["owner"], service["place"]) == (OWNER, TARGET)
    assert "Verified TLS connection" in verified


@pytest.mark.parametrize(
    ("records", "code", "said", "postfix"),
    [
        ([f"3 1 1 {'ab' * 32}"], 2, "no record matches what is served", "Untrusted TLS connection"),
        (["3 1 1 abcd"], 2, "no client can use any of the records", "Untrusted TLS connection"),
        # The last one: the resolver remembers that there is nothing.
        ([], 1, "no TLSA records", "Untrusted TLS connection"),
    ],
)
def test_what_postfix_does_not_verify_is_told(
    mail: Mail, records: list[str], code: int, said: str, postfix: str
) -> None:
    mail.publish(*records)
    done = mail.check(ZONE)

    assert done.code == code, done.text
    assert said in done.out
    assert postfix in mail.postfix_says()
