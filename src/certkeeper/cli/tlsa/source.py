"""What TLSA records are made of: a file with a chain or a key, or what a server shows."""

import argparse
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator

from certkeeper.apply.verdict import covers
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import handed_files, look_at, system_clock
from certkeeper.dane.der import checked_spki
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.dane.policy import Use
from certkeeper.dane.proposal import Proposal, of_chain, of_key
from certkeeper.lineage.integrity import served
from certkeeper.lineage.leaf import to_der
from certkeeper.lineage.model import Leaf
from certkeeper.lineage.pem import CERTIFICATE, blocks
from certkeeper.service.endpoint import is_address, parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, Unseen

_PUBLIC_KEY = "PUBLIC KEY"


class UnusableSource(CertkeeperError):
    """Nothing from which a record can be made."""

    label = "tlsa-records"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class Source:
    """`chain` is in DER, the leaf first, and empty where there is only a key; `leaf` is what the first one says.

    `owner` is where the server was that showed it, None of a file. `remarks` are what a person should know of it.
    """

    name: str
    chain: tuple[bytes, ...]
    spki: bytes = b""
    leaf: Leaf | None = None
    owner: TlsaOwner | None = None
    remarks: tuple[str, ...] = ()

    def proposals(self, use: Use) -> tuple[Proposal, ...]:
        return of_chain(self.chain, use) if self.chain else of_key(self.spki, use)

    def lacks(self, owner: TlsaOwner) -> bool:
        """The certificate is not for that host."""
        return self.leaf is not None and not covers(self.leaf.identifiers, owner.host.text)


def source_of(options: argparse.Namespace) -> Source:
    """Read the file, or ask the server.

    Raises:
        CertkeeperError: there is nothing to make records of.
    """
    text = str(options.source)
    return _of_server(text, options.timeout) if "://" in text else _of_file(text)


def _of_file(path: str) -> Source:
    content = handed_files().read(path)
    found = blocks(content)
    try:
        chain = tuple(to_der(block.text) for block in found if block.label == CERTIFICATE)
    except CertkeeperError as error:
        raise UnusableSource(f"{path}: a certificate in it cannot be read: it may be cut off") from error
    if chain:
        return _with_leaf(Source(path, chain))
    labels = {block.label for block in found}
    if _PUBLIC_KEY in labels:
        body = next(block.text for block in found if block.label == _PUBLIC_KEY)
        try:
            return Source(path, (), checked_spki(b64decode(b"".join(body.splitlines()[1:-1]), validate=True)))
        except NotBase64 as error:
            raise UnusableSource(f"{path}: its public key is not base64") from error
    if any(label.endswith("PRIVATE KEY") for label in labels):
        return Source(path, (), handed_files().public_key(path, content))
    what = f", but {printable(' and '.join(sorted(labels)), 80)}" if labels else ""
    raise UnusableSource(
        f"{path}: holds no certificate and no key in PEM{what}",
        hint="name a fullchain.pem or a privkey.pem, or a server: smtp://mail.example.org",
    )


def _of_server(text: str, patience: float) -> Source:
    endpoint = parse_endpoint(text)
    if is_address(endpoint.name):
        raise UnusableSource(f"{text}: an address has no TLSA records", hint="write NAME:PORT@ADDRESS")
    looks = look_at([Contact(endpoint)], patience=patience, ca_bundle=None)
    seen = [look for look in looks if isinstance(look, Handshake) and look.chain]
    unseen = [look for look in looks if isinstance(look, Unseen)]
    if not seen:
        raise UnusableSource(f"{endpoint}: {unseen[0].message if unseen else 'it showed no certificate'}")
    owner = TlsaOwner.parse(f"{endpoint.name}:{endpoint.port}/{Transport.TCP}")
    remarks = [f"{look.address} was not seen: {look.message}" for look in unseen]
    remarks += [
        f"{look.address} shows another certificate than {seen[0].address}: make records for both"
        for look in seen
        if look.chain[0] != seen[0].chain[0]
    ]
    return _with_leaf(Source(str(endpoint), seen[0].chain, owner=owner, remarks=tuple(remarks)))


def _with_leaf(source: Source) -> Source:
    """What its certificates say, and what is wrong with their order.

    Raises:
        UnusableSource: the first one is not the server's.
        BadChain: it cannot be read.
    """
    now = system_clock().now()
    leaf, mismatches = served(source.chain, now)
    if len(source.chain) > 1 and any(item.startswith("the leaf is not signed by") for item in mismatches):
        raise UnusableSource(
            f"{source.name}: certificates in the wrong order: the first one is not signed by the second one",
            hint="put the server's certificate first, then its issuer's: fullchain.pem is in that order",
        )
    remarks = (*source.remarks, *mismatches, *_dates(leaf, expired=leaf.not_after <= now))
    return Source(source.name, source.chain, b"", leaf, source.owner, remarks)


def _dates(leaf: Leaf, *, expired: bool) -> Iterator[str]:
    if expired:
        yield f"the certificate expired at {iso(leaf.not_after)}"
