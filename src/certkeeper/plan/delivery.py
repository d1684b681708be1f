"""What DEHYDRATED_USER's process hands to root for services, and what root answers: values as octets, and back.

Root takes no other user's word, so all of it is read as what a stranger wrote: each field is its length in four octets
and that many octets, each has a limit, counts have one, and nothing may be left over at the end. What a file holds is
judged by who has it deployed.
"""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import Alias, Identifier, InvalidName
from certkeeper.base.value import dataclass, field
from certkeeper.plan.records import Shown

T = TypeVar("T")

MOST_OCTETS = 128 * 1024 * 1024
"""Of a whole delivery: 10,000 certificates with their keys, and as much again."""
MOST_CERTIFICATES = 10_000
MOST_NAMES = 1000
MOST_TARGETS = 64
MOST_KEY = 8 * 1024
"""An RSA key of 8192 bits has 6.5 KiB, and far larger ones take minutes to look at."""
MOST_CHAIN = 256 * 1024
MOST_STAPLE = 64 * 1024
_DELIVERY, _ANSWER = b"certkeeper delivery 1\n", b"certkeeper answer 1\n"
_LENGTH = 4
_LONGEST_WORD = 600
_LONGEST_REASON = 400
_PRINTED = re.compile(r"( ended with (?:status|signal) \d+| warns): .*", re.DOTALL)
_DIGITS = re.compile(r"0|[1-9][0-9]{0,11}")
_TARGET = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_YES, _NO = "yes", "no"


class BadDelivery(CertkeeperError):
    """Octets that are no delivery, or not the one that was expected."""

    label = "handed-over"
    fault = Fault.OPERATOR
    local = True


@dataclass(frozen=True, slots=True)
class Delivered:
    """One certificate and what is live of it. `targets` are as in CertSpec. `looked_at`: somebody is to look whether
    services show it; where, root knows.

    `privkey` is empty where the key is kept elsewhere, `staple` where there is no OCSP response, or nobody keeps it
    fresh.
    """

    alias: Alias
    identifiers: tuple[Identifier, ...]
    targets: tuple[str, ...]
    looked_at: bool
    stamp: int
    privkey: bytes = field(repr=False)
    fullchain: bytes
    staple: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """`put_right` is of how many certificates permissions were put right, `failed`: something went wrong with others
    than these, and was told.
    """

    certificates: tuple[Delivered, ...] = ()
    put_right: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What root knows of one certificate in one service. `reason` is why it is owed, in words for another user."""

    target: str
    alias: Alias
    stamp: int
    shown: Shown
    failures: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What root says in the end. `refusal` is why it did nothing at all, empty where it did."""

    answers: tuple[Answer, ...] = ()
    refusal: str = ""


def for_others(message: str) -> str:
    """An error of root's in words for another user: one line, bounded, and without what a command printed, who read
    root's files. Its words are in the list of processes for everybody to see.
    """
    told = printable(_PRINTED.sub(r"\1", message), _LONGEST_REASON)
    # Characters may have up to four octets.
    return " ".join(told.encode()[:_LONGEST_WORD].decode(errors="ignore").split())


def beyond(item: Delivered) -> str:
    """What root does not take of it; empty where it takes all."""
    counts = (
        (len(item.identifiers), MOST_NAMES, "names"),
        (len(item.targets), MOST_TARGETS, "services"),
        (len(item.privkey), MOST_KEY, "octets of a key"),
        (len(item.fullchain), MOST_CHAIN, "octets of a chain"),
        (len(item.staple), MOST_STAPLE, "octets of an OCSP response"),
    )
    return next((f"{number} {what}, root takes {most}" for number, most, what in counts if number > most), "")


def encode(delivery: Delivery) -> bytes:
    """Raises BadDelivery: it is more than root takes."""
    if len(delivery.certificates) > MOST_CERTIFICATES:
        raise BadDelivery(f"{len(delivery.certificates)} certificates for services, root takes {MOST_CERTIFICATES}")
    words = [_YES if delivery.failed else _NO, str(delivery.put_right), str(len(delivery.certificates))]
    out = [_DELIVERY, *map(_text, words)]
    for item in delivery.certificates:
        out += [_text(item.alias.text), _list(map(str, item.identifiers)), _list(item.targets)]
        out += [_text(_YES if item.looked_at else _NO), _text(str(item.stamp))]
        out += [_octets(item.privkey), _octets(item.fullchain), _octets(item.staple)]
    octets = b"".join(out)
    if len(octets) > MOST_OCTETS:
        raise BadDelivery(f"certificates of {len(octets)} octets for services, root takes {MOST_OCTETS}")
    return octets


