"""How runs are told of beyond the terminal: the heartbeat."""

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
    url = settings.telling.heartbeat
    if url is None:
        return {}
    from certkeeper.adapters import heartbeat  # noqa: PLC0415 - as above

    return {"heartbeat": (url.reveal(), heartbeat.as_plain(_line(settings)))}


def _line(settings: Settings) -> "Line":
    from certkeeper.adapters.http import Line  # noqa: PLC0415 - as above

    return Line(settings.ca_bundle, transport=settings.transport)
