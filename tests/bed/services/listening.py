"""What servers of the bed have in common: one process, ports by the word of their service, an orderly end."""

from collections.abc import Callable, Sequence
from typing import Self

from bed import ports
from bed.process import Process


class Listening:
    """A server that is there from `launch` on, until `stop`. `ports` has the port of each word."""

    ports: dict[str, int]

    def launch(
        self, words: Sequence[str], start: Callable[[tuple[int, ...]], Process], at: tuple[int, ...] = ()
    ) -> None:
        """Start it on as many free ports as there are words, or `at` ports that nobody else in its namespace has."""

        def on(free: tuple[int, ...]) -> Process:
            self.ports = dict(zip(words, free, strict=True))
            return start(free)

        self._process = on(at) if at else ports.on_free_ports(len(words), on)

    def said(self) -> str:
        """All that it logged so far."""
        return self._process.said()

    def stop(self) -> None:
        self._process.stop()
        ports.release(*self.ports.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
