"""Runs that stand still in the middle until the test lets them go on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from bed.faults import HoleyDns
from bed.waiting import wait_until
from bed.world import World
from builders.page import Page


class Held:
    """A page whose runs publish their records and then wait: one name server does not know some challenge names."""

    def __init__(self, folder: Path, world: World, names: Iterable[str], *lines: str, **settings: str) -> None:
        """`names`: those whose certificates cannot be had before `let_go`."""
        self.world = world
        self._owners = [f"_acme-challenge.{name}" for name in names]
        self._holes = set(self._owners)
        self._server = HoleyDns(world.primary.dns, self._owners)
        address, port = self._server.dns
        servers = f"{address}:{port} {world.secondary.server}"
        self.page = Page(folder, world, *lines, **{"NAMESERVERS": servers, "PDNS_WAIT": "60", **settings})
        self.state = folder / "state"

    def await_published(self, *names: str) -> None:
        """The records of these names; of all that are waited for, where none is said."""
        for owner in [f"_acme-challenge.{name}" for name in names] or self._owners:
            wait_until(lambda name=owner: self.world.primary.txt(name), f"{owner} is published")  # type: ignore[misc]

    def let_go(self) -> None:
        self._server._holes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
