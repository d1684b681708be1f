"""curl's words, as CURL_OPTS and PDNS_CURL_OPTS hold them, and the proxies that an environment names for it.

Both dehydrated and pdns_api.sh hand these words to curl as they are. Those that say how a server is reached act here as
they do there; some make no difference; each other one is a finding, since what it was for is not done.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import unquote

from certkeeper.base.errors import printable
from certkeeper.base.value import dataclass, field
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.hosts import BadHost, canonical_host, split_port
from certkeeper.config.transport import IpVersion, Pin, Proxy, Transport
from certkeeper.config.values import Values

CURL_OPTS = "CURL_OPTS"
_PROXY_PORT = 1080
_TLS_PROXY_PORT = 443
_LONGEST_CONNECT = 600.0
_BLANKS = " \t\n"
# A proxy of the environment is for what is elsewhere; curl would ask it for its own loopback.
_NEVER = ("localhost", "127.0.0.0/8", "::1")
_PROXY_HINT = 'a proxy is HOST:PORT, or "http://HOST:PORT"'
_SOCKS = ("socks", "socks4", "socks4a", "socks5", "socks5h")

_LONG = {
    "x": "proxy",
    "k": "insecure",
    "4": "ipv4",
    "6": "ipv6",
    "s": "silent",
    "S": "show-error",
    "f": "fail",
    "L": "location",
    "g": "globoff",
    "N": "no-buffer",
    "0": "http1.0",
    "#": "progress-bar",
    "q": "disable",
    "A": "user-agent",
    "H": "header",
    "U": "proxy-user",
    "u": "user",
    "E": "cert",
    "m": "max-time",
    "o": "output",
    "w": "write-out",
    "e": "referer",
    "b": "cookie",
    "c": "cookie-jar",
    "y": "speed-time",
    "Y": "speed-limit",
    "K": "config",
    "D": "dump-header",
    "d": "data",
    "X": "request",
    "T": "upload-file",
    "F": "form",
    "r": "range",
    "t": "telnet-option",
    "z": "time-cond",
    "C": "continue-at",
    "Q": "quote",
    "P": "ftp-port",
    "v": "verbose",
}
_QUIET_WORDS = (
    "silent show-error fail fail-with-body location globoff no-buffer compressed no-progress-meter progress-bar "
    "disable http1.0 http1.1 http2 tcp-nodelay tcp-fastopen tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 basic proxy-basic proxytunnel"
)
_ACTING_WORDS = "proxy noproxy resolve cacert connect-timeout insecure no-insecure ipv4 ipv6"
_VALUED_WORDS = (
    "proxy resolve cacert connect-timeout noproxy user-agent header proxy-user user cert max-time output write-out "
    "referer cookie cookie-jar speed-time speed-limit config dump-header data request upload-file form range "
    "telnet-option time-cond continue-at quote ftp-port key key-type cert-type pass capath ciphers tls13-ciphers "
    "curves tls-max crlfile pinnedpubkey retry retry-delay retry-max-time interface local-port dns-servers "
    "dns-interface dns-ipv4-addr dns-ipv6-addr doh-url connect-to keepalive-time limit-rate rate max-redirs "
    "max-filesize preproxy proxy1.0 socks4 socks4a socks5 socks5-hostname proxy-cacert proxy-capath proxy-cert "
    "proxy-key proxy-header proxy-pass proxy-ciphers proto proto-default proto-redir unix-socket abstract-unix-socket "
    "trace trace-ascii stderr happy-eyeballs-timeout-ms expect100-timeout engine egd-file random-file netrc-file json "
    "data-raw data-binary data-ascii data-urlencode url haproxy-clientip ech alt-svc hsts aws-sigv4 oauth2-bearer "
    "login-options output-dir parallel-max proxy-cert-type proxy-crlfile proxy-key-type proxy-pinnedpubkey "
    "proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser pubkey request-target "
    "service-name socks5-gssapi-service tlsauthtype tlspassword tlsuser delegation krb url-query etag-compare etag-save"
)
_HARMLESS = frozenset(_QUIET_WORDS.split())
_ACTS = frozenset(_ACTING_WORDS.split())
_WITH_VALUE = frozenset(_VALUED_WORDS.split())


@dataclass(slots=True)
class CurlWords:
    """What the words ask for. `cacert` is a PEM file of roots, `unknown` are the options that do not act here."""

    proxy: str | None = field(default=None, repr=False)
    noproxy: str | None = None
    resolve: list[str] = field(default_factory=list)
    cacert: str = ""
    connect_timeout: str = ""
    insecure: bool = False
    ip_version: IpVersion = IpVersion.ANY
    unknown: list[str] = field(default_factory=list)

    def take(self, option: str, value: str) -> None:
        match option:
            case "proxy":
                self.proxy = value
            case "noproxy":
                self.noproxy = value
            case "resolve":
                self.resolve.append(value)
            case "cacert":
                self.cacert = value
            case "connect-timeout":
                self.connect_timeout = value
            case "insecure" | "no-insecure":
                self.insecure = option == "insecure"
            case "ipv4":
                self.ip_version = IpVersion.FOUR
            case "ipv6":
                self.ip_version = IpVersion.SIX


def curl_words(values: Values, name: str) -> CurlWords:
    """The words of a setting.

    Raises:
        ConfigError: the last one lacks its value; curl would not start.
    """
    found = CurlWords()
    words = [word for word in _split(values.text(name)) if word]
    at = 0
    while at < len(words):
        word, at = words[at], at + 1
        for shown, option, glued in _options(word):
            value = glued
            if option in _WITH_VALUE and glued is None:
                if at == len(words):
                    raise values.error(name, f"{shown} lacks its value", "write the value behind it, or remove it")
                value, at = words[at], at + 1
            if option in _ACTS:
                found.take(option, value or "")
            elif option not in _HARMLESS:
                found.unknown.append(shown)
    return found


def _options(word: str) -> Iterator[tuple[str, str, str | None]]:
    """The options in one word: as it is shown, its long name, and the value that is glued to it."""
    if word.startswith("--") and len(word) > 2:
        # curl knows no --option=value, and what is behind the sign may be a secret
        yield word.partition("=")[0], word.removeprefix("--"), None
        return
    if not word.startswith("-") or word in ("-", "--"):
        yield word, "", None
        return
    letters = word[1:]
    for number, letter in enumerate(letters):
        option = _LONG.get(letter, "")
        rest = letters[number + 1 :]
        if option in _WITH_VALUE:
            yield f"-{letter}", option, rest or None
            return
        yield f"-{letter}", option, None


def transport(
    values: Values, name: str, words: CurlWords, environment: Mapping[str, str], *, ip_version: IpVersion
) -> Transport:
    """How a server is reached by the words of the setting `name`, and by an environment's proxies.

    Raises:
        ConfigError: a value that curl would not take.
    """
    _check_all(values, name, words)
    if words.proxy is not None:
        both = _proxy(values, name, words.proxy)
        proxies = (both, both)
        spared = _listed(words.noproxy if words.noproxy is not None else _no_proxy(environment))
    else:
        proxies = (_of_environment(values, environment, "http"), _of_environment(values, environment, "https"))
        spared = _listed(words.noproxy if words.noproxy is not None else _no_proxy(environment))
        spared = spared if spared == ("*",) else (*spared, *_NEVER)
    return Transport(
        http=proxies[0],
        https=proxies[1],
        spared=spared if any(proxies) else (),
        pins=_pins(values, name, words.resolve),
        ip_version=words.ip_version or ip_version,
        verified=not words.insecure,
        connect=_connect(values, name, words.connect_timeout),
    )


def _check_all(values: Values, name: str, words: CurlWords) -> None:
    """Raises one error of all values that curl would not take."""
    beside = Values(values.assigned, "")
    looks: list[Callable[[], object]] = [
        partial(_proxy, beside, name, words.proxy or ""),
        *(partial(_pins, beside, name, (entry,)) for entry in words.resolve),
        partial(_connect, beside, name, words.connect_timeout),
    ]
    errors: list[ConfigError] = []
    for look in looks:
        try:
            look()
        except ConfigError as error:
            errors.append(error)
    if errors:
        reasons = "; ".join(error.reason.removeprefix(f"{name}: ") for error in errors)
        hints = "; ".join(dict.fromkeys(error.hint for error in errors))
        raise values.error(name, reasons, hints) from errors[0]


def find_words(values: Values, name: str, words: CurlWords, whom: str) -> None:
    """A finding for each word that does not act."""
    for option in dict.fromkeys(words.unknown):
        values.find(
            "curl-word",
            Severity.WARNING,
            name,
            f"{printable(option, 60)} does not act here",
            f"{whom} is reached without it",
            "remove it, if it is not for another program",
        )


def find_unverified(values: Values, name: str, words: CurlWords, whom: str) -> None:
    """A finding where nobody's certificate is checked."""
    if words.insecure:
        values.find(
            "not-verified",
            Severity.WARNING,
            name,
            f"with -k nobody checks whose certificate it is that {whom} shows",
            "who can redirect the traffic can pose as it, read what is sent, and answer in its place",
            "name the roots of that server with --cacert FILE in the place of -k",
        )


