"""How runs are told of beyond the terminal: the heartbeat, and METRICS_FILE."""

from collections.abc import Mapping, Sequence

from certkeeper.cli.compose.equipment import USER_AGENT
from certkeeper.config.secret import Secret
from certkeeper.config.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.adapters.apprised import Message
    from certkeeper.adapters.http import Line
    from certkeeper.adapters.notify import Sender
    from certkeeper.adapters.toldfile import ToldFile
    from certkeeper.base.errors import CertkeeperError


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


def told_file(settings: Settings) -> "ToldFile":
    """What somebody was told."""
    from certkeeper.adapters.toldfile import ToldFile  # noqa: PLC0415 - only where alerts are asked for

    return ToldFile(settings.statedir)


def sender() -> "Sender":
    """What sends alerts by mail and through a command."""
    from certkeeper.adapters.notify import Sender  # noqa: PLC0415 - as above

    return Sender()


def alert_urls(path: str) -> tuple[str, ...]:
    """What a file of such URLs holds.

    Raises:
        CertkeeperError: it cannot be read, or others may read it.
    """
    from certkeeper.adapters.apprised import urls_in  # noqa: PLC0415 - few pages have one

    return tuple(urls_in(path))


def send_to_urls(messages: "Sequence[Message]") -> "Sequence[CertkeeperError | None]":
    """Send each through apprise; why those failed that did."""
    from certkeeper.adapters.apprised import send_all  # noqa: PLC0415 - as above

    return send_all(messages)


def message(url: Secret, title: str, body: str, type_: str) -> "Message":
    from certkeeper.adapters.apprised import Message  # noqa: PLC0415 - as above

    return Message(url, title, body, type_)


def _line(settings: Settings) -> "Line":
    from certkeeper.adapters.http import Line  # noqa: PLC0415 - as above

    return Line(settings.ca_bundle, transport=settings.transport)
