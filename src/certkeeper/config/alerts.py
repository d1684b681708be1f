"""ALERT_MAIL and ALERT_COMMAND: who is told when something needs a person."""

import re

from certkeeper.base.errors import printable
from certkeeper.base.patterns import pattern
from certkeeper.config.findings import Severity
from certkeeper.config.values import Values

_ADDRESS = pattern(r"[A-Za-z0-9_=+./][\w.+=/@-]*", re.ASCII)
_MALFORMED = pattern(r"^@|@$|@[.-]|\.\.|\.$|@.*[/+=_]")


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
