"""`certkeeper tlsa generate`."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.value import dataclass
from certkeeper.cli.documents import write_document
from certkeeper.cli.tlsa.source import Source, source_of
from certkeeper.dane.owner import TlsaOwner
from certkeeper.dane.policy import Use, Weight, object_to, use_of
from certkeeper.dane.proposal import Proposal, to_publish
from certkeeper.dane.tlsa import Tlsa, TlsaType, publishable

_USAGES = ("PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE")


class RefusedTypes(CertkeeperError):
    """Types that nobody would look at, or that cannot be made."""

    label = "tlsa-records"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class _Listing:
    """The records for one owner: all that can be made, and those of them that are to be published."""

    owner: TlsaOwner | None
    proposals: tuple[Proposal, ...]
    published: tuple[Tlsa, ...]
    covered: bool


def generate(options: argparse.Namespace) -> int:
    """Print the records; nothing is published.

    Raises:
        CertkeeperError: there is nothing to make them of, or what is asked for must not be published.
    """
    owners = list(dict.fromkeys(TlsaOwner.parse(text) for text in options.owners))
    types = list(dict.fromkeys(TlsaType.parse(word) for word in options.types.replace(",", " ").split()))
    source = source_of(options)
    if not owners and source.owner is not None:
        owners = [source.owner]
    if options.powerdns and not owners:
        raise RefusedTypes("PowerDNS wants names", hint=f"write HOST:PORT behind {source.name}: mail.example.org:25")
    listings = [_listing(source, owner, types) for owner in owners or (None,)]
    for remark in _remarks(source, listings, types):
        sys.stderr.write(f"certkeeper: warning: {remark}\n")
    if options.json:
        owned = [_document(item, options.ttl) for item in listings]
        write_document("tlsa-generate", {"source": source.name, "owners": owned})
    elif options.powerdns:
        rrsets = [_rrset(item, options.ttl) for item in listings]
        sys.stdout.write(json.dumps({"rrsets": rrsets}, indent=2) + "\n")
    else:
        for line in _zone_lines(source, listings, options.ttl):
            sys.stdout.write(f"{line}\n")
    return ExitCode.DONE


def _listing(source: Source, owner: TlsaOwner | None, types: Sequence[TlsaType]) -> _Listing:
    use = use_of(owner.port) if owner is not None else Use.OTHER
    for objection in object_to(types, use, renewed=True):
        if objection.weight is Weight.REFUSED:
            raise RefusedTypes(f"TLSA type {objection.type} at {owner}: {objection.reason}", hint=objection.hint)
    proposals = source.proposals(use)
    published = publishable(to_publish(proposals, types))
    for kind in types:
        if not any(record.type == kind for record in published):
            what = "its issuer's certificate" if not kind.of_the_leaf else "the certificate"
            raise RefusedTypes(f"{source.name}: no {kind} record without {what}", hint="name a fullchain.pem")
    return _Listing(owner, proposals, published, owner is None or not source.lacks(owner))


def _remarks(source: Source, listings: Sequence[_Listing], types: Sequence[TlsaType]) -> Iterator[str]:
    yield from source.remarks
    for item in listings:
        use = use_of(item.owner.port) if item.owner is not None else Use.OTHER
        for objection in object_to(types, use, renewed=True):
            yield f"TLSA type {objection.type}: {objection.reason}; {objection.hint}"
        if not item.covered and item.owner is not None and source.leaf is not None:
            names = ", ".join(sorted(str(name) for name in source.leaf.identifiers)[:3]) or "no name at all"
            yield (
                f"{item.owner}: the certificate is not for {item.owner.host}, but for {names}; "
                "clients look at that for all types but 3 x x"
            )


def _zone_lines(source: Source, listings: Sequence[_Listing], ttl: int) -> Iterator[str]:
    """A zone file: what is to be published stands there, all else is a comment."""
    for number, item in enumerate(listings):
        if number:
            yield ""
        name = item.owner.name.absolute if item.owner is not None else "_PORT._tcp.HOST."
        yield f"; {item.owner or 'no owner: write HOST:PORT behind the file'}, from {source.name}"
        for proposal in item.proposals:
            usage = _USAGES[proposal.record.usage]
            yield f"; {usage} of {_shown(proposal)}: {proposal.advice.advised}: {'; '.join(proposal.advice.reasons)}"
            active = item.owner is not None and proposal.record in item.published
            yield f"{'' if active else '; '}{name} {ttl} IN TLSA {proposal.record}"


def _shown(proposal: Proposal) -> str:
    return f"certificate {proposal.position + 1}" if proposal.position else "the leaf"


def _rrset(item: _Listing, ttl: int) -> dict[str, object]:
    """As PowerDNS's API takes it (PATCH of a zone): it replaces the RRset as a whole."""
    return {
        "name": item.owner.name.absolute if item.owner is not None else "",
        "type": "TLSA",
        "ttl": ttl,
        "changetype": "REPLACE",
        "records": [{"content": str(record), "disabled": False} for record in item.published],
    }


def _document(item: _Listing, ttl: int) -> dict[str, object]:
    return {
        "owner": item.owner.name.text if item.owner is not None else None,
        "ttl": ttl,
        "covered": item.covered,
        "records": [
            {
                "content": str(proposal.record),
                "type": proposal.record.type.word,
                "certificate": proposal.position,
                "advised": proposal.advice.advised.value,
                "reasons": list(proposal.advice.reasons),
                "published": proposal.record in item.published,
            }
            for proposal in item.proposals
        ],
    }
