"""The ways that alerts go. Each has a memory of its own: one that is down is told later, and the others once."""

import hashlib
import os
from collections.abc import Mapping, Sequence

from certkeeper import __version__
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.value import dataclass
from certkeeper.cli.compose.telling import alert_urls, message, send_to_urls, sender
from certkeeper.cli.pageform import in_form
from certkeeper.config.secret import Secret
from certkeeper.config.settings import Settings
from certkeeper.plan.alerts import Alert, Kind, Trouble

TEST = "test"
_WARNING = frozenset({Kind.EXPIRING, Kind.BLOCKED})


@dataclass(frozen=True, slots=True)
class Way:
    """One of them. `key` is what it is remembered by; `url` is apprise's, `broken` why it cannot even be tried."""

    key: str
    name: str
    url: Secret | None = None
    broken: CertkeeperError | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be told: a title, lines for people, and a document for programs. `type` is apprise's word for it."""

    title: str
    lines: Sequence[str]
    document: Mapping[str, object]
    type: str = "info"


def ways_of(settings: Settings) -> tuple[Way, ...]:
    """All that the page sets."""
    telling = settings.telling
    ways = [Way("mail", f"to {', '.join(telling.mail)}")] if telling.mail else []
    ways += [Way("command", f"through {telling.command[0]}")] if telling.command else []
    ways += [_of_url(url, at, "ALERT_URLS") for at, url in enumerate(telling.urls, 1)]
    if telling.urls_file:
        try:
            found = alert_urls(telling.urls_file)
            ways += [_of_url(Secret(url), at, telling.urls_file) for at, url in enumerate(found, 1)]
        except CertkeeperError as error:
            ways.append(Way("urls-file", f"to the URLs in {telling.urls_file}", broken=error))
    return tuple({way.key: way for way in ways}.values())


def send(letters: Mapping[Way, Letter], settings: Settings) -> Mapping[Way, CertkeeperError]:
    """Each letter its way; why those failed that did."""
    failed = {way: way.broken for way in letters if way.broken is not None}
    for way, letter in letters.items():
        try:
            if way.key == "mail":
                sender().send_mail(settings.telling.mail, _head(letter), [*letter.lines, "", _see(settings)])
            elif way.key == "command":
                sender().call(settings.telling.command, letter.document)
        except CertkeeperError as error:
            failed[way] = error
    to_urls = [(way, way.url, letter) for way, letter in letters.items() if way.url is not None]
    if to_urls:
        messages = [message(url, _head(letter), "\n".join(letter.lines), letter.type) for _, url, letter in to_urls]
        answers = zip(to_urls, send_to_urls(messages), strict=True)
        failed |= {way: trouble for (way, _, _), trouble in answers if trouble is not None}
    return failed


def letter_of(alert: Alert, settings: Settings, *, test: bool = False) -> Letter:
    """An alert as it is sent."""
    everything = (*alert.troubles, *alert.still)
    document = {
        **heading(alert.title, settings, test=test),
        "troubles": [_trouble(item, new=item in alert.troubles) for item in everything],
        "recovered": list(alert.recovered),
        "summary": None,
    }
    soft = all(item.kind in _WARNING for item in alert.troubles)
    type_ = "success" if not alert.troubles else "warning" if soft else "failure"
    return Letter(TEST if test else alert.title, lines_of(alert), document, "info" if test else type_)


def heading(title: str, settings: Settings, *, test: bool = False) -> Mapping[str, object]:
    """What every document for programs begins with."""
    return {
        "version": __version__,
        "host": os.uname().nodename,
        "config": settings.config_file,
        "test": test,
        "title": title,
    }


def lines_of(alert: Alert) -> Sequence[str]:
    """The body of a mail: what changed first."""
    lines = [line for item in alert.troubles for line in trouble_lines(item)]
    lines += [f"{key}: in order again" for key in alert.recovered]
    if alert.still:
        lines += ["", "As before:"]
        lines += [line for item in alert.still for line in trouble_lines(item)]
    return lines


def trouble_lines(item: Trouble) -> Sequence[str]:
    hint = [f"    hint: {in_form(item.hint)}"] if item.hint else []
    return [f"{item.subject}: {in_form(item.message)}", *hint, f"    what it means: certkeeper explain {item.label}"]


def _trouble(item: Trouble, *, new: bool) -> Mapping[str, object]:
    return {
        "id": item.label,
        "subject": item.subject,
        "kind": item.kind.value,
        "new": new,
        "message": in_form(item.message),
        "hint": in_form(item.hint),
    }


def _of_url(url: Secret, at: int, where: str) -> Way:
    scheme = url.reveal().partition("://")[0]
    digest = hashlib.sha256(url.reveal().encode()).hexdigest()
    return Way(f"url:{digest[:16]}", f"to URL {at} of {where} ({scheme}://…)", url)


def _head(letter: Letter) -> str:
    return f"certkeeper on {os.uname().nodename}: {letter.title}"


def _see(settings: Settings) -> str:
    return f"See: certkeeper status --config {settings.config_file}"
