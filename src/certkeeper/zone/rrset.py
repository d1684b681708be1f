"""Zones and RRsets as values, with their rdata in one canonical form so that sets can be compared."""

import re
from enum import StrEnum

from certkeeper.base.names import DnsName
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass

_CHARACTER_STRING = 255
_QUOTED = pattern(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TXT = pattern(rb'\s*(?:"(?:[^"\\]|\\.)*"\s*)+', re.DOTALL)
_ESCAPE = pattern(rb"\\(\d{3}|.)", re.DOTALL)


class ZoneKind(StrEnum):
    """What a zone is to the server that we write to. The words are PowerDNS's, which call primaries masters."""

    PRIMARY = "primary"
    NATIVE = "native"
    SECONDARY = "secondary"
    SCRIPTED = "scripted"
    """A script of the operator's writes it, and its word counts where no name server can be asked."""
    BY_HAND = "by hand"
    """A person writes it, who is told what to write; that they have done it is not known."""

    @property
    def writable(self) -> bool:
        return self is not ZoneKind.SECONDARY


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone at a server whose API we use. `id` is the server's opaque, URL-safe name for it.

    `serial` is what the server has stored, `served_serial` what it shows to the world (0 where it does not tell).
    `soa_edit_api` is the zone's rule for raising the serial on changes through the API, `soa_edit` the one for showing.
    `provider` is the id of the provider that it was found at.
    """

    name: DnsName
    id: str
    kind: ZoneKind
    serial: int
    served_serial: int = 0
    soa_edit_api: str = ""
    soa_edit: str = ""
    provider: str = ""

    @property
    def raises_serial(self) -> bool:
        """True where the server raises the serial by itself on a change through its API.

        PowerDNS 4.0 and later take a value that they do not know, such as INCEPTION-INCREMENT, for "leave it alone";
        SOA-EDIT depends on another setting and can come to a halt, and INCREASE does not show where an old serial is
        shown as a later one. Then we raise it in the change itself.
        """
        if self.shows_inception:
            return self.soa_edit_api.upper() in _RAISING - {"INCREASE"}
        return self.soa_edit_api.upper() in _RAISING

    @property
    def raising_soa_edit_api(self) -> str:
        """The SOA-EDIT-API with which every change through the API raises the serial that is served."""
        return "SOA-EDIT-INCREASE" if self.shows_inception else "DEFAULT"

    @property
    def shows_inception(self) -> bool:
        """True where the served serial is made from the date of the signatures, and may be far above the stored one."""
        return self.soa_edit.upper().startswith("INCEPTION")

    @property
    def next_serial(self) -> int:
        """The serial to store so that the world sees a larger one (RFC 1982)."""
        base = max(self.serial, self.served_serial) if self.shows_inception else self.serial
        return (base + 1) % 2**32


_RAISING = frozenset({"DEFAULT", "INCREASE", "EPOCH", "SOA-EDIT-INCREASE"})
KNOWN_SOA_EDIT_API = _RAISING | {"SOA-EDIT", ""}
KNOWN_SOA_EDIT = frozenset({"", "INCREMENT-WEEKS", "INCEPTION-EPOCH", "INCEPTION-INCREMENT", "EPOCH", "NONE"})
"""What PowerDNS does something for, in any case; other words it takes, and passes over."""


@dataclass(frozen=True, slots=True)
class RRset:
    """All records of one type at one name (RFC 2181 §5). `rdata` is canonical text, `ttl` seconds.

    `disabled` are records that somebody keeps in the server without having them served (PowerDNS); they are no part
    of the RRset in the RFC's sense, but a server that replaces whole RRsets would lose them.
    """

    owner: DnsName
    type: str
    ttl: int
    rdata: frozenset[str]
    disabled: frozenset[str] = frozenset()


def txt_rdata(value: str) -> str:
    """A text as TXT rdata: quoted, escaped, and split into character-strings of 255 octets (RFC 1035 §3.3.14)."""
    return _render(value.encode())


def canonical_txt(rdata: str) -> str:
    """TXT rdata as a server printed it, in the form of txt_rdata; text that is no TXT rdata stays as it is.

    The division into character-strings does not count: resolvers and CAs join them.
    """
    octets = rdata.encode()
    if not _TXT.fullmatch(octets):
        return rdata
    pieces: list[bytes] = _QUOTED.findall(octets)
    return _render(b"".join(_ESCAPE.sub(_unescape, piece) for piece in pieces))


def _render(octets: bytes) -> str:
    pieces = [octets[at : at + _CHARACTER_STRING] for at in range(0, len(octets), _CHARACTER_STRING)] or [b""]
    return " ".join('"' + "".join(_escape(octet) for octet in piece) + '"' for piece in pieces)


def _escape(octet: int) -> str:
    char = chr(octet)
    if char in '"\\':
        return "\\" + char
    return char if 0x20 <= octet < 0x7F else f"\\{octet:03d}"


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code) % 256]) if len(code) == 3 else code
