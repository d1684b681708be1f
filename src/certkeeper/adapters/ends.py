"""STATEDIR/standing.json: when standing records end that were seen, so that nobody has to look just to warn.

A cache: it may be deleted at any time, and a file that is damaged, or of another version, counts as none.
"""

import json
from collections.abc import Mapping

from certkeeper.adapters.caches import USELESS, read_cache, write_cache
from certkeeper.base.names import DnsName

NAME = "standing.json"
SCHEMA = 1
_LARGEST = 16 << 20


class EndsFile:
    """The ends, in epoch seconds by owner name, of records that name our accounts: those given, by CA."""

    def __init__(self, statedir: str, accounts: Mapping[str, str]) -> None:
        self._statedir = statedir
        self._accounts = accounts

    def read(self) -> Mapping[str, Mapping[DnsName, int]]:
        """All of them, by CA; none where the file is missing or of no use, or where others may have written it."""
        if not self._accounts:
            return {}
        known = read_cache(self._statedir, NAME, _LARGEST, parse) or {}
        return {ca: known[account] for ca, account in self._accounts.items() if account in known}

    def keep(self, seen: Mapping[str, Mapping[DnsName, int | None]]) -> None:
        """Remember these, by CA, beside those of other names; None is a record without an end, or none.

        Raises:
            CertkeeperError: the folder is not ours alone, or cannot be written to.
        """
        before = self.read() if seen else {}
        ends = {
            ca: {owner: end for owner, end in {**before.get(ca, {}), **seen.get(ca, {})}.items() if end is not None}
            for ca in self._accounts
        }
        if seen and any(ends[ca] != before.get(ca, {}) for ca in ends):
            write_cache(self._statedir, NAME, render({self._accounts[ca]: its for ca, its in ends.items() if its}))


def render(ends: Mapping[str, Mapping[DnsName, int]]) -> bytes:
    """The file's content, for ends by account."""
    by_account = {
        account: {owner.text: end for owner, end in sorted(its.items())} for account, its in sorted(ends.items())
    }
    return json.dumps({"version": SCHEMA, "ends": by_account}, separators=(",", ":")).encode() + b"\n"


def parse(content: bytes) -> Mapping[str, Mapping[DnsName, int]]:
    """What such a file says, by account; nothing where a part of it is not as it should be."""
    try:
        document = json.loads(content)
        if document["version"] != SCHEMA:
            return {}
        found = {
            account: {DnsName.parse(name): end for name, end in ends.items()}
            for account, ends in document["ends"].items()
        }
    except USELESS:
        return {}
    return found if all(type(end) is int for ends in found.values() for end in ends.values()) else {}
