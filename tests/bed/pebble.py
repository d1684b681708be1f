"""Pebble, the test CA, with the knobs that make it predictable or hostile."""

import json
import re
import ssl
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack, cast

import trustme

from bed import binaries, ports
from bed.process import Process

NINETY_DAYS = 90 * 86_400
DEFAULT_PROFILES = {"default": {"description": "ninety days", "validityPeriod": NINETY_DAYS}}
REQUEST = re.compile(r" (GET|HEAD|POST) (\S+) -> ")


class Options(TypedDict, total=False):
    """What can be set; the defaults are in `QUIET`. `hostile` chooses other defaults."""

    hostile: bool
    nonce_reject: int
    """Per cent of good nonces that are refused."""
    authz_reuse: int
    """Per cent of authorizations reused; 0 still reuses about 1 in 100."""
    sleep: bool
    """Validation takes seconds, as Pebble does by itself."""
    retry_after: int
    """Seconds; 0: no such header."""
    chain_length: int
    alternate_roots: int
    ocsp_url: str | None
    """Goes into every leaf certificate."""
    blocklist: Sequence[str]
    eab: Mapping[str, str] | None
    """Key id to base64url MAC key; with it no account without external account binding."""
    profiles: Mapping[str, Mapping[str, object]]
    """More than one: an order that names none gets a random one."""
    caa_identities: Sequence[str]
    key_algorithm: str
    """Of the CA's keys, "rsa" or "ecdsa"; Pebble hands out private keys of its issuers only with "rsa"."""
    http_port: int
    """Where it looks for http-01; 0: nobody is there."""
    tls_port: int
    """The same for tls-alpn-01."""
    strict: bool
    always_valid: bool


QUIET: Options = {
    "nonce_reject": 0,
    "authz_reuse": 0,
    "sleep": False,
    "retry_after": 0,
    "chain_length": 1,
    "alternate_roots": 0,
    "ocsp_url": None,
    "blocklist": (),
    "eab": None,
    "profiles": DEFAULT_PROFILES,
    "caa_identities": (),
    "key_algorithm": "ecdsa",
    "http_port": 0,
    "tls_port": 0,
    "strict": True,
    "always_valid": False,
}
HOSTILE: Options = {
    **QUIET,
    "nonce_reject": 25,
    "authz_reuse": 50,
    "retry_after": 1,
    "chain_length": 3,
    "alternate_roots": 2,
}


def _config(options: Options, folder: Path, api: int, management: int, unused: int) -> dict[str, Any]:
    config: dict[str, Any] = {
        "listenAddress": f"127.0.0.1:{api}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(folder / "api.pem"),
        "privateKey": str(folder / "api.key"),
        "httpPort": options["http_port"] or unused,
        "tlsPort": options["tls_port"] or unused,
        "ocspResponderURL": options["ocsp_url"] or "",
        "externalAccountBindingRequired": options["eab"] is not None,
        "externalAccountMACKeys": dict(options["eab"] or {}),
        "domainBlocklist": list(options["blocklist"]),
        "caaIdentities": list(options["caa_identities"]),
        "retryAfter": {"authz": options["retry_after"], "order": options["retry_after"]},
        "keyAlgorithm": options["key_algorithm"],
        "profiles": {name: dict(profile) for name, profile in options["profiles"].items()},
    }
    return {"pebble": config}


def _environment(options: Options) -> dict[str, str]:
    return {
        "PEBBLE_WFE_NONCEREJECT": str(options["nonce_reject"]),
        "PEBBLE_AUTHZREUSE": str(options["authz_reuse"]),
        "PEBBLE_VA_NOSLEEP": "0" if options["sleep"] else "1",
        "PEBBLE_VA_ALWAYS_VALID": "1" if options["always_valid"] else "0",
        "PEBBLE_CHAIN_LENGTH": str(options["chain_length"]),
        "PEBBLE_ALTERNATE_ROOTS": str(options["alternate_roots"]),
    }


class Pebble:
    """A CA that asks the DNS server given, and nobody else. Its keys are new each time it starts."""

    def __init__(self, folder: Path, *, dns_server: tuple[str, int], **options: Unpack[Options]) -> None:
        self.options = cast("Options", {**(HOSTILE if options.get("hostile") else QUIET), **options})
        program = binaries.require("pebble")
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "pebble.log"
        self.ca_bundle = folder / "api-ca.pem"
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        authority.cert_pem.write_to_path(self.ca_bundle)
        leaf = authority.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.ECDSA)
        (folder / "api.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(folder / "api.key")
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(self.ca_bundle)))
        # not urlopen: a proxy of the environment has no business on loopback
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), trust)
        self.log.touch()
        self.forget()  # what another one in this folder was asked

        def start(free: tuple[int, ...]) -> Process:
            self._ports = free
            config = folder / "pebble.json"
            config.write_text(json.dumps(_config(self.options, folder, *free), indent=2), encoding="utf-8")
            command: list[str | Path] = [program, "-config", config, "-dnsserver", f"{dns_server[0]}:{dns_server[1]}"]
            return Process(
                "pebble",
                [*command, "-strict" if self.options["strict"] else "-strict=false"],
                self.log,
                ready=lambda: ports.accepts_tcp("127.0.0.1", free[0]) and ports.accepts_tcp("127.0.0.1", free[1]),
                env=_environment(self.options),
            )

        self.process = ports.on_free_ports(3, start)

    @property
    def directory_url(self) -> str:
        return f"https://localhost:{self._ports[0]}/dir"

    @property
    def management_url(self) -> str:
        return f"https://localhost:{self._ports[1]}"

    def fetch(self, url: str, *, data: bytes | None = None) -> bytes:
        """What one of its own URLs answers, over verified TLS."""
        with self._opener.open(url, data, timeout=10) as reply:
            return cast("bytes", reply.read())

    def root_pem(self, number: int = 0) -> str:
        """The root under which it issues; numbers above 0 are the alternates."""
        return self.fetch(f"{self.management_url}/roots/{number}").decode()

    def roots(self) -> list[str]:
        return [self.root_pem(number) for number in range(1 + self.options["alternate_roots"])]

    def intermediate(self, number: int = 0) -> tuple[str, str]:
        """Certificate and private key of the issuer, in PEM: for OCSP responses. Needs key_algorithm="rsa"."""
        certificate = self.fetch(f"{self.management_url}/intermediates/{number}")
        return certificate.decode(), self.fetch(f"{self.management_url}/intermediate-keys/{number}").decode()

    def set_renewal_info(self, certificate_pem: str, answer: str) -> None:
        """What ARI says of a certificate from now on: any text, also a broken one."""
        body = json.dumps({"certificate": certificate_pem, "ariResponse": answer}).encode()
        self.fetch(f"{self.management_url}/set-renewal-info/", data=body)

    def requests(self) -> list[tuple[str, str]]:
        """Method and path of each ACME request since the start or `forget`. Logged before it is answered."""
        return self._all_requests()[self._forgotten :]

    def _all_requests(self) -> list[tuple[str, str]]:
        lines = self.log.read_text(errors="replace").splitlines()
        return [(found[1], found[2]) for line in lines if (found := REQUEST.search(line))]

    def counts(self) -> Counter[tuple[str, str]]:
        """Requests by method and kind: the first part of the path (`/my-order`, `/chalZ`)."""
        return Counter((method, "/" + path.split("/")[1]) for method, path in self.requests())

    def forget(self) -> None:
        self._forgotten = len(self._all_requests())

    def stop(self) -> None:
        self.process.stop()
        ports.release(*self._ports)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
