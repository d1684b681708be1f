"""`certkeeper daemon` as systemd starts it: a process of its own, with a socket that it tells what it does."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.waiting import wait_until
from builders.calmpage import calm_page
from builders.page import certkeeper, environment
from certkeeper.cli.compose import open_machine

pytestmark = pytest.mark.real


class Service:
    """The daemon, and all that it told."""

    def __init__(self, page: Path, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._socket.setblocking(False)
        self._output = folder / "output"
        self.told: list[str] = []
        with self._output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "certkeeper", "daemon", "--config", str(page)],
                env={**environment(), "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "20000000"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )

    def heard(self) -> list[str]:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.told += self._socket.recv(4096).decode().splitlines()
        return self.told

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    @property
    def runs(self) -> int:
        return self.output.count("3 certificates, nothing due; next due ")

    @property
    def waits(self) -> bool:
        return self.status.startswith("waiting until ")

    @property
    def status(self) -> str:
        """What systemctl status would show."""
        return next((line[7:] for line in reversed(self.heard()) if line.startswith("STATUS=")), "")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._socket.close()


Start = Callable[[Path], Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    services: list[Service] = []

    def started(page: Path) -> Service:
        services.append(Service(page, tmp_path))
        return services[-1]

    yield started
    for service in services:
        service.close()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return calm_page(tmp_path)


def test_a_service_from_its_start_to_its_end(page: Path, start: Start) -> None:
    service = start(page)
    wait_until(lambda: service.runs == 1 and service.waits, "the first run is over", deadline=60)
    assert service.heard()[0] == "READY=1"
    assert "STATUS=running: started" in service.heard()
    memory = Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
    resident = next(int(line.split()[1]) for line in memory.splitlines() if line.startswith("VmRSS"))
    assert resident < 20_000
    service.signal(signal.SIGUSR1)
    wait_until(lambda: service.runs == 2 and service.waits, "somebody asked for a run", deadline=60)
    service.signal(signal.SIGHUP)
    wait_until(lambda: service.runs == 3 and service.waits, "a run after a reload", deadline=60)
    reloading = service.heard().index("RELOADING=1")
    stamp = int(service.heard()[reloading + 1].removeprefix("MONOTONIC_USEC="))
    assert 0 < time.clock_gettime(time.CLOCK_MONOTONIC) - stamp / 1e6 < 120
    assert "READY=1" in service.heard()[reloading:]
    assert "WATCHDOG=1" in service.heard()
    assert service.end() == 0
    assert service.heard()[-2:] == ["STOPPING=1", "STATUS=stopped"]


def test_a_change_of_the_list_is_seen(page: Path, start: Start) -> None:
    service = start(page)
    wait_until(lambda: service.waits, "the first run is over", deadline=60)
    listed = page.parent / "domains.txt"
    listed.write_text(listed.read_text().replace("c.example www.c.example\n", ""))
    changed = time.monotonic()
    wait_until(lambda: "2 certificates, nothing due" in service.output, "a run has seen it", deadline=90)
    assert time.monotonic() - changed < 60
    assert f"certkeeper: {listed} changed: a run looks at it\n" in service.output
    assert service.end() == 0


def test_a_page_that_is_broken_and_mended(page: Path, start: Start) -> None:
    good = page.read_text()
    page.write_text(f"{good}KEY_ALGO=never\n")
    service = start(page)
    wait_until(lambda: "KEY_ALGO" in service.output and service.waits, "it is told", deadline=60)
    page.write_text(good)
    wait_until(lambda: service.runs == 1, "the mended page is seen", deadline=90)
    assert service.end() == 0


def test_its_end_ends_a_run_under_way(page: Path, start: Start) -> None:
    # As another run would.
    with open_machine(str(page)).lock():
        service = start(page)
        wait_until(lambda: "certkeeper: waiting: " in service.output, "the run waits for the lock", deadline=60)
        assert service.status == "running: started"
        [run] = children_of(service.process.pid)
        assert service.end() == 0
        assert not Path(f"/proc/{run}").exists()
        assert "ending the run under way" in "".join(service.heard())


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def test_a_run_is_told_nothing_that_is_about_the_daemon(page: Path, start: Start, tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\nenv > "{tmp_path}/seen.$1"\n')
    hook.chmod(0o755)
    with page.open("a", encoding="utf-8") as file:
        file.write(f'HOOK="{hook}"\n')
    service = start(page)
    wait_until(lambda: (tmp_path / "seen.exit_hook").exists() and service.waits, "the run is over", deadline=60)
    seen = (tmp_path / "seen.exit_hook").read_text()
    assert "PATH=" in seen
    assert "NOTIFY_SOCKET" not in seen
    assert "WATCHDOG" not in seen
    assert service.end() == 0


def test_what_is_typed_wrong_is_told(tmp_path: Path) -> None:
    done = certkeeper("daemon", "--every", "0", cwd=tmp_path)
    assert (done.code, "'0' is no number of hours from 1 to 24" in done.err) == (2, True)
