"""What a calm run tells others: that it was. The page is not read then; what it says of it is kept with the memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from certkeeper import __version__
from certkeeper.base.errors import CertkeeperError


def tell(owed: Mapping[str, Any]) -> Iterator[tuple[str, CertkeeperError]]:
    """Tell all of it; what could not be told, and why."""
    if "heartbeat" in owed:
        from certkeeper.adapters.heartbeat import beat, from_plain  # noqa: PLC0415 - HTTP is slow to load
        from certkeeper.config.secret import Secret  # noqa: PLC0415 - as above

        url, line = owed["heartbeat"]
        try:
            beat(Secret(url), from_plain(line), f"certkeeper/{__version__}")
        except CertkeeperError as error:
            yield "heartbeat", error
