"""The nouns: a lineage, its versions, and the files that make a version."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import dataclass, field


class UnusableKey(CertkeeperError):
    """A private key that cannot be read, or that no CA takes."""

    label = "key-or-chain"
    fault = Fault.OPERATOR
    local = True


class BadChain(CertkeeperError):
    """Certificates that are not what was ordered, do not belong together, or cannot be read.

    Attributes:
        mismatches: everything that is wrong, one line each.
        answer: what they were read from, where somebody may want to look at it.
    """

    label = "key-or-chain"
    fault = Fault.REMOTE

    def __init__(
        self, mismatches: Sequence[str], *, name: str = "certificate chain", hint: str = "", answer: bytes = b""
    ) -> None:
        super().__init__(f"{name}: {'; '.join(mismatches)}", hint=hint)
        self.mismatches = tuple(mismatches)
        self.answer = answer


class KeyPlace(StrEnum):
    """What `privkey.pem` is."""

    ABSENT = "absent"
    PLAIN = "plain"
    """A regular file: the admin copied it in, or an old client wrote it."""
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf certificate says of itself. Instants are aware UTC; `serial` and `authority_key_id` are
    lower-case hex; the latter is the keyIdentifier (RFC 5280 §4.2.1.1), empty where there is none. `key_kind` is the
    kind of key in the words of a KeySpec, empty for one that no KeySpec means.
    """

    key_id: str
    identifiers: frozenset[Identifier]
    not_before: datetime
    not_after: datetime
    serial: str
    issuer: str
    ocsp_url: str | None = None
    must_staple: bool = False
    authority_key_id: str = ""
    key_kind: str = ""


_TEST_ISSUERS = ("(STAGING)", "Fake LE ", "Pebble Intermediate", "Pebble Root")
"""Let's Encrypt's staging, now and in its first years, and Pebble."""


def is_test_issuer(leaf: Leaf) -> bool:
    """Whether the leaf's issuer is one of the test CAs that are known by their names."""
    return any(mark in leaf.issuer for mark in _TEST_ISSUERS)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A name of the page that a certificate was ordered without, since it could not be proven.

    `inputs` is a hash of how it was to be proven then: when that changes, it is worth trying again.
    """

    name: Identifier
    inputs: str
    why: str


@dataclass(frozen=True, slots=True)
class Origin:
    """How a version of ours was ordered: from the CA with that directory URL, with what we asked it for.

    `test`: it was a test CA. `profile` is empty for the CA's default. `dropped` are names that were left out.
    `key_elsewhere`: the request was made by somebody else, who keeps the key.
    """

    ca: str
    profile: str = ""
    must_staple: bool = False
    test: bool = False
    dropped: tuple[Dropped, ...] = ()
    key_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """One certificate's folder as it is on disk.

    `leaf` is None where there is no readable live certificate; `trouble` then says why if a file is there.
    `key_id` is that of `privkey.pem`, None where there is none or it cannot be read (`key_trouble` says why).
    `stamp` is the live version's (epoch seconds), None where the folder is still dehydrated's or a person's.
    `next_key_id` is that of `privkey.roll.pem`, the key of the next certificate; `next_key_trouble` says what is wrong.
    `origin` is None where the live version is not ours, or nothing was written down of it.
    `disagreement` says how cert.pem, chain.pem and fullchain.pem contradict each other, empty where they do not.
    `revoked` is why the live certificate was revoked (a CRLReason), None where we had it not; `compromised`: one with
    the key of `privkey.pem` was revoked because others have that key.
    """

    alias: Alias
    leaf: Leaf | None = None
    trouble: str = ""
    key_place: KeyPlace = KeyPlace.ABSENT
    key_id: str | None = None
    key_trouble: str = ""
    stamp: int | None = None
    disagreement: str = ""
    next_key_id: str | None = None
    next_key_trouble: str = ""
    origin: Origin | None = None
    revoked: int | None = None
    compromised: bool = False

    @property
    def next_key_used(self) -> bool:
        """The next key is the present one: its successor was not made yet."""
        return self.next_key_id is not None and self.next_key_id == self.key_id

    @property
    def key_elsewhere(self) -> bool:
        """The live version has no key of its own. What privkey.pem is then says nothing of it."""
        return self.origin is not None and self.origin.key_elsewhere

    @property
    def torn(self) -> bool:
        """Key and certificate do not belong together, or the certificate's files contradict each other."""
        if self.disagreement or self.key_elsewhere:
            return bool(self.disagreement)
        return self.leaf is not None and self.key_id is not None and self.leaf.key_id != self.key_id

    @property
    def sound(self) -> bool:
        """There is a certificate, its files could be read, and they belong together: there is nothing to mend."""
        if self.trouble or self.key_trouble or self.next_key_trouble or self.torn:
            return False
        return self.leaf is not None and (self.key_id is not None or self.key_elsewhere)


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """The contents of a complete version. `chain` is what follows the leaf; `fullchain` exactly what the CA sent.

    `origin` is not read back. `privkey` is empty where the key is kept elsewhere, `staple` where there is no OCSP
    response; it is not written with the others.
    """

    privkey: bytes = field(repr=False)
    csr: bytes
    cert: bytes
    chain: bytes
    fullchain: bytes
    origin: Origin | None = None
    staple: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a lineage as it is on disk.

    `trouble` says why the version cannot go live, empty where it is whole. `key_id` and `leaf` are what can be read of
    it in any case. `adopted`: it was made of files that dehydrated or a person wrote. `live`: `.live` leads to it.
    `shown`: some link in the lineage's folder leads to a file of it, whatever the way. `origin` is None where nothing
    was written down of it. `revoked` is why its certificate was revoked (a CRLReason), None where we had it not;
    `compromised`: one with its key was revoked because others have that key.
    """

    stamp: int
    key_id: str | None = None
    leaf: Leaf | None = None
    trouble: str = ""
    adopted: bool = False
    live: bool = False
    shown: bool = False
    origin: Origin | None = None
    revoked: int | None = None
    compromised: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A version in the making. `key` is what an earlier, interrupted attempt left in it, if anything."""

    alias: Alias
    stamp: int
    key: KeyPair | None = None