def _split(text: str) -> Sequence[str]:
    """As a shell does with an unquoted variable: quotes in it are letters like any other."""
    for blank in _BLANKS[1:]:
        text = text.replace(blank, _BLANKS[0])
    return text.split(_BLANKS[0])


def _proxy(values: Values, name: str, text: str) -> Proxy | None:
    """None for an empty text, which means no proxy at all, and for one that cannot be used."""
    if not text:
        return None
    scheme, separated, rest = text.partition("://")
    scheme, rest = (scheme.lower(), rest) if separated else ("http", text)
    if scheme in _SOCKS:
        values.find(
            "socks-proxy",
            Severity.WARNING,
            name,
            f"{scheme}:// proxies are not spoken to",
            "servers are reached directly",
            "name an http:// proxy",
        )
        return None
    userinfo, _, host = rest.partition("/")[0].rpartition("@")
    if scheme not in ("http", "https"):
        raise values.error(name, f"{printable(scheme, 40)}:// is no proxy's scheme", _PROXY_HINT)
    try:
        found, port = split_port(host, _TLS_PROXY_PORT if scheme == "https" else _PROXY_PORT)
    except BadHost as error:
        raise values.error(name, f"no proxy: {printable(str(error), 80)}", _PROXY_HINT) from error
    shown = f"[{found}]" if ":" in found else found
    return Proxy(f"{scheme}://{shown}:{port}", unquote(userinfo))


