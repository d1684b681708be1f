"""Names: DNS names in A-label form, ACME identifiers (RFC 8555 §9.7.7, RFC 8738) and lineage aliases."""

import ipaddress
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass

_LABEL = pattern(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_HOST_LABEL = pattern(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAX_NAME = 253
_MAX_FILE_NAME = 255
_IP_PREFIX = "ip:"


class InvalidName(CertkeeperError):
    """Text that is no DNS name, IP address or alias."""

    label = "usage"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True, order=True)
class DnsName:
    """An absolute DNS name: lower-case A-labels joined by dots, without the final dot. The root is the empty text.

    Labels may start with an underscore, as owner names such as `_acme-challenge.example.org` do (RFC 8552).
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> "DnsName":
        """Read a name as people and programs write it: any case, Unicode (IDNA 2008), a final dot or none.

        Raises:
            InvalidName: a label is empty, too long, or holds characters that a host or owner name cannot have.
        """
        folded = _to_ascii(text.strip()).lower().removesuffix(".")
        if len(folded) > _MAX_NAME:
            raise InvalidName(f"{printable(text, 80)}: longer than {_MAX_NAME} characters")
        for label in folded.split(".") if folded else ():
            if not _LABEL.fullmatch(label):
                raise InvalidName(f"{printable(text, 80)}: {_label_trouble(label)}")
        return cls(folded)

    @property
    def absolute(self) -> str:
        """With the final dot, as the PowerDNS API wants it."""
        return self.text + "."

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.text.split(".")) if self.text else ()

    def child(self, labels: str) -> "DnsName":
        return DnsName(f"{labels}.{self.text}" if self.text else labels)

    @property
    def parent(self) -> "DnsName":
        """One label less; the root is its own parent."""
        return DnsName(self.text.partition(".")[2])

    def is_within(self, zone: "DnsName") -> bool:
        """True for the zone's own name and every name below it."""
        return not zone.text or self.text == zone.text or self.text.endswith("." + zone.text)

    def __str__(self) -> str:
        return self.text


class IdentifierType(StrEnum):
    """RFC 8555 §9.7.7."""

    DNS = "dns"
    IP = "ip"


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """What a certificate names. `value` is the text of the order: `*.example.org`, `www.example.org`, `2001:db8::1`."""

    type: IdentifierType
    value: str

    @classmethod
    def parse(cls, text: str) -> "Identifier":
        """Read a word of domains.txt: a host name, a wildcard, or `ip:` and an address.

        Raises:
            InvalidName: with the reason.
        """
        if text.lower().startswith(_IP_PREFIX):
            if "%" in text:
                raise InvalidName(f"{printable(text, 80)}: an address with a zone means nothing to others")
            try:
                # str() of an address is the form of RFC 5952 that RFC 8738 §3 asks for.
                return cls(IdentifierType.IP, str(ipaddress.ip_address(text[len(_IP_PREFIX) :])))
            except ValueError as error:
                raise InvalidName(f"{printable(text, 80)}: not an IP address") from error
        wildcard = text.startswith("*.")
        name = DnsName.parse(text[2:] if wildcard else text)
        if "*" in name.text or not name.text:
            raise InvalidName(f"{printable(text, 80)}: a wildcard may only be the whole first label")
        if len(name.labels) < 2:
            raise InvalidName(f"{printable(text, 80)}: a public name has at least two labels")
        if name.labels[-1].isdigit():
            raise InvalidName(f"{printable(text, 80)}: {_number_trouble(name.text)}")
        for label in name.labels:
            if not _HOST_LABEL.fullmatch(label):
                raise InvalidName(f"{printable(text, 80)}: {_label_trouble(label)}")
        return cls(IdentifierType.DNS, f"*.{name.text}" if wildcard else name.text)

    @property
    def wildcard(self) -> bool:
        return self.value.startswith("*.")

    @property
    def domain(self) -> DnsName:
        """The name that is proven: for a wildcard the name without `*.` (RFC 8555 §7.1.4)."""
        return DnsName(self.value.removeprefix("*."))

    def __str__(self) -> str:
        return f"{_IP_PREFIX}{self.value}" if self.type is IdentifierType.IP else self.value


@dataclass(frozen=True, slots=True, order=True)
class Alias:
    """The name of a lineage, which is the name of its folder under CERTDIR: one path component, nothing else."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "Alias":
        """Refuse what would leave CERTDIR or hide in it.

        Raises:
            InvalidName: with the reason.
        """
        shown = printable(text, 80)
        if not text or text in {".", ".."} or "/" in text or "\0" in text:
            raise InvalidName(f"alias {shown!r}: not the name of a folder inside CERTDIR")
        if text.startswith((".", "-")):
            raise InvalidName(f"alias {shown!r}: starts with {text[0]!r}")
        if text.startswith("*."):
            raise InvalidName(
                f"{shown}: a wildcard cannot name a folder", hint=f"add an alias at the end of the line: {shown} > NAME"
            )
        if not text.isprintable() or any(char.isspace() for char in text):
            raise InvalidName(f"alias {shown!r}: holds blanks or control characters")
        if len(text.encode()) > _MAX_FILE_NAME:
            raise InvalidName(f"alias {printable(text, 40)!r}: longer than {_MAX_FILE_NAME} octets")
        return cls(text)

    def __str__(self) -> str:
        return self.text


def _to_ascii(text: str) -> str:
    if text.isascii() or len(text) > _MAX_NAME:
        # Encoding takes time that grows with the square of the length, and no text of that length is a name.
        return text
    import idna  # noqa: PLC0415 - 20 ms that only people with Unicode names pay

    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise InvalidName(f"{printable(text, 80)}: {error}") from error


def _number_trouble(text: str) -> str:
    try:
        return f"an address is written {_IP_PREFIX}{ipaddress.ip_address(text)}"
    except ValueError:
        return "no name ends in a number"


def _label_trouble(label: str) -> str:
    if not label:
        return "an empty label (two dots in a row, or a dot at the start)"
    if len(label) > 63:
        return f"label {label[:20]}… is longer than 63 characters"
    return f"label {printable(label, 63)!r} holds a character that a host name cannot have"
