"""Headless Chromium, spoken to through its debugging pipe: what a page shows, asks for, and complains of."""

import base64
import contextlib
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bed import binaries
from bed.process import dies_with_us

DEADLINE = 60.0


class BrowserError(RuntimeError):
    """It said no, or nothing."""


@dataclass
class Visit:
    """What came of opening a page. `complaints` are what a developer's console would show."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Browser:
    """One browser with one tab."""

    def __init__(self, folder: Path) -> None:
        program = binaries.require("chromium")
        self._numbers = 0
        self._events: list[Mapping[str, Any]] = []
        self._rest = b""
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # The pipes are its descriptors 3 and 4. In a container, and as root, its sandbox cannot be set up.
        words = [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
        words += [f"--user-data-dir={folder}", "--disable-background-networking", "--hide-scrollbars", "about:blank"]
        shell = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
        self._child = subprocess.Popen(
            [*dies_with_us(), "bash", "-c", shell, "chromium", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(to_browser, from_browser),
            env={**os.environ, "HOME": str(folder)},
        )
        os.close(to_browser)
        os.close(from_browser)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Audits", "Accessibility"):
            self.tab(f"{domain}.enable")

    def tab(self, method: str, **words: object) -> Mapping[str, Any]:
        """The same, about the tab."""
        return self.ask(method, _session=self._session, **words)

    def ask(self, method: str, *, _session: str = "", **words: object) -> Mapping[str, Any]:
        """One command of the DevTools protocol, and its answer."""
        self._numbers += 1
        message: dict[str, object] = {"id": self._numbers, "method": method, "params": words}
        if _session:
            message["sessionId"] = _session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._numbers:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: Mapping[str, Any] = answer["result"]
                return result
            self._events.append(answer)
        raise BrowserError(f"{method}: no answer")

    def visit(self, url: str) -> Visit:
        """Open it, and wait until it is loaded and quiet."""
        self._events.clear()
        self.tab("Page.navigate", url=url)
        for event in self._messages():
            self._events.append(event)
            if event.get("method") == "Page.loadEventFired":
                break
        # Whatever it is still about to tell comes before the answer to this.
        self.tab("Runtime.evaluate", expression="new Promise(done => setTimeout(done, 100))", awaitPromise=True)
        return self._seen()

    def _seen(self) -> Visit:
        seen = Visit()
        for event in self._events:
            words = event.get("params", {})
            match event.get("method"):
                case "Network.requestWillBeSent":
                    seen.requests.append(words["request"]["url"])
                case "Log.entryAdded":
                    seen.complaints.append(words["entry"]["text"])
                case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Audits.issueAdded":
                    seen.complaints.append(json.dumps(words))
                case _:
                    pass
        return seen

    def value(self, expression: str) -> object:
        """What a line of JavaScript says of the page."""
        said: object = self.tab("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")
        return said

    def looks(self, *, width: int, height: int = 900, dark: bool = False, phone: bool = False) -> None:
        """What the page is shown on."""
        self.tab("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tab("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        image = self.tab("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(image))

    def tree(self) -> list[Mapping[str, Any]]:
        """What it tells to screen readers."""
        nodes: list[Mapping[str, Any]] = self.tab("Accessibility.getFullAXTree")["nodes"]
        return [node for node in nodes if not node.get("ignored")]

    def _messages(self) -> Iterator[Mapping[str, Any]]:
        """As they come, until the deadline."""
        until = time.monotonic() + DEADLINE
        while True:
            while b"\0" in self._rest:
                message, _, self._rest = self._rest.partition(b"\0")
                yield json.loads(message)
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise BrowserError("nothing came from the browser")
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise BrowserError("the browser ended")
            self._rest += piece

    def close(self) -> None:
        with contextlib.suppress(BrowserError, OSError):
            self.ask("Browser.close")
        for pipe in (self._in, self._out):
            os.close(pipe)
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
