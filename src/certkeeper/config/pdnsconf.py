"""pdns.conf of the PowerDNS on this machine: where its API is, and the key that it takes."""

from collections.abc import Iterable

from certkeeper.base.errors import Location
from certkeeper.base.value import dataclass
from certkeeper.config.secret import Secret

_DEFAULT_ADDRESS, _DEFAULT_PORT = "127.0.0.1", "8081"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not listened on
_HASHED = "$scrypt$"


@dataclass(frozen=True, slots=True)
class PdnsConf:
    """What it says of the API. `key` is None where there is none, or only a hash of it; `trouble` says what is wrong.

    `host` is what PDNS_HOST takes: an address, or a socket as `unix:PATH`.
    """

    where: Location
    host: str
    port: int
    key: Secret | None
    trouble: str = ""


def read_pdns_conf(files: Iterable[tuple[str, str]]) -> PdnsConf | None:
    """Files, path and text, in the order in which pdns_server reads them; None where there is none."""
    said: dict[str, str] = {}
    first: Location | None = None
    for file, text in files:
        first = first or Location(file)
        for line in text.splitlines():
            name, equals, value = line.partition("#")[0].partition("=")
            if equals:
                said[name.strip().rstrip("+").strip()] = value.strip()
    if first is None:
        return None
    address = said.get("webserver-address") or _DEFAULT_ADDRESS
    port = said.get("webserver-port") or _DEFAULT_PORT
    key = said.get("api-key") or ""
    return PdnsConf(
        first,
        f"unix:{address}" if address.startswith("/") else _EVERYWHERE.get(address, address),
        int(port) if port.isascii() and port.isdigit() else int(_DEFAULT_PORT),
        Secret(key) if key and not key.startswith(_HASHED) else None,
        _trouble(said, key),
    )


def _trouble(said: dict[str, str], key: str) -> str:
    if said.get("api", "no").lower() not in {"yes", "on", "true", ""}:
        return "its API is off: set api=yes and api-key=… there, and restart pdns_server"
    if not key:
        return "it has no api-key: set one there, and restart pdns_server"
    if key.startswith(_HASHED):
        return "it holds a hash of its api-key: write the key itself into a file, and name that with --dns-key-file"
    return ""
