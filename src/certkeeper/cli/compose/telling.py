"""How runs are told of beyond the terminal: the heartbeat, and METRICS_FILE."""

from collections.abc import Mapping

from certkeeper.cli.compose.equipment import USER_AGENT
from certkeeper.config.secret import Secret
from certkeeper.config.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.adapters.http import Line


def beat(url: Secret, settings: Settings) -> None:
    """Ask the operator's URL.

    Raises:
        CertkeeperError: it did not answer well.
    """
    from certkeeper.adapters import heartbeat  # noqa: PLC0415 - few pages have one, and HTTP is slow to load

    heartbeat.beat(url, _line(settings), USER_AGENT)


def owed(settings: Settings) -> Mapping[str, object]:
    """What each run tells, a calm one, too, as plain values: see `adapters/aftercalm.py`."""
    telling = settings.telling
    told: dict[str, object] = {"metrics": telling.metrics_file} if telling.metrics_file else {}
    if telling.heartbeat is not None:
        from certkeeper.adapters import heartbeat  # noqa: PLC0415 - as above

        told["heartbeat"] = (telling.heartbeat.reveal(), heartbeat.as_plain(_line(settings)))
    return told


def write_metrics(path: str, text: str) -> None:
    """Put METRICS_FILE in its place.

    Raises:
        CertkeeperError: it cannot be written, or is somebody else's.
    """
    from certkeeper.adapters import metricsfile  # noqa: PLC0415 - few pages have one

    metricsfile.write_metrics(path, text)


def _line(settings: Settings) -> "Line":
    from certkeeper.adapters.http import Line  # noqa: PLC0415 - as above

    return Line(settings.ca_bundle, transport=settings.transport)
