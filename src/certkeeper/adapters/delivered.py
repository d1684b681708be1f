"""Port Store made of what another user handed over: nothing is on disk, nothing is believed, nothing can be changed.

Certificates and keys are loaded and written anew, so that files of services hold PEM and nothing else. Of OCSP
responses there are only those that the certificate's issuer signed, and that are good now.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NoReturn, cast

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption

from certkeeper.adapters.keys import Private, form_of, parse_foreign
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias
from certkeeper.lineage.leaf import load, parse_leaf
from certkeeper.lineage.model import Draft, Leaf, Lineage, Version, VersionFiles
from certkeeper.lineage.pem import certificates
from certkeeper.ocsp.model import CertStatus, NoStaple
from certkeeper.ocsp.request import issued
from certkeeper.ocsp.response import verified
from certkeeper.plan.delivery import Delivered

_MOST_CERTIFICATES = 20
"""Of one chain."""


class NotTrue(CertkeeperError):
    """What was handed over is not a certificate with its key."""

    label = "handed-over"
    fault = Fault.OPERATOR
    local = True


class OnlyHandedOver(CertkeeperError):
    """What can only be done where the lineage is."""

    label = "handed-over"
    fault = Fault.OPERATOR
    local = True


class DeliveredStore:
    """Implements the port Store, as far as deployments ask. `user` handed it over, a moment before `now`."""

    def __init__(self, delivered: Iterable[Delivered], user: str, now: datetime) -> None:
        self._delivered = {item.alias: item for item in delivered}
        self._user = user
        self._now = now

    def lineage(self, alias: Alias) -> Lineage:
        """The key is looked at where it is deployed. Raises NotTrue."""
        item = self._delivered[alias]
        return Lineage(alias, leaf=self._leaf(item), stamp=item.stamp)

    def version(self, alias: Alias, stamp: int) -> VersionFiles | None:
        """Raises NotTrue, UnusableKey: a service could not load it."""
        item = self._delivered[alias]
        if stamp != item.stamp:
            return None
        leaf, chain = self._leaf(item), self._chain(item)
        key = b""
        if item.privkey:
            pair = parse_foreign(item.privkey, f"{alias}: privkey.pem")
            if pair.key_id != leaf.key_id:
                raise self._not_true(alias, "its key is another certificate's")
            key = _written(cast("Private", pair.private))
        behind = b"".join(chain[1:])
        return VersionFiles(key, b"", chain[0], behind, b"".join(chain), staple=self._staple(item, chain[0], behind))

    def versions(self, alias: Alias) -> tuple[Version, ...]:
        """What is live is the only one, so there is no way back but that of copies. Raises NotTrue."""
        item = self._delivered[alias]
        leaf = self._leaf(item)
        return (Version(item.stamp, leaf.key_id, leaf, live=True),)

    def _staple(self, item: Delivered, cert: bytes, chain: bytes) -> bytes:
        """What is not good is told by that user's runs, and keeps no certificate back."""
        with suppress(NoStaple):
            if item.staple and verified(item.staple, issued(cert, chain), self._now).status is CertStatus.GOOD:
                return item.staple
        return b""

    def _leaf(self, item: Delivered) -> Leaf:
        try:
            return parse_leaf(item.fullchain)
        except CertkeeperError as error:
            raise self._not_true(item.alias, str(error)) from error

    def _chain(self, item: Delivered) -> tuple[bytes, ...]:
        found = certificates(item.fullchain)
        if len(found) > _MOST_CERTIFICATES:
            raise self._not_true(item.alias, f"its chain has {len(found)} certificates")
        try:
            return tuple(load(block).public_bytes(Encoding.PEM) for block in found)
        except CertkeeperError as error:
            raise self._not_true(item.alias, str(error)) from error

    def _not_true(self, alias: Alias, why: str) -> NotTrue:
        return NotTrue(f"{alias}: what user {self._user} hands over is not deployed: {why}", hint="certkeeper heal")

    def activate(self, alias: Alias, stamp: int) -> None:
        """Raises OnlyHandedOver."""
        self._refuse(alias, f"version {stamp} can be made live by user {self._user} only")

    def begin(self, alias: Alias, now_epoch: int) -> Draft:  # noqa: ARG002 - as the others
        self._refuse(alias)

    def save_key(self, draft: Draft, key: KeyPair) -> None:  # noqa: ARG002
        self._refuse(draft.alias)

    def live_key(self, alias: Alias) -> KeyPair:
        self._refuse(alias)

    def next_key(self, alias: Alias) -> KeyPair:
        self._refuse(alias)

    def save_next_key(self, alias: Alias, key: KeyPair) -> None:  # noqa: ARG002
        self._refuse(alias)

    def remove_next_key(self, alias: Alias) -> None:
        self._refuse(alias)

    def stage(self, draft: Draft, files: VersionFiles) -> None:  # noqa: ARG002
        self._refuse(draft.alias)

    def show(self, alias: Alias, stamp: int) -> Mapping[str, str]:  # noqa: ARG002
        self._refuse(alias)

    def discard(self, draft: Draft) -> None:
        self._refuse(draft.alias)

    def _refuse(self, alias: Alias, what: str = "") -> NoReturn:
        raise OnlyHandedOver(f"{alias}: {what or f'its folder is that of user {self._user}, and root leaves it alone'}")


def _written(key: Private) -> bytes:
    return key.private_bytes(Encoding.PEM, form_of(key), NoEncryption())
