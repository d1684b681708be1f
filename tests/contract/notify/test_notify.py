"""What systemd hears: our socket, and, as a check of the bed, systemd's own program that does the same."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import binaries
from certkeeper.daemon.notify import NotifySocket, watchdog_seconds


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str, name: str) -> None:
        self.environment = {"NOTIFY_SOCKET": name}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(10)
        self._socket.bind(address)

    def heard(self) -> dict[str, str]:
        lines = self._socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["a path", "an abstract name"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    if request.param == "a path":
        found = Systemd(str(tmp_path / "notify"), str(tmp_path / "notify"))
    else:
        name = f"certkeeper-test-{os.getpid()}-{tmp_path.name}"
        found = Systemd(f"\0{name}", f"@{name}")
    yield found
    found.close()


def test_it_hears_all_that_there_is_to_say(systemd: Systemd) -> None:
    notify = NotifySocket(systemd.environment)
    notify.ready("starting")
    assert systemd.heard() == {"READY": "1", "STATUS": "starting"}
    notify.status("waiting until …")
    assert systemd.heard() == {"STATUS": "waiting until …"}
    notify.alive()
    assert systemd.heard() == {"WATCHDOG": "1"}
    notify.reloading(12.5)
    assert systemd.heard() == {"RELOADING": "1", "MONOTONIC_USEC": "12500000"}
    notify.stopping("stopped")
    assert systemd.heard() == {"STOPPING": "1", "STATUS": "stopped"}


def test_systemd_s_own_program_says_it_in_the_same_words(systemd: Systemd) -> None:
    program = binaries.require("systemd-notify")
    environment = {**os.environ, **systemd.environment}
    subprocess.run([program, "--no-block", "--ready", "--status=starting"], env=environment, check=True, timeout=30)
    theirs = systemd.heard()
    NotifySocket(systemd.environment).ready("starting")
    assert theirs.items() >= systemd.heard().items()


@pytest.mark.parametrize("name", ["", "relative", "/nowhere/at/all", "@nobody-is-there", "vsock:2:1"])
def test_nobody_who_listens_is_no_trouble(name: str, systemd: Systemd) -> None:
    NotifySocket({"NOTIFY_SOCKET": name}).ready("starting")
    NotifySocket({}).stopping("stopped")
    # And it went to nobody else.
    NotifySocket(systemd.environment).ready("here")
    assert systemd.heard()["STATUS"] == "here"


def test_somebody_who_does_not_read_holds_nobody_up(systemd: Systemd) -> None:
    notify = NotifySocket(systemd.environment)
    for _ in range(2000):
        notify.status("x" * 500)
    assert systemd.heard() == {"STATUS": "x" * 500}, "those that fitted are whole"


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_ours_where_it_says_so(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environment) == seconds
