"""A private network namespace: daemons on real low ports, without touching the machine's."""

import ctypes
import functools
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from bed import binaries

CLONE_NEWNET = 0x40000000
FOLDER = Path("/etc/netns")
P = ParamSpec("P")
T = TypeVar("T")

_numbers = itertools.count(1)


class Namespace:
    """Made by its constructor, with lo up: all of 127/8 is its own. Removed by `stop`.

    `prefix` runs a command inside, with `resolver` in its /etc/resolv.conf. `call` runs Python code inside: sockets
    opened, threads and daemons started by it belong to the namespace for good.
    """

    def __init__(self, *, resolver: str = "127.0.0.1") -> None:
        self._ip = binaries.require("ip")
        if os.geteuid() != 0:
            binaries.missing("a network namespace needs root", "run the tests as root for this one")
        self.name = f"bed-{os.getpid()}-{next(_numbers)}"
        added = subprocess.run([self._ip, "netns", "add", self.name], capture_output=True, text=True, check=False)
        if added.returncode:
            hint = "a container needs CAP_SYS_ADMIN for this"
            binaries.missing(f"no network namespace can be made: {added.stderr.strip()}", hint)
        self.prefix = (self._ip, "netns", "exec", self.name)
        self._folder = FOLDER / self.name
        self._folder_was_missing = not FOLDER.exists()
        self._folder.mkdir(parents=True)
        (self._folder / "resolv.conf").write_text(f"nameserver {resolver}\n", encoding="ascii")
        # one thread, moved into the namespace, that lives as long as the daemons that it starts
        self._inside = ThreadPoolExecutor(1, thread_name_prefix=self.name, initializer=self._enter)
        try:
            subprocess.run([*self.prefix, self._ip, "link", "set", "lo", "up"], capture_output=True, check=True)
        except BaseException:  # an interruption, too, would leave a namespace behind
            self.stop()
            raise

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        handle = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            if libc.setns(handle, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(handle)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._inside.submit(function, *args, **kwargs).result()

    def stop(self) -> None:
        self._inside.shutdown()
        subprocess.run([self._ip, "netns", "del", self.name], capture_output=True, check=True)
        shutil.rmtree(self._folder)
        if self._folder_was_missing and not any(FOLDER.iterdir()):
            FOLDER.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@functools.cache
def without_resolver() -> tuple[str, ...]:
    """What runs a command on a machine that has no resolver, so that no question leaves it, nor waits for an answer.

    Empty where that cannot be had: then this host's resolver is asked about the names of a test, and knows none.
    """
    hide = 'mount --bind /dev/null /etc/resolv.conf && exec "$@"'
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        prefix = ("unshare", *options, "sh", "-c", hide, "sh")
        try:
            if not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
                return prefix
        except OSError:
            break
    return ()


def without(*folders: str) -> tuple[str, ...]:
    """A command prefix: for the command these folders are empty, whatever the machine has in them."""
    there = [folder for folder in folders if Path(folder).is_dir()]
    if not there:
        return ()
    if os.geteuid() != 0:
        binaries.missing(f"{there[0]} can be hidden from a command by root only", "run the tests as root for this one")
    mounts = " && ".join(f"mount -t tmpfs none {folder}" for folder in there)
    return (binaries.require("unshare"), "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh")
