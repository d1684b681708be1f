"""ALERT_… and HEARTBEAT_…: who is told how runs end; METRICS_FILE: where it is written down."""

import re

from certkeeper.base.errors import printable
from certkeeper.base.patterns import pattern
from certkeeper.config.findings import Severity
from certkeeper.config.secret import Secret
from certkeeper.config.telling import Telling
from certkeeper.config.values import Values

_ADDRESS = pattern(r"[A-Za-z0-9_=+./][\w.+=/@-]*", re.ASCII)
_URL = pattern(r"https?://[^/\s]+(?:/\S*)?", re.ASCII | re.IGNORECASE)
_MALFORMED = pattern(r"^@|@$|@[.-]|\.\.|\.$|@.*[/+=_]")


def telling(values: Values) -> Telling:
    """All of it.

    Raises:
        ConfigError: an invalid value.
    """
    return Telling(
        alert_mail(values),
        alert_command(values),
        heartbeat(values, "HEARTBEAT_URL"),
        heartbeat(values, "HEARTBEAT_FAIL_URL"),
        metrics_file(values),
        report=_report_file(values),
    )


def alert_mail(values: Values) -> tuple[str, ...]:
    """Mail addresses, or users of this host.

    Raises:
        ConfigError: something that is no address.
    """
    found = tuple(values.text("ALERT_MAIL").replace(",", " ").split())
    for address in found:
        if not _ADDRESS.fullmatch(address) or address.count("@") > 1:
            raise values.error(
                "ALERT_MAIL", f"{printable(address, 80)!r} is no mail address", 'write ALERT_MAIL="root"'
            )
        if _MALFORMED.search(address):
            values.find(
                "alert-mail",
                Severity.WARNING,
                "ALERT_MAIL",
                f"{printable(address, 80)!r} is no complete mail address",
                "no mail reaches anybody there",
                'write ALERT_MAIL="you@example.org", or a user of this machine',
            )
    return found


def alert_command(values: Values) -> tuple[str, ...]:
    """A program and its arguments, with blanks between them; no shell has a look at them.

    Raises:
        ConfigError: it does not begin with an absolute path.
    """
    found = tuple(values.text("ALERT_COMMAND").split())
    if found and not found[0].startswith("/"):
        raise values.error(
            "ALERT_COMMAND",
            f"{printable(found[0], 80)!r} is no absolute path",
            'write ALERT_COMMAND="/usr/local/bin/script"',
        )
    return found


def _report_file(values: Values) -> str:
    """Where the page for browsers is kept.

    Raises:
        ConfigError: it is no absolute path of a file.
    """
    path = values.path("REPORT_FILE", "") if values.text("REPORT_FILE") else ""
    if path and (not path.startswith("/") or path == "/"):
        raise values.error(
            "REPORT_FILE",
            f"{printable(path, 80)!r} is no absolute path",
            'write REPORT_FILE="/var/www/status/index.html"',
        )
    return path


def heartbeat(values: Values, name: str) -> Secret | None:
    """A URL that is asked. Whoever knows it can ask it, too, so it is never shown.

    Raises:
        ConfigError: it is no http or https URL.
    """
    text = values.text(name)
    if not text:
        return None
    if not (_URL.fullmatch(text) and text.isprintable()):
        raise values.error(name, "no http or https URL", f'write {name}="https://hc-ping.com/…"')
    return Secret(text)


def metrics_file(values: Values) -> str:
    """A path, empty where none is wanted.

    Raises:
        ConfigError: it is not absolute, or node_exporter would pass over a file of that name.
    """
    path = values.path("METRICS_FILE", "") if values.has("METRICS_FILE") else ""
    example = 'write METRICS_FILE="/var/lib/prometheus/node-exporter/certkeeper.prom"'
    if path and not path.startswith("/"):
        raise values.error("METRICS_FILE", f"{printable(path, 80)!r} is no absolute path", example)
    if path and not path.endswith(".prom"):
        raise values.error("METRICS_FILE", f"{printable(path, 80)!r} does not end in .prom", example)
    return path
