"""The effects of deployments: each one call of one of their ports."""

from collections.abc import Mapping
from typing import ClassVar

from certkeeper.apply.deployports import Condition, DeployPorts, Placed, Placement
from certkeeper.apply.effects import Effect, Turn
from certkeeper.apply.ports import Ports
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, field
from certkeeper.lineage.model import Version, VersionFiles
from certkeeper.service.handshake import Contact, Look
from certkeeper.service.target import Form, Target


def _of(ports: Ports) -> DeployPorts:
    if ports.deploy is None:
        raise TypeError("deployments without their ports")
    return ports.deploy


@dataclass(frozen=True, slots=True)
class ReadVersions(Effect[tuple[Version, ...]]):
    alias: Alias

    def perform(self, ports: Ports) -> tuple[Version, ...]:
        return ports.store.versions(self.alias)


@dataclass(frozen=True, slots=True)
class CheckPlacement(Effect[None]):
    placement: Placement

    def perform(self, ports: Ports) -> None:
        _of(ports).files.check(self.placement)


@dataclass(frozen=True, slots=True)
class LookAtCopies(Effect[Placed]):
    placement: Placement

    def perform(self, ports: Ports) -> Placed:
        return _of(ports).files.look(self.placement)


@dataclass(frozen=True, slots=True)
class StageCopies(Effect[bool]):
    """Write the version beside the one that is read, unless it is there as it is to be; whether it was written."""

    placement: Placement
    stamp: int
    contents: Mapping[Form, bytes] = field(repr=False)

    def perform(self, ports: Ports) -> bool:
        files = _of(ports).files
        if files.same(self.placement, self.stamp, self.contents):
            return False
        files.stage(self.placement, self.stamp, self.contents)
        return True


@dataclass(frozen=True, slots=True)
class SwitchCopies(Effect[int | None]):
    """The version that was read before, None where there was none."""

    placement: Placement
    stamp: int

    def perform(self, ports: Ports) -> int | None:
        return _of(ports).files.switch(self.placement, self.stamp)


@dataclass(frozen=True, slots=True)
class HasOlderCopy(Effect[bool]):
    placement: Placement
    stamp: int

    def perform(self, ports: Ports) -> bool:
        return _of(ports).files.has_older(self.placement, self.stamp)


@dataclass(frozen=True, slots=True)
class SwitchToOlderCopy(Effect[None]):
    placement: Placement
    stamp: int

    def perform(self, ports: Ports) -> None:
        _of(ports).files.switch_to_older(self.placement, self.stamp)


@dataclass(frozen=True, slots=True)
class KeepCopies(Effect[None]):
    """Remove all versions but these."""

    placement: Placement
    stamps: tuple[int, ...]

    def perform(self, ports: Ports) -> None:
        _of(ports).files.keep(self.placement, self.stamps)


@dataclass(frozen=True, slots=True)
class CheckPair(Effect[None]):
    alias: Alias
    files: VersionFiles

    def perform(self, ports: Ports) -> None:
        _of(ports).pairs.check(str(self.alias), self.files)


@dataclass(frozen=True, slots=True)
class AskCondition(Effect[Condition]):
    target: Target

    def perform(self, ports: Ports) -> Condition:
        return _of(ports).services.condition(self.target)


@dataclass(frozen=True, slots=True)
class TestService(Effect[str]):
    """What the service says against its configuration, or its user against what it is to read."""

    __test__: ClassVar[bool] = False
    target: Target
    paths: tuple[str, ...] = ()

    def perform(self, ports: Ports) -> str:
        services = _of(ports).services
        if words := services.test(self.target):
            return words
        shut = services.can_read(self.target, self.paths) if self.target.user else ()
        return f"{self.target.user} cannot read {', '.join(shut)}" if shut else ""


@dataclass(frozen=True, slots=True)
class RefreshService(Effect[None]):
    target: Target

    def perform(self, ports: Ports) -> None:
        _of(ports).services.refresh(self.target)


@dataclass(frozen=True, slots=True)
class ApplyService(Effect[None]):
    target: Target
    changed: tuple[Placement, ...] = ()

    def perform(self, ports: Ports) -> None:
        _of(ports).services.apply(self.target, self.changed)


@dataclass(frozen=True, slots=True)
class AddressesHere(Effect[tuple[str, ...]]):
    turn: ClassVar[Turn] = Turn.LOOK
    name: str

    def perform(self, ports: Ports) -> tuple[str, ...]:
        return _of(ports).probes.addresses_here(self.name)


@dataclass(frozen=True, slots=True)
class LookAtServices(Effect[tuple[Look, ...]]):
    turn: ClassVar[Turn] = Turn.LOOK
    contacts: tuple[Contact, ...]

    def perform(self, ports: Ports) -> tuple[Look, ...]:
        return _of(ports).probes.look(self.contacts)
