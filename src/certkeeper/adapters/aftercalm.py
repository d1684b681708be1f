"""What a calm run tells others: that it was. The page is not read then; what it says of it is kept with the memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from certkeeper import __version__
from certkeeper.base.errors import CertkeeperError


def tell(owed: Mapping[str, Any], now: float, seconds: float) -> Iterator[tuple[str, CertkeeperError]]:
    """Tell all of it; what could not be told, and why. The run ended `now`, after these seconds."""
    if "metrics" in owed:
        from certkeeper.adapters.metricsfile import refresh_metrics  # noqa: PLC0415 - most pages have none

        numbers = {
            "certkeeper_run_timestamp_seconds": str(int(now)),
            "certkeeper_run_duration_seconds": f"{seconds:.3f}",
            "certkeeper_run_exit_code": "0",
            "certkeeper_run_success": "1",
            "certkeeper_good_run_timestamp_seconds": str(int(now)),
        }
        try:
            refresh_metrics(owed["metrics"], numbers)
        except CertkeeperError as error:
            yield "metrics", error
    if "heartbeat" in owed:
        from certkeeper.adapters.heartbeat import beat, from_plain  # noqa: PLC0415 - HTTP is slow to load
        from certkeeper.config.secret import Secret  # noqa: PLC0415 - as above

        url, line = owed["heartbeat"]
        try:
            beat(Secret(url), from_plain(line), f"certkeeper/{__version__}")
        except CertkeeperError as error:
            yield "heartbeat", error
