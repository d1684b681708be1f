"""The PowerDNS API's settings, under pdns_api.sh's names of today and of its first versions."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from certkeeper.base.errors import printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.wire import Exchange
from certkeeper.config.curl import CURL_OPTS, CurlWords, curl_words, find_unverified, find_words, transport
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.hosts import BadHost, canonical_host, is_loopback, split_port
from certkeeper.config.powerdns_key import KEY_FILE, api_key
from certkeeper.config.reading import ReadFailure, read
from certkeeper.config.settings import DEFAULT_PROPAGATION, DEFAULT_TRANSPORT, PowerDnsSettings
from certkeeper.config.transport import IpVersion
from certkeeper.config.values import Values, listed
from certkeeper.config.variables import LEGACY_PDNS

ZONES_TXT = "PDNS_ZONES_TXT"
_CURL_OPTS = "PDNS_CURL_OPTS"
_WHOM = "the PowerDNS API"
_DEFAULT_PORT = 8081
_LONGEST_SOCKET = 107
_HOST_HINT = 'write PDNS_HOST="ns1.example.org" or PDNS_HOST="https://ns1.example.org:8443"'


def powerdns_settings(values: Values, environment: Mapping[str, str]) -> Exchange[PowerDnsSettings | None]:
    """The API to use; None where no file sets a host or a key. Of the environment only the key counts.

    Raises:
        ConfigError: one without the other, or a value that cannot be read.
    """
    host, key = _name(values, "HOST"), _name(values, "KEY")
    if not values.has(host):
        if values.has(key) or values.has(KEY_FILE):
            name = key if values.has(key) else KEY_FILE
            raise ConfigError(values.where(name), f"PDNS_HOST is not set, {name} is", hint=_HOST_HINT)
        return None
    secret = yield from api_key(values, key, environment)
    if secret is None:
        raise ConfigError(
            values.where(host),
            "PDNS_KEY is not set, PDNS_HOST is",
            hint='write PDNS_KEY="…", the api-key of pdns.conf, or PDNS_KEY_FILE="…", a file that holds it',
        )
    url = _url(values, host)
    _lint(values, host, url)
    name, words = _curl(values, url)
    zones = yield from _zones(values)
    return PowerDnsSettings(
        url=url,
        api_key=secret,
        server=_server(values),
        version=_version(values),
        zones=zones,
        notify=not (values.has("PDNS_NO_NOTIFY") and values.truth("PDNS_NO_NOTIFY", default=False)),
        ca_bundle=_tls_file(values, "PDNS_CA_BUNDLE", url) or (url.startswith("https:") and words.cacert) or None,
        client_cert=_tls_file(values, "PDNS_CLIENT_CERT", url),
        client_key=_tls_file(values, "PDNS_CLIENT_KEY", url),
        # IP_VERSION is about the CA only, and a socket is reached without any of this.
        transport=DEFAULT_TRANSPORT
        if url.startswith("unix:")
        else transport(values, name, words, environment, ip_version=IpVersion.ANY),
    )


def _curl(values: Values, url: str) -> tuple[str, CurlWords]:
    """The words that count, and whose they are: CURL_OPTS only where PDNS_CURL_OPTS is not set, not even empty."""
    name = _CURL_OPTS if _CURL_OPTS in values.assigned else CURL_OPTS
    words = curl_words(values, name)
    if name == _CURL_OPTS:
        find_words(values, name, words, _WHOM)
    if url.startswith("https:"):
        find_unverified(values, name, words, _WHOM)
    return name, words


def propagation(values: Values, default: timedelta = DEFAULT_PROPAGATION) -> timedelta:
    """The bound on the wait for name servers. 0 asked pdns_api.sh not to wait, so the default bound stays."""
    name = _name(values, "WAIT")
    usual = int(DEFAULT_PROPAGATION.total_seconds())
    return (values.seconds(name, usual) if values.has(name) else None) or default


def legacy_findings(values: Values) -> tuple[Finding, ...]:
    """One finding for all names of pdns_api.sh's first versions."""
    used = [name for name in LEGACY_PDNS if name in values.assigned]
    if not used:
        return ()
    return (
        Finding(
            "legacy-pdns-names",
            Severity.NOTE,
            f"{listed(used)}: names of pdns_api.sh before version 0.3, read as PDNS_{', PDNS_'.join(used)}",
            "newer versions of pdns_api.sh do not know them, and VERSION changes dehydrated's own",
            "put PDNS_ before each name",
            min(values.where(name) for name in used),
        ),
    )


