"""The Debian package on a clean Debian 13: what is there after its installation, and what is left when it goes."""

from pathlib import Path

import pytest

from bed.machine import Machine
from integration.packages.conftest import PLACE, REPOSITORY, install

pytestmark = pytest.mark.real

SEED = REPOSITORY / "tests" / "data" / "seed"
DEPENDENCIES = (
    "ca-certificates python3-cryptography python3-dnspython python3-idna python3-openssl python3-rich python3-urllib3"
)
NOT_OURS = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/log", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/root")
"""Where the machine itself, or apt, writes what it does."""


def files(machine: Machine) -> set[str]:
    pruned = " -o ".join(f"-path {path}" for path in NOT_OURS)
    found = machine.run("sh", "-c", rf"find / \( {pruned} \) -prune -o -type f -print -o -type l -print").stdout
    # systemd's own: it notes when timers ran, and who was where.
    return {path for path in found.splitlines() if not path.startswith("/var/lib/systemd/")}


def seed(machine: Machine) -> None:
    for file in ("config", "domains.txt", "certs/mail.example.net/config"):
        machine.write(f"/etc/dehydrated/{file}", (SEED / file).read_text(encoding="utf-8"))
    machine.run("chmod", "600", "/etc/dehydrated/config")


def test_it_is_installed_used_and_removed(machine: Machine) -> None:
    install(machine, *DEPENDENCIES.split())
    before = files(machine)
    install(machine, PLACE)

    version = machine.run("certkeeper", "--version").stdout.split()
    assert version == ["certkeeper", machine.run("dpkg-query", "-Wf", "${Version}", "certkeeper").stdout]
    machine.write("/root/installed", (REPOSITORY / "debian/tests/installed").read_text(encoding="utf-8"), 0o755)
    machine.run("/root/installed")
    assert "certkeeper.timer" not in machine.run("systemctl", "list-timers", "--all").stdout

    seed(machine)
    planned = machine.run("certkeeper", "plan", check=False).stdout
    assert "Traceback" not in planned
    # Nobody answers there, and the list's misspelled name is the page's own.
    assert "http://ns0.example.net:8081" in planned
    assert "example.net" in planned

    machine.run("certkeeper", "timer", "--write")
    machine.run("systemctl", "enable", "certkeeper.timer")
    kept = files(machine) - before
    machine.run("apt-get", "--yes", "purge", "certkeeper")
    after = files(machine)
    assert before <= after
    left = {path for path in after - before if "/certkeeper" in path.removeprefix("/etc/systemd/system")}
    assert left == {path for path in kept if path.startswith("/etc/systemd/system/")} & after
    assert after - before - left == {path for path in kept if path.startswith("/etc/dehydrated/")}
    assert Path(machine.root / "etc/dehydrated/domains.txt").read_bytes() == (SEED / "domains.txt").read_bytes()