def _of_environment(values: Values, environment: Mapping[str, str], scheme: str) -> Proxy | None:
    """Lower case counts first. HTTP_PROXY counts never, since web servers set it from a request's header."""
    names = [f"{scheme}_proxy", *(["HTTPS_PROXY"] if scheme == "https" else []), "all_proxy", "ALL_PROXY"]
    name = next((name for name in names if environment.get(name)), None)
    return _proxy(values, name, environment[name]) if name is not None else None


def _no_proxy(environment: Mapping[str, str]) -> str:
    return environment.get("no_proxy") or environment.get("NO_PROXY") or ""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(entry for entry in _split(text.replace(",", " ")) if entry)


def _pins(values: Values, name: str, entries: Sequence[str]) -> tuple[Pin, ...]:
    pins: list[Pin] = []
    for entry in entries:
        if entry.startswith("-"):
            removed = _pin(values, name, entry[1:], f"{entry[1:]}:0.0.0.0")
            pins = [pin for pin in pins if (pin.host, pin.port) != (removed.host, removed.port)]
        else:
            pins.append(_pin(values, name, entry, entry.removeprefix("+")))
    return tuple(pins)


def _pin(values: Values, name: str, entry: str, text: str) -> Pin:
    """`HOST:PORT:ADDRESS,…`; a host that is an IPv6 address has brackets."""
    host, _, rest = text[1:].partition("]:") if text.startswith("[") else text.partition(":")
    port, _, addresses = rest.partition(":")
    try:
        found = tuple(canonical_host(address) for address in addresses.split(",") if address)
        named = host if host == "*" else canonical_host(host)
    except BadHost:
        found, named = (), ""
    numbered = port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536
    if not (numbered and found and all(_is_address(address) for address in found)):
        raise values.error(
            name, f"--resolve {printable(entry, 80)}: not understood", "write --resolve HOST:PORT:ADDRESS"
        )
    return Pin(named, int(port), found)


def _is_address(text: str) -> bool:
    return ":" in text or text.replace(".", "").isdigit()


def _connect(values: Values, name: str, text: str) -> float | None:
    if not text:
        return None
    number = text.replace(".", "", 1)
    if not (number.isascii() and number.isdigit() and len(text) < 12 and 0 <= float(text) <= _LONGEST_CONNECT):
        raise values.error(
            name,
            f"--connect-timeout {printable(text, 40)}: no seconds up to {_LONGEST_CONNECT:.0f}",
            "write --connect-timeout 10",
        )
    # curl takes 0 for its own bound
    return float(text) or None
