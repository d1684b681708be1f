"""Is this chain what was ordered? Key, names, signatures and validity, before anything of it goes live."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from certkeeper.base.errors import printable
from certkeeper.base.malformed import MALFORMED
from certkeeper.base.names import Identifier
from certkeeper.base.times import iso
from certkeeper.lineage.leaf import describe, load, parse_leaf, unreadable
from certkeeper.lineage.model import BadChain, Leaf
from certkeeper.lineage.pem import CERTIFICATE, blocks, certificates

CLOCK_SKEW = timedelta(hours=1)


def check(fullchain: bytes, *, key_id: str, identifiers: Collection[Identifier], now: datetime) -> Leaf:
    """The leaf of a chain that is in order: leaf first, each certificate signed by the next (RFC 8555 §9.1).

    `now` is aware. The chain ends where the CA ended it: whether its last certificate is trusted is not asked here.

    Raises:
        BadChain: with everything that is wrong.
    """
    leaf, chain, mismatches = _load(fullchain)
    if leaf is not None:
        mismatches += _leaf_mismatches(leaf, key_id, identifiers, now)
    mismatches += _chain_mismatches(chain, now)
    if leaf is None or mismatches:
        raise BadChain(mismatches, hint=_hint(leaf, now), answer=fullchain)
    return leaf


def served(chain: Sequence[bytes], now: datetime) -> tuple[Leaf, tuple[str, ...]]:
    """The leaf of a chain that a server sent, in DER, and what is wrong with the order and validity of the chain.

    Raises:
        BadChain: the leaf cannot be read, or there is none.
    """
    if not chain:
        raise BadChain(("the server sent no certificate",))
    loaded: list[x509.Certificate | None] = []
    for position, der in enumerate(chain):
        try:
            loaded.append(x509.load_der_x509_certificate(der))
        except MALFORMED as error:
            if position == 0:
                raise BadChain((unreadable(error),)) from error
            loaded.append(None)
    first = loaded[0]
    if first is None:
        raise TypeError("the leaf was read, or BadChain raised")
    return describe(first), tuple(_chain_mismatches(loaded, now))


def _load(fullchain: bytes) -> tuple[Leaf | None, list[x509.Certificate | None], list[str]]:
    """The leaf, every certificate (None where one cannot be read), and what could not be read."""
    leaf: Leaf | None = None
    chain: list[x509.Certificate | None] = []
    mismatches: list[str] = []
    for position, block in enumerate(certificates(fullchain)):
        try:
            certificate = load(block)
            # Remembered there for those who look at the files later.
            leaf = parse_leaf(block) if position == 0 else leaf
            chain.append(certificate)
        except BadChain as error:
            chain.append(None)
            mismatches += [f"{_ordinal(position)} {mismatch}" for mismatch in error.mismatches]
    mismatches += _text_mismatches(fullchain)
    return leaf, chain, mismatches


def _text_mismatches(fullchain: bytes) -> Iterator[str]:
    found = blocks(fullchain)
    labels = [block.label for block in found]
    if CERTIFICATE not in labels:
        yield "holds no PEM certificate"
    if others := sorted({label for label in labels if label != CERTIFICATE}):
        yield f"holds what is no certificate: {', '.join(others)}"
    # A download that broke off must not pass as a shorter chain.
    if fullchain.count(b"-----BEGIN ") != len(found):
        yield "holds an incomplete PEM block"


def _leaf_mismatches(leaf: Leaf, key_id: str, identifiers: Collection[Identifier], now: datetime) -> Iterator[str]:
    if leaf.key_id != key_id:
        yield f"the leaf's key is {leaf.key_id[:16]}…, ours is {key_id[:16]}…"
    wanted = frozenset(identifiers)
    if missing := wanted - leaf.identifiers:
        yield f"the leaf lacks {_listed(missing)}"
    if extra := leaf.identifiers - wanted:
        yield f"the leaf also names {_listed(extra)}, which was not ordered"
    if leaf.not_after <= leaf.not_before:
        yield f"the leaf is valid for no time at all: from {iso(leaf.not_before)} to {iso(leaf.not_after)}"
    if leaf.not_after <= now:
        yield f"the leaf expired at {iso(leaf.not_after)}"
    if leaf.not_before > now + CLOCK_SKEW:
        yield f"the leaf is not valid before {iso(leaf.not_before)}, and here it is {iso(now)}"
    if leaf.must_staple and leaf.ocsp_url is None:
        yield "the leaf demands a stapled OCSP response but names no responder to get one from"


def _chain_mismatches(chain: Sequence[x509.Certificate | None], now: datetime) -> Iterator[str]:
    for position, certificate in enumerate(chain):
        if certificate is None:
            continue
        if certificate in chain[:position]:
            yield f"{_place(position, certificate)} is in the chain twice"
        if trouble := _wrong_place(certificate, position):
            yield f"{_place(position, certificate)} {trouble}"
        if position and certificate.not_valid_before_utc > now + CLOCK_SKEW:
            yield f"{_place(position, certificate)} is not valid before {iso(certificate.not_valid_before_utc)}"
        if position and certificate.not_valid_after_utc <= now:
            yield f"{_place(position, certificate)} expired at {iso(certificate.not_valid_after_utc)}"
        issuer = chain[position + 1] if position + 1 < len(chain) else None
        if issuer is not None and (trouble := _not_issued_by(certificate, issuer)):
            yield f"{_ordinal(position)} is not signed by {_ordinal(position + 1)} ({trouble})"


def _wrong_place(certificate: x509.Certificate, position: int) -> str:
    """What basic constraints (RFC 5280 §4.2.1.9) say against this place in a chain; empty if nothing."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        # Old roots are of version 1, which has no extensions.
        return "" if not position or certificate.version is x509.Version.v1 else "is no CA's certificate"
    except MALFORMED as error:
        return unreadable(error)
    if not position:
        return "is a CA's certificate" if found.ca else ""
    if not found.ca:
        return "is no CA's certificate"
    between = position - 1
    if found.path_length is not None and found.path_length < between:
        return f"allows {found.path_length} CAs below it, and there are {between}"
    return ""


def _not_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> str:
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return "the signature does not fit"
    except MALFORMED as error:
        return printable(str(error), 120)
    return ""


def _place(position: int, certificate: x509.Certificate) -> str:
    """The leaf's subject is empty as a rule."""
    return f"{_ordinal(position)} ({_subject(certificate)})" if position else _ordinal(position)


def _subject(certificate: x509.Certificate) -> str:
    try:
        return printable(certificate.subject.rfc4514_string(), 120)
    except MALFORMED as error:
        return unreadable(error)


def _ordinal(position: int) -> str:
    return f"certificate {position + 1}" if position else "the leaf"


def _listed(identifiers: Collection[Identifier]) -> str:
    return ", ".join(str(identifier) for identifier in sorted(identifiers))


def _hint(leaf: Leaf | None, now: datetime) -> str:
    if leaf is not None and (leaf.not_before > now + CLOCK_SKEW or leaf.not_after <= now):
        return "see whether this machine's clock is right: timedatectl"
    if leaf is not None and leaf.must_staple and leaf.ocsp_url is None:
        return "this CA has no OCSP responder: set OCSP_MUST_STAPLE=no"
    return "this is not what was ordered: run again later; the next run asks for the same certificate once more"
