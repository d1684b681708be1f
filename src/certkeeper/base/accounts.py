"""ACME accounts as they are kept between runs."""

from base64 import urlsafe_b64encode

from certkeeper.base.keys import KeyPair
from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account's key and, once the CA has told it, the account's URL (`kid`, RFC 8555 §6.2).

    `pending` is the key that the account is about to go over to. While it is there, nobody but the CA knows which of
    the two is the account's.
    """

    key: KeyPair
    kid: str | None = None
    pending: KeyPair | None = None


@dataclass(frozen=True, slots=True)
class AccountLook:
    """What can be told of an account without its keys: its URL, once the CA has told it.

    `pending`: it is about to go over to another key.
    """

    kid: str | None = None
    pending: bool = False


def account_folder(ca: str) -> str:
    """Dehydrated's folder name for the CA with that directory URL: unpadded base64url of the URL and a newline."""
    return urlsafe_b64encode(ca.encode() + b"\n").rstrip(b"=").decode("ascii")
