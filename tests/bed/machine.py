"""A machine with Debian 13: a folder with a whole system in it, and systemd as its first process.

What is real: systemd with its sandboxes, D-Bus, dpkg and apt. It has processes, mounts and users of its own; the kernel
and its settings are the host's, and the network is the one that it is started in. All that it writes goes into memory.
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from bed import binaries
from bed.waiting import wait_until

DEADLINE = 120.0
_BOOTED = ("running", "degraded")
_NEW = ("--mount", "--pid", "--ipc", "--uts", "--cgroup", "--propagation", "private", "--fork", "--kill-child")
_PROGRAMS = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
# What a container's manager prepares: systemd's own description of it is the Container Interface.
_BOOT = """set -eu
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
root=$1/root
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs none "$root/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 none "$root/run"
mount -t tmpfs -o mode=755 none "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs none "$root/dev/shm"
cat /etc/resolv.conf >"$root/etc/resolv.conf"
hostname machine
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l .old
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin \\
    /usr/lib/systemd/systemd --unit=multi-user.target --show-status=no
"""


class Machine:
    """Booted by its constructor, gone with `stop`. `prefix` is where its network is: a namespace's."""

    def __init__(self, folder: Path, *, prefix: Sequence[str] = ()) -> None:
        system = binaries.cache_folder() / "debian13-clean"
        if not system.is_dir():
            binaries.missing(f"{system} is not here", "scripts/test makes it with the Debian package mmdebstrap")
        if os.geteuid() != 0:
            binaries.missing("a machine needs root", "run the tests as root for this one")
        folder.mkdir(parents=True)
        self._log = folder.with_suffix(".log")
        unshare = binaries.require("unshare")
        with self._log.open("wb") as log:
            self._outside = subprocess.Popen(
                [*prefix, unshare, *_NEW, "sh", "-c", _BOOT, "boot", str(folder), str(system)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._first = wait_until(self._child, "the first process of the machine")
            wait_until(self._booted, "systemd that has booted", deadline=60, poll=0.2)
        except BaseException:
            # Ctrl-C, too: nothing of a machine that did not boot stays behind.
            self.stop()
            raise

    @property
    def root(self) -> Path:
        """Its files, as they are seen from outside."""
        return Path(f"/proc/{self._first}/root")

    def run(self, *words: str, check: bool = True, deadline: float = DEADLINE) -> "subprocess.CompletedProcess[str]":
        """A command of root's on it, to its end; what it prints is in `stdout`, all of it."""
        inside = ("nsenter", "--target", str(self._first), "--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup")
        done = subprocess.run(
            [binaries.require(inside[0]), *inside[1:], "--", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_PROGRAMS,
            check=False,
            timeout=deadline,
        )
        assert not check or done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}"
        return done

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file of root's on it, and its folders."""
        self.run("mkdir", "-p", path.rpartition("/")[0] or "/")
        file = self.root / path.lstrip("/")
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)

    def read(self, path: str) -> str:
        return self.run("cat", path).stdout

    def stop(self) -> None:
        if self._outside.poll() is None:
            # What the first process is killed by takes all others with it.
            child = self._child()
            os.kill(child or self._outside.pid, signal.SIGKILL)
            self._outside.wait(timeout=20)

    def _child(self) -> int | None:
        if self._outside.poll() is not None:
            raise AssertionError(f"no machine: {self._log.read_text(encoding='utf-8', errors='replace')}")
        pid = self._outside.pid
        try:
            found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return None
        return int(found[0]) if found else None

    def _booted(self) -> bool:
        if self._outside.poll() is not None:
            raise AssertionError(f"no machine: {self._log.read_text(encoding='utf-8', errors='replace')}")
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said in _BOOTED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
