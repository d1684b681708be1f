"""Port Materials: the certificates and keys of lineages, as records are made of them."""

import ssl
from collections.abc import Collection
from contextlib import suppress

from certkeeper.adapters.files import FileMissing, read_file
from certkeeper.adapters.keys import public_key_of
from certkeeper.apply.daneports import Material
from certkeeper.apply.ports import Staples, Store
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import Alias
from certkeeper.dane.chain import no_authority
from certkeeper.lineage.model import Lineage
from certkeeper.lineage.pem import certificates

_HINT = "put the certificates of the CA's intermediates there, in PEM, as the CA announces them"


class BadIssuers(CertkeeperError):
    """A file of TLSA_ISSUERS that is not as it should be. No record is made of a part of it."""

    label = "configuration"
    fault = Fault.OPERATOR


class StoredMaterials:
    """Implements the port Materials over the files of CERTDIR."""

    def __init__(self, store: Store, live: Staples) -> None:
        self._store = store
        self._live = live

    def of(self, alias: Alias, lineage: Lineage) -> Material | None:
        found = self._live.read(alias)
        if found is None:
            return None
        return Material(_der(found.cert) + _der(found.chain), self._next_key(alias, lineage))

    def key_ids(self, alias: Alias) -> frozenset[str]:
        with suppress(CertkeeperError):
            versions = self._store.versions(alias)
            return frozenset(item.leaf.key_id for item in versions if item.leaf is not None)
        return frozenset()

    def issuers(self, paths: Collection[str]) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(der for path in paths for der in _issuers(path)))

    def version(self, alias: Alias, stamp: int) -> tuple[bytes, ...] | None:
        files = self._store.version(alias, stamp)
        return _der(files.fullchain) if files is not None else None

    def _next_key(self, alias: Alias, lineage: Lineage) -> bytes | None:
        if lineage.next_key_id is None or lineage.next_key_used:
            return None
        try:
            return public_key_of(self._store.next_key(alias).pem, f"the next key of {alias}")
        except CertkeeperError:
            # What is wrong with it is told where a certificate is ordered; nothing is published of it.
            return None


def _issuers(path: str) -> tuple[bytes, ...]:
    """The certificates of one file.

    Raises:
        CertkeeperError: it cannot be read, or one of them is no CA's.
    """
    try:
        found = _der(read_file(path))
    except FileMissing as error:
        raise BadIssuers(f"TLSA_ISSUERS: {path} is not there", hint=_HINT) from error
    except ValueError as error:
        raise BadIssuers(f"TLSA_ISSUERS: {path}: a certificate in it cannot be read", hint=_HINT) from error
    if not found:
        raise BadIssuers(f"TLSA_ISSUERS: {path} holds no certificate in PEM", hint=_HINT)
    for number, der in enumerate(found, 1):
        if trouble := no_authority(der):
            raise BadIssuers(f"TLSA_ISSUERS: {path}: certificate {number} {trouble}", hint=_HINT)
    return found


def _der(pem: bytes) -> tuple[bytes, ...]:
    """Raises ValueError where a block is none."""
    return tuple(ssl.PEM_cert_to_DER_cert(block.decode("ascii")) for block in certificates(pem))