def _name(values: Values, legacy: str) -> str:
    """The name that counts: PDNS_* first, the legacy one only where a file assigns it."""
    modern = f"PDNS_{legacy}"
    return legacy if legacy in values.assigned and not values.has(modern) else modern


def _url(values: Values, name: str) -> str:
    text = values.text(name)
    if text.startswith("unix:"):
        return _unix(values, name, text)
    try:
        if "://" in text:
            return _checked_url(text)
        host, port = split_port(text, values.number(_name(values, "PORT"), _DEFAULT_PORT, 1, 65535))
    except (BadHost, ValueError) as error:
        raise values.error(
            name, f"{printable(text, 80)!r} is no host or URL ({printable(str(error))})", _HOST_HINT
        ) from error
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _unix(values: Values, name: str, text: str) -> str:
    """A socket's absolute path, in one form; the kernel takes 107 octets."""
    path = text.removeprefix("unix:").removeprefix("//")
    if not (path.startswith("/") and path.isprintable() and len(path.encode()) <= _LONGEST_SOCKET):
        raise values.error(
            name,
            f"{printable(text, 120)!r} is no path of a unix socket of at most {_LONGEST_SOCKET} octets",
            'write PDNS_HOST="unix:/run/pdns/api.sock"',
        )
    return f"unix:{path}"


def _tls_file(values: Values, name: str, url: str) -> str | None:
    """A PEM file that counts with TLS only."""
    if not values.has(name):
        return None
    if name == "PDNS_CLIENT_KEY" and not values.has("PDNS_CLIENT_CERT"):
        raise values.error(name, "PDNS_CLIENT_CERT is not set", "set both, or none")
    if not url.startswith("https:"):
        values.find(
            "no-tls",
            Severity.WARNING,
            name,
            "has no effect, since PDNS_HOST is no https:// URL",
            "the API is reached without TLS",
            'write PDNS_HOST="https://…", or remove the line',
        )
    return values.path(name, "")


def _checked_url(text: str) -> str:
    """The URL without its final slash, which would be doubled otherwise."""
    url = urlsplit(text)
    if url.scheme not in ("http", "https"):
        raise BadHost("neither http:// nor https://")
    if url.username is not None or url.query or url.fragment or not text.isprintable() or " " in text:
        raise BadHost("more than scheme, host, port and path")
    host = canonical_host(url.hostname or "")
    shown = f"[{host}]" if ":" in host else host
    port = f":{url.port}" if url.port is not None else ""
    return f"{url.scheme}://{shown}{port}{url.path.rstrip('/')}"


def _server(values: Values) -> str | None:
    name = _name(values, "SERVER")
    text = values.text(name)
    if not (text.isascii() and text.isprintable()) or any(char in text for char in " /?#%"):
        raise values.error(name, f"{printable(text, 40)!r} is no server id", 'write PDNS_SERVER="localhost"')
    return text or None


def _version(values: Values) -> int | None:
    """1 and above are spoken alike. Version 0 is PowerDNS's before 4.0."""
    name = _name(values, "VERSION")
    return values.number(name, 1, 0, 99) if values.has(name) else None


def _zones(values: Values) -> Exchange[tuple[DnsName, ...]]:
    """The names in PDNS_ZONES_TXT; none where it is empty."""
    if not values.has(ZONES_TXT):
        return ()
    path = values.path(ZONES_TXT, "")
    found = yield from read(path)
    if isinstance(found, ReadFailure):
        raise values.error(
            ZONES_TXT, f"{printable(path)} cannot be read: {found.reason}", "put the names of your zones there"
        )
    zones = []
    for number, line in enumerate(found.splitlines(), 1):
        written = line.partition("#")[0].strip()
        if written:
            try:
                zones.append(DnsName.parse(written))
            except InvalidName as error:
                # One line that pdns_api.sh passes over must not cost every certificate.
                values.find(
                    "no-zone",
                    Severity.WARNING,
                    ZONES_TXT,
                    f"{printable(path)}:{number}: {error}",
                    "the line is passed over",
                    "write one zone a line",
                )
    return tuple(dict.fromkeys(zones))


def _lint(values: Values, host: str, url: str) -> None:
    address = urlsplit(url)
    if address.scheme == "http" and not is_loopback(address.hostname or ""):
        values.find(
            "api-key-in-clear",
            Severity.WARNING,
            host,
            f"the API key is sent to {address.hostname} over plain http",
            "who listens on the way can change every zone",
            f'put the API behind TLS and write {host}="https://{address.hostname}"',
        )
