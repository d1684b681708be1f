"""dns-account-01 (draft-ietf-acme-dns-account-label): dns-01 below a label of the account's own.

So several accounts can prove a name side by side, each with a CNAME of its own.
"""

import base64
import hashlib

from certkeeper.base.names import DnsName

_HASHED = 10
"""Octets of the hash that make the label."""
_BASE = "_acme-challenge"


def account_label(account: str) -> str:
    """The label of the account with that URL (§3.2), in lower case as zones show it."""
    digest = hashlib.sha256(account.encode()).digest()[:_HASHED]
    return "_" + base64.b32encode(digest).decode("ascii").lower()


def dns_account01_owner(domain: DnsName, account: str) -> DnsName:
    """Where the value is looked for; the same for a name and its wildcard. The value is that of dns-01."""
    return domain.child(_BASE).child(account_label(account))
