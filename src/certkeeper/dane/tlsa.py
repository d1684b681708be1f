"""TLSA records (RFC 6698 §2): types, parsing, and what may be sent.

Records that are read come from anybody: odd lengths and numbers that nobody has defined are kept as they are, and
`unusable` says why clients pass over them (RFC 7671 §4). Records that are written go through `refusal` first.
"""

import binascii
import hashlib
from collections.abc import Iterable

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass

PKIX_TA, PKIX_EE, DANE_TA, DANE_EE = range(4)
CERT, SPKI = range(2)
FULL, SHA256, SHA512 = range(3)

_MOST_OCTETS = 65535
_MOST_TEXT = 2 * _MOST_OCTETS + 64
_DIGEST_OCTETS = {SHA256: 32, SHA512: 64}
_LEAST_FULL = 32
"""The shortest SubjectPublicKeyInfo that is in use, Ed25519's, has 44 octets; no certificate is shorter."""
_OF_NOTHING = {hash_(empty).digest() for hash_ in (hashlib.sha256, hashlib.sha512) for empty in (b"", b"\n")}
_NUMBER = pattern(r"[0-9]{1,3}")
_WORD = pattern(r"([0-9])\s*([0-9])\s*([0-9])")
_ACRONYMS = (
    {"PKIX-TA": 0, "PKIX-EE": 1, "DANE-TA": 2, "DANE-EE": 3, "PRIVCERT": 255},
    {"CERT": 0, "SPKI": 1, "PRIVSEL": 255},
    {"FULL": 0, "SHA2-256": 1, "SHA2-512": 2, "PRIVMATCH": 255},
)


class BadTlsa(CertkeeperError):
    """Text or octets that are no TLSA record, or a record that must not be published."""

    label = "tlsa-records"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True, order=True)
class TlsaType:
    """Usage, selector and matching type: one combination in the sense of RFC 7671 §8."""

    usage: int
    selector: int
    matching_type: int

    @classmethod
    def parse(cls, text: str) -> "TlsaType":
        """Read a word such as `311` or `3 1 1`. Numbers that RFC 6698 does not define are an error here.

        Raises:
            BadTlsa: with the reason.
        """
        found = _WORD.fullmatch(text.strip()) if len(text) <= 20 else None
        if found is None:
            raise BadTlsa(f"TLSA type {printable(text, 40)!r}: not three digits", hint="write 311")
        kind = cls(*(int(digit) for digit in found.groups()))
        if not kind.defined:
            raise BadTlsa(
                f"TLSA type {kind.word}: not defined",
                hint="the first digit is 0 to 3, the second 0 or 1, the third 0 to 2: write 311",
            )
        return kind

    @property
    def defined(self) -> bool:
        return self.usage <= DANE_EE and self.selector <= SPKI and self.matching_type <= SHA512

    @property
    def of_the_leaf(self) -> bool:
        """It is about the server's own certificate or key; else about a CA's."""
        return self.usage in {PKIX_EE, DANE_EE}

    @property
    def of_the_key(self) -> bool:
        """It can be computed from the server's key, before there is a certificate."""
        return self.of_the_leaf and self.selector == SPKI

    @property
    def word(self) -> str:
        return f"{self.usage}{self.selector}{self.matching_type}"

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching_type}"


_DEFINED = {(u, s, m): TlsaType(u, s, m) for u in range(4) for s in range(2) for m in range(3)}
_OCTETS = {(u, s, m): _DIGEST_OCTETS[m] for u, s, m in _DEFINED if m}


