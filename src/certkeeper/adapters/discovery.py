"""What is on this machine already: services, the names that they serve, and PowerDNS. Files are read, nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from certkeeper.base.errors import printable
from certkeeper.base.value import dataclass
from certkeeper.config.pdnsconf import PdnsConf, read_pdns_conf
from certkeeper.service.sites import Site, sites
from certkeeper.service.target import Kind

_LARGEST = 1 << 20
_MOST_FILES = 2000
# The main file first: without it the service is not there.
_SERVICES: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.NGINX: ("etc/nginx/nginx.conf", ("etc/nginx/conf.d/*.conf", "etc/nginx/sites-enabled/*")),
    Kind.APACHE: (
        "etc/apache2/apache2.conf",
        ("etc/apache2/conf-enabled/*.conf", "etc/apache2/sites-enabled/*.conf"),
    ),
    Kind.POSTFIX: ("etc/postfix/main.cf", ()),
    Kind.DOVECOT: ("etc/dovecot/dovecot.conf", ("etc/dovecot/conf.d/*.conf", "etc/dovecot/local.conf")),
    Kind.PROSODY: ("etc/prosody/prosody.cfg.lua", ("etc/prosody/conf.d/*.cfg.lua",)),
    Kind.HAPROXY: ("etc/haproxy/haproxy.cfg", ("etc/haproxy/conf.d/*.cfg",)),
}
_POWERDNS = (("etc/powerdns/pdns.conf", "etc/powerdns/pdns.d/*.conf"), ("etc/pdns/pdns.conf", "etc/pdns/pdns.d/*.conf"))
_HOSTNAMES = ("etc/mailname", "etc/hostname")


@dataclass(frozen=True, slots=True)
class Discovered:
    """Services that are there, what they serve, and what could not be read."""

    services: tuple[str, ...]
    sites: tuple[Site, ...]
    powerdns: PdnsConf | None
    hostname: str = ""
    unread: tuple[str, ...] = ()


def discover(root: str = "/") -> Discovered:
    """Look below that root, which is `/` but for tests."""
    base = Path(root)
    unread: list[str] = []
    services: list[str] = []
    found: list[Site] = []
    for kind, (main, more) in _SERVICES.items():
        if not (base / main).exists():
            continue
        services.append(kind.value)
        for path in _files(base, (main, *more)):
            text = _text(path, unread)
            if text is not None:
                found += sites(kind, str(path), text)
    return Discovered(
        tuple(services), tuple(found), _powerdns(base, unread), _hostname(base), tuple(map(printable, unread))
    )


def _powerdns(base: Path, unread: list[str]) -> PdnsConf | None:
    for places in _POWERDNS:
        read = ((str(path), _text(path, unread)) for path in _files(base, places))
        conf = read_pdns_conf([(path, text) for path, text in read if text is not None])
        if conf is not None:
            return conf
    return None


def _hostname(base: Path) -> str:
    """The mail server's own name, where it is said, else this machine's."""
    for place in _HOSTNAMES:
        text = _text(base / place, [])
        if text is not None and "." in text.strip():
            return text.strip()
    return ""


def _files(base: Path, places: tuple[str, ...]) -> Iterator[Path]:
    left = _MOST_FILES
    for place in places:
        for path in sorted(base.glob(place)):
            if left > 0 and path.is_file():
                left -= 1
                yield path


def _text(path: Path, unread: list[str]) -> str | None:
    """None, and its path among the unread, where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        unread.append(str(path))
        return None
