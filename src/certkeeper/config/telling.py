"""Who is told how runs end, and what is written down of it."""

from datetime import timedelta

from certkeeper.base.value import dataclass
from certkeeper.config.secret import Secret


@dataclass(frozen=True, slots=True)
class Telling:
    """What a page says of it; nobody is told where it says nothing.

    `mail` are addresses, `command` is a program with its arguments, `urls` and those in `urls_file` are apprise's.
    `margin`: how long before its end a certificate is worth a word. `summary`: how often all of it is told.
    `heartbeat` is a URL that is asked after a run over the whole page that ended well, `heartbeat_fail` one after
    another run. `metrics_file` is for Prometheus. `report` is the page for browsers, empty
    where runs make none.
    """

    mail: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    urls: tuple[Secret, ...] = ()
    urls_file: str = ""
    margin: timedelta = timedelta(days=10)
    summary: timedelta | None = None
    heartbeat: Secret | None = None
    heartbeat_fail: Secret | None = None
    metrics_file: str = ""
    report: str = ""

    @property
    def alerts(self) -> bool:
        """Somebody wants to be told of failures."""
        return bool(self.mail or self.command or self.urls or self.urls_file)


NOBODY = Telling()
