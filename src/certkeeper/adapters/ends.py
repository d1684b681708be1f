"""STATEDIR/standing.json: when standing records end that were seen, so that nobody has to look just to warn.

A cache: it may be deleted at any time, and a file that is damaged, or of another version, counts as none.
"""

import json
from collections.abc import Mapping
from contextlib import suppress

from certkeeper.adapters.files import Folder
from certkeeper.adapters.state import check_state, make_state
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName

NAME = "standing.json"
SCHEMA = 1
_LARGEST = 16 << 20
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, CertkeeperError)


class EndsFile:
    """The ends, in epoch seconds by owner name, of records that name one account."""

    def __init__(self, statedir: str, account: str) -> None:
        self._statedir = statedir
        self._account = account

    def read(self) -> Mapping[DnsName, int]:
        """All of them; nothing where the file is missing or of no use, or where others may have written it."""
        with suppress(CertkeeperError):
            if not self._account:
                return {}
            check_state(self._statedir)
            with Folder.open(self._statedir) as folder:
                return parse(folder.read(NAME, _LARGEST), self._account)
        return {}

    def keep(self, seen: Mapping[DnsName, int | None]) -> None:
        """Remember these beside those of other names; None is a record without an end, or none.

        Raises:
            CertkeeperError: the folder is not ours alone, or cannot be written to.
        """
        before = self.read() if seen else {}
        ends = {owner: end for owner, end in {**before, **seen}.items() if end is not None}
        if ends != before and self._account:
            with make_state(self._statedir) as folder:
                folder.put(NAME, render(self._account, ends))
                folder.sync()


def render(account: str, ends: Mapping[DnsName, int]) -> bytes:
    """The file's content."""
    by_name = {owner.text: end for owner, end in sorted(ends.items())}
    document = {"version": SCHEMA, "account": account, "ends": by_name}
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def parse(content: bytes, account: str) -> Mapping[DnsName, int]:
    """What such a file says of the account's records; nothing where a part of it is not as it should be."""
    try:
        document = json.loads(content)
        if document["version"] != SCHEMA or document["account"] != account:
            return {}
        ends = {DnsName.parse(name): end for name, end in document["ends"].items()}
    except _UNUSABLE:
        return {}
    return ends if all(type(end) is int for end in ends.values()) else {}