@dataclass(frozen=True, slots=True, order=True)
class Tlsa:
    """One record. The numbers are octets, defined or not; `data` is whatever was associated."""

    usage: int
    selector: int
    matching_type: int
    data: bytes

    @classmethod
    def of(cls, kind: TlsaType, octets: bytes) -> "Tlsa":
        """The record of that type for a certificate or a SubjectPublicKeyInfo in DER."""
        return cls(kind.usage, kind.selector, kind.matching_type, associate(kind.matching_type, octets))

    @classmethod
    def parse(cls, text: str) -> "Tlsa":
        r"""Read the presentation form: `3 1 1 0b9f…` with blanks in the data, RFC 7218's words, or RFC 3597's `\#`.

        Raises:
            BadTlsa: it is no TLSA record at all. Unknown numbers and odd lengths of the data are no such error.
        """
        if len(text) > _MOST_TEXT:
            raise BadTlsa(f"TLSA record: longer than {_MOST_OCTETS} octets")
        words = text.replace("(", " ").replace(")", " ").split()
        if words[:1] == ["\\#"]:
            return cls.from_wire(_generic(words))
        if len(words) < 3:
            raise BadTlsa(f"TLSA record {printable(text, 60)!r}: fewer than three numbers", hint="write 3 1 1 DIGEST")
        usage, selector, matching_type = (
            _octet(word, known, text) for word, known in zip(words[:3], _ACRONYMS, strict=True)
        )
        return cls(usage, selector, matching_type, _unhex("".join(words[3:]), text))

    @classmethod
    def from_wire(cls, octets: bytes) -> "Tlsa":
        """Read the rdata of a message (RFC 6698 §2.1).

        Raises:
            BadTlsa: it is shorter than its three numbers, or longer than rdata can be.
        """
        if not 3 <= len(octets) <= _MOST_OCTETS:
            raise BadTlsa(f"TLSA record: {len(octets)} octets of rdata")
        return cls(octets[0], octets[1], octets[2], octets[3:])

    def __hash__(self) -> int:
        """Records are in sets all the time, and Python keeps the hash of octets with them."""
        return hash(self.data)

    @property
    def wire(self) -> bytes:
        return bytes((self.usage, self.selector, self.matching_type)) + self.data

    @property
    def type(self) -> TlsaType:
        numbers = (self.usage, self.selector, self.matching_type)
        return _DEFINED.get(numbers) or TlsaType(*numbers)

    @property
    def unusable(self) -> str:
        """Why clients pass over it (RFC 7671 §4); empty where they do not."""
        if _OCTETS.get((self.usage, self.selector, self.matching_type)) == len(self.data):
            return ""
        for number, most, name in (
            (self.usage, DANE_EE, "certificate usage"),
            (self.selector, SPKI, "selector"),
            (self.matching_type, SHA512, "matching type"),
        ):
            if number > most:
                return f"{name} {number} is not defined"
        wanted = _DIGEST_OCTETS.get(self.matching_type)
        if wanted is not None and len(self.data) != wanted:
            return f"its digest has {len(self.data)} octets, and not {wanted}"
        if wanted is None and len(self.data) < _LEAST_FULL:
            return f"its data has {len(self.data)} octets, which is no certificate and no key"
        return ""

    @property
    def refusal(self) -> str:
        """Why it must not be published; empty where it may."""
        if self.unusable:
            return self.unusable
        if self.data in _OF_NOTHING:
            return "its digest is that of nothing: whatever made it read an empty file"
        if self.matching_type == FULL and self.data[:1] != b"\x30":
            return "its data is not DER"
        return ""

    def __str__(self) -> str:
        """The canonical presentation form: one blank each, lower-case hex."""
        return f"{self.usage} {self.selector} {self.matching_type} {self.data.hex()}"


def associate(matching_type: int, octets: bytes) -> bytes:
    """What a record of that matching type holds of these octets (RFC 6698 §2.1.3)."""
    if matching_type == SHA256:
        return hashlib.sha256(octets).digest()
    return hashlib.sha512(octets).digest() if matching_type == SHA512 else octets


def read_all(texts: Iterable[str]) -> tuple[frozenset[Tlsa], tuple[str, ...]]:
    """The records of an RRset as a server printed them, and the texts that are none."""
    records, strange = set(), []
    for text in texts:
        try:
            records.add(Tlsa.parse(text))
        except BadTlsa:
            strange.append(printable(text, 80))
    return frozenset(records), tuple(strange)


def publishable(records: Iterable[Tlsa]) -> tuple[Tlsa, ...]:
    """The records in a fixed order, after a last look at each: this is what may be sent.

    Raises:
        BadTlsa: one of them would do harm.
    """
    ordered = tuple(sorted(records))
    for record in ordered:
        if record.refusal:
            shown = printable(str(record), 60)
            raise BadTlsa(
                f"TLSA record {shown}: {record.refusal}",
                hint="nothing was published; compare with certkeeper tlsa generate FILE",
            )
    return ordered


def _octet(word: str, known: dict[str, int], text: str) -> int:
    if (number := known.get(word.upper())) is not None:
        return number
    if not _NUMBER.fullmatch(word) or int(word) > 255:
        raise BadTlsa(f"TLSA record {printable(text, 60)!r}: {printable(word, 20)!r} is no number from 0 to 255")
    return int(word)


def _unhex(word: str, text: str) -> bytes:
    try:
        return binascii.unhexlify(word)
    except ValueError:
        raise BadTlsa(f"TLSA record {printable(text, 60)!r}: its data is not hex") from None


def _generic(words: list[str]) -> bytes:
    r"""RFC 3597 §5: `\# LENGTH HEX`."""
    text = " ".join(words)
    length = words[1] if len(words) > 1 else ""
    octets = _unhex("".join(words[2:]), text)
    if not (length.isascii() and length.isdigit() and len(length) <= 5 and int(length) == len(octets)):
        raise BadTlsa(f"TLSA record {printable(text, 60)!r}: its length is not that of its data")
    return octets
