"""The process in which apprise sends one message: that on standard input, one answer on standard output, both JSON.

{"seconds", "url", "title", "body", "type"}     what is to be sent
{"said"}                                        empty where it was taken
"""

import json
import logging
import math
import os
import signal
import sys
from collections.abc import Mapping

import apprise


class _Listening(logging.Handler):
    """What apprise warns of is why it fails."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.said = self.said or record.getMessage()


def main() -> int:
    # What a service's module prints must not get between us and the one who asks.
    answers = os.dup(1)
    os.dup2(2, 1)
    message = json.load(sys.stdin)
    # Should nobody be left to stop us, we end by ourselves.
    signal.alarm(math.ceil(message["seconds"]) + 1)
    listening = _Listening()
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(listening)
    try:
        said = _send(message, listening)
    except Exception as error:  # noqa: BLE001 - a hundred services, each with its own exceptions
        said = f"{error}" or type(error).__name__
    os.write(answers, json.dumps({"said": said}).encode())
    return 0


def _send(message: Mapping[str, str], listening: _Listening) -> str:
    service = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    if not service.add(message["url"]):
        return "it is no URL that apprise knows"
    taken = service.notify(message["body"], message["title"], apprise.NotifyType(message["type"]))
    return "" if taken else listening.said or "it was not taken"


if __name__ == "__main__":
    sys.exit(main())
