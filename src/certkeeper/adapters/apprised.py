"""ALERT_URLS: messages through apprise, in a process of its own that can be killed.

The URLs hold passwords and tokens: they go there on standard input, and nothing of them is ever told but the scheme.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from certkeeper.adapters.files import explained
from certkeeper.adapters.notify import CLEAN, DEADLINE, AlertFailed
from certkeeper.base.errors import printable
from certkeeper.base.value import dataclass
from certkeeper.config.secret import Secret

_CHILD = "certkeeper.adapters.apprise_child"
_OPEN = 0o037
"""What nobody but the owner, and a group that may read, is to have of a file of URLs."""
_LARGEST = 1 << 20
_AT_ONCE = 8
_WORDS = re.compile(r"[^\s/:@?&=#,;!|]+")
_SHORTEST_SECRET = 3
_WAY = frozenset(
    {"ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "all_proxy", "http_proxy"}
    | {"https_proxy", "no_proxy"}
)
"""What the environment says of how to get to a server."""


@dataclass(frozen=True, slots=True)
class Message:
    """`type` is apprise's word: info, success, warning or failure."""

    url: Secret
    title: str
    body: str
    type: str


def urls_in(path: str) -> Iterator[str]:
    """The URLs in a file, one a line; what begins with # is none.

    Raises:
        AlertFailed: others may read it.
        FileTrouble: it cannot be read.
    """
    with explained(path, "read"):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            mode = os.fstat(fd).st_mode
            content = os.read(fd, _LARGEST).decode(errors="replace")
        finally:
            os.close(fd)
    if mode & _OPEN:
        raise AlertFailed(f"{path}: others can read or change it, and it holds secrets", hint=f"chmod 0600 {path}")
    for line in map(str.strip, content.splitlines()):
        if line and not line.startswith("#"):
            yield line


def send_all(messages: Sequence[Message], deadline: float = DEADLINE) -> Sequence[AlertFailed | None]:
    """Send each; why those failed that did. Nothing of it takes longer than `deadline` (seconds)."""
    if importlib.util.find_spec("apprise") is None:
        missing = AlertFailed(
            "the Python package apprise is not installed",
            hint="pipx inject certkeeper apprise, or: apt install apprise",
        )
        return [missing] * len(messages)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda item: _sent(item, deadline), messages))


def _sent(message: Message, deadline: float) -> AlertFailed | None:
    question = {
        "seconds": deadline,
        "url": message.url.reveal(),
        "title": message.title,
        "body": message.body,
        "type": message.type,
    }
    hint = "try it out: certkeeper alert test"
    try:
        done = subprocess.run(
            # -P: a module in the working directory is no part of us.
            [sys.executable, "-P", "-m", _CHILD],
            input=json.dumps(question).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=deadline,
            check=False,
            env={**CLEAN} | {name: value for name, value in os.environ.items() if name in _WAY},
            cwd="/",
            start_new_session=True,
        )
        said = str(json.loads(done.stdout)["said"])
    except subprocess.TimeoutExpired:
        # Without its cause, which holds the child's input.
        return AlertFailed(f"no answer within {deadline:.0f} s", hint=hint)
    except OSError as error:
        return AlertFailed(f"apprise cannot be started: {(error.strerror or '').lower()}")
    except (ValueError, KeyError, TypeError):
        return AlertFailed("the process of apprise ended without an answer", hint=hint)
    return AlertFailed(printable(_without(message.url.reveal(), said), 300), hint=hint) if said else None


def _without(url: str, text: str) -> str:
    """What apprise says, without any part of the URL: hosts may be tokens, too."""
    parts = {part for part in _WORDS.findall(url.partition("://")[2]) if len(part) >= _SHORTEST_SECRET}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "…")
    return text