def decode(octets: bytes) -> Delivery:
    """Raises BadDelivery: it is anything else than what `encode` makes."""
    reader = _Reader(octets, _DELIVERY)
    failed, put_right = reader.yes(), reader.number()
    found = tuple(_delivered(reader) for _ in range(reader.number(MOST_CERTIFICATES)))
    reader.end()
    if len({item.alias for item in found}) < len(found):
        raise BadDelivery("delivery: names a certificate twice")
    return Delivery(found, put_right, failed)


def encode_reply(reply: Reply) -> bytes:
    out = [_ANSWER, _text(for_others(reply.refusal)), _text(str(len(reply.answers)))]
    for item in reply.answers:
        words = (item.target, item.alias.text, str(item.stamp), item.shown.value, str(item.failures))
        out += map(_text, (*words, for_others(item.reason)))
    return b"".join(out)


def decode_reply(octets: bytes) -> Reply:
    """Raises BadDelivery: it is anything else than what `encode_reply` makes."""
    reader = _Reader(octets, _ANSWER)
    refusal = reader.parsed(_reason)
    found = tuple(_answer(reader) for _ in range(reader.number(MOST_CERTIFICATES * MOST_TARGETS)))
    reader.end()
    return Reply(found, refusal)


def _delivered(reader: "_Reader") -> Delivered:
    alias = reader.parsed(Alias.parse)
    identifiers = reader.many(MOST_NAMES, Identifier.parse)
    targets = reader.many(MOST_TARGETS, _target)
    looked_at, stamp = reader.yes(), reader.number()
    if not identifiers or not stamp:
        raise BadDelivery(f"delivery: {alias}: has no name, or no stamp")
    files = (reader.octets(MOST_KEY), reader.octets(MOST_CHAIN), reader.octets(MOST_STAPLE))
    return Delivered(alias, identifiers, targets, looked_at, stamp, *files)


def _answer(reader: "_Reader") -> Answer:
    target, alias, stamp = reader.parsed(_target), reader.parsed(Alias.parse), reader.number()
    return Answer(target, alias, stamp, reader.parsed(Shown), reader.number(), reader.parsed(_reason))


def _reason(text: str) -> str:
    return printable(text, _LONGEST_WORD)


def _target(text: str) -> str:
    if not _TARGET.fullmatch(text):
        raise ValueError
    return text


class _Reader:
    """Takes fields from the front. Raises BadDelivery where the next one is not what it has to be."""

    def __init__(self, octets: bytes, begins: bytes) -> None:
        if len(octets) > MOST_OCTETS or not octets.startswith(begins):
            raise BadDelivery("delivery: not one of this certkeeper's, or larger than any")
        self._octets, self._at = octets, len(begins)

    def octets(self, most: int) -> bytes:
        begin = self._at + _LENGTH
        length = int.from_bytes(self._octets[self._at : begin])
        if length > most or begin + length > len(self._octets):
            raise BadDelivery(f"delivery: a field of {length} octets, where {most} are the most, or that is cut off")
        self._at = begin + length
        return self._octets[begin : self._at]

    def parsed(self, parse: Callable[[str], T]) -> T:
        octets = self.octets(_LONGEST_WORD)
        try:
            found = parse(octets.decode())
        except (ValueError, InvalidName) as error:
            shown = printable(octets.decode(errors="replace"), 80)
            raise BadDelivery(f"delivery: {shown!r} is not what has to stand there") from error
        if str(found).encode() != octets:
            raise BadDelivery(f"delivery: {printable(str(found), 80)!r} is spelled in another way")
        return found

    def many(self, most: int, parse: Callable[[str], T]) -> tuple[T, ...]:
        return tuple(self.parsed(parse) for _ in range(self.number(most)))

    def number(self, most: int | None = None) -> int:
        text = self.parsed(str)
        if not (text.isascii() and _DIGITS.fullmatch(text)) or (most is not None and int(text) > most):
            raise BadDelivery(f"delivery: {printable(text, 40)!r} is no number, or too large a one")
        return int(text)

    def yes(self) -> bool:
        text = self.parsed(str)
        if text not in {_YES, _NO}:
            raise BadDelivery(f"delivery: {printable(text, 40)!r} is neither {_YES} nor {_NO}")
        return text == _YES

    def end(self) -> None:
        if self._at != len(self._octets):
            raise BadDelivery("delivery: goes on after its end")


def _list(words: Iterable[str]) -> bytes:
    found = [_text(word) for word in words]
    return _text(str(len(found))) + b"".join(found)


def _text(text: str) -> bytes:
    return _octets(text.encode())


def _octets(octets: bytes) -> bytes:
    return len(octets).to_bytes(_LENGTH) + octets
