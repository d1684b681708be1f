"""Port Services: whether services run, their checks, and reloads, by systemd where that runs."""

import os
from collections.abc import Sequence
from datetime import timedelta

from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.readers import unreadable
from certkeeper.adapters.services.commands import CommandFailed, Commands
from certkeeper.adapters.services.haproxy import NotUpdated, combined, update
from certkeeper.apply.deployports import Condition, Placement
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.service.target import DEFAULT_BOUND, Command, Target

_LOOK = timedelta(seconds=20)
_NO_SUCH_UNIT = 4


class NotRunning(CertkeeperError):
    """A service that does not run was to take new files."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


class LocalServices:
    """Implements the port Services. Where the folder `systemd` is, systemd runs (sd_booted(3))."""

    def __init__(self, commands: Commands | None = None, systemd: str = "/run/systemd/system") -> None:
        self._commands = commands or Commands()
        self._systemd = systemd

    def condition(self, target: Target) -> Condition:
        status = self._status(target)
        if status == 0:
            return Condition.RUNNING
        programs = (*target.test, *target.apply, *((target.running,) if target.running else ()))
        there = all(self._commands.has(command) for command in programs)
        if status is None:
            # Nobody said how to tell, so its reload will.
            return Condition.RUNNING if there else Condition.NOT_INSTALLED
        gone = not programs and self._by_unit(target) and status == _NO_SUCH_UNIT
        return Condition.STOPPED if there and not gone else Condition.NOT_INSTALLED

    def test(self, target: Target) -> str:
        for command in target.test:
            try:
                self._commands.run(target.name, command)
            except CommandFailed as error:
                return str(error)
        return ""

    def refresh(self, target: Target) -> None:
        for command in target.refresh:
            self._commands.run(target.name, command)

    def apply(self, target: Target, changed: Sequence[Placement]) -> None:
        # Many a reload starts what does not run: apachectl graceful does.
        if self.condition(target) is not Condition.RUNNING:
            raise NotRunning(
                f"{target.name}: not running, so nothing was done to make it take its files",
                hint="it takes them when it is started",
            )
        reload = self._reload(target)
        try:
            if _updated(target, changed):
                return
        except (NotUpdated, FileTrouble):
            # A reload takes whatever part of it was not taken, and says why where it cannot.
            if not reload:
                raise
        for command in reload:
            self._commands.run(target.name, command)

    def can_read(self, target: Target, paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(path for path, _ in unreadable(target.user, paths)) if target.user else ()

    def _by_unit(self, target: Target) -> bool:
        return bool(target.unit) and os.path.isdir(self._systemd)  # noqa: PTH112 - text

    def _status(self, target: Target) -> int | None:
        """Of the command that ends with 0 where the service runs; None where there is none, or it is not here."""
        if self._by_unit(target):
            return self._commands.status(
                target.name, Command(("systemctl", "is-active", "--quiet", target.unit), _LOOK)
            )
        if target.running is None or not self._commands.has(target.running):
            return None
        return self._commands.status(target.name, target.running)

    def _reload(self, target: Target) -> tuple[Command, ...]:
        if not self._by_unit(target):
            return target.apply
        # try-restart, unlike restart, starts nothing.
        word = "try-restart" if target.restarts else "reload"
        bound = max((command.bound for command in target.apply), default=DEFAULT_BOUND)
        return (Command(("systemctl", word, target.unit), bound),)


def _updated(target: Target, changed: Sequence[Placement]) -> bool:
    """It took all that changed through its socket, without a reload. Raises NotUpdated, FileTrouble."""
    if not target.socket or not changed:
        return False
    update(target.socket, target.user, combined(changed))
    return True
