"""ALERT_… and HEARTBEAT_…: who is told how runs end; METRICS_FILE: where it is written down."""

import re
from datetime import timedelta

from certkeeper.base.errors import printable
from certkeeper.base.patterns import pattern
from certkeeper.config.findings import Severity
from certkeeper.config.secret import Secret
from certkeeper.config.telling import Telling
from certkeeper.config.values import Values

_ADDRESS = pattern(r"[A-Za-z0-9_=+./][\w.+=/@-]*", re.ASCII)
_URL = pattern(r"https?://[^/\s]+(?:/\S*)?", re.ASCII | re.IGNORECASE)
_APPRISE = pattern(r"[A-Za-z][A-Za-z0-9_+.-]*://\S+", re.ASCII)
_PERIODS = {"daily": 1, "weekly": 7, "monthly": 30}
_LONGEST = 366
_METRICS_EXAMPLE = "/var/lib/prometheus/node-exporter/certkeeper.prom"
_DIGITS = 4
_MALFORMED = pattern(r"^@|@$|@[.-]|\.\.|\.$|@.*[/+=_]")


def telling(values: Values) -> Telling:
    """All of it.

    Raises:
        ConfigError: an invalid value.
    """
    return Telling(
        alert_mail(values),
        alert_command(values),
        alert_urls(values),
        _absolute(values, "ALERT_URLS_FILE", "/etc/certkeeper/alert-urls"),
        timedelta(days=values.number("ALERT_DAYS", 10, 1, 366)),
        alert_summary(values),
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


def alert_urls(values: Values) -> tuple[Secret, ...]:
    """Apprise's URLs, which hold passwords and tokens.

    Raises:
        ConfigError: something that is no URL; it is not shown.
    """
    found = tuple(values.text("ALERT_URLS").split())
    for at, url in enumerate(found, 1):
        if not _APPRISE.fullmatch(url):
            raise values.error(
                "ALERT_URLS",
                f"the word at place {at} is no URL",
                'write ALERT_URLS="ntfys://TOPIC", as on https://appriseit.com',
            )
    return tuple(Secret(url) for url in found)


def alert_summary(values: Values) -> timedelta | None:
    """How often everything is told; None: never.

    Raises:
        ConfigError: neither a word for it nor a number of days.
    """
    text = values.text("ALERT_SUMMARY").strip().lower()
    if text in {"", "no"}:
        return None
    days = _PERIODS.get(text) or (int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0)
    if not 0 < days <= _LONGEST:
        raise values.error(
            "ALERT_SUMMARY",
            f"{printable(text, 40)!r} is neither daily, weekly, monthly nor a number of days up to {_LONGEST}",
            'write ALERT_SUMMARY="weekly"',
        )
    return timedelta(days=days)


def _absolute(values: Values, name: str, example: str) -> str:
    path = values.path(name, "") if values.has(name) else ""
    if path and not path.startswith("/"):
        raise values.error(name, f"{printable(path, 80)!r} is no absolute path", f'write {name}="{example}"')
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
    path = _absolute(values, "METRICS_FILE", _METRICS_EXAMPLE)
    if path and not path.endswith(".prom"):
        raise values.error(
            "METRICS_FILE", f"{printable(path, 80)!r} does not end in .prom", f'write METRICS_FILE="{_METRICS_EXAMPLE}"'
        )
    return path
