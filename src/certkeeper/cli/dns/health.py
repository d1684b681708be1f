"""What the last look at zones found, kept for the page for browsers."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.cli.compose import Machine
from certkeeper.cli.compose.reporting import zone_health
from certkeeper.cli.dns.doctor import Examined, all_examined, summary
from certkeeper.config.findings import Finding
from certkeeper.plan.delegation import described
from certkeeper.plan.zonehealth import Health, ServerHealth, ZoneHealth


def looked_now(machine: Machine) -> Health:
    """The zones of all certificates, looked at as `certkeeper dns doctor` does; and kept.

    Raises:
        CertkeeperError: no provider at all can be asked.
    """
    examined, general = all_examined(machine)
    return keep_health(machine, examined, general, everything=True)


def keep_health(
    machine: Machine, examined: Sequence[Examined], general: Sequence[Finding], *, everything: bool
) -> Health:
    """Remember it beside what is known of other zones, or, where that was everything, in its place."""
    now, file = machine.clock.now(), zone_health(machine)
    found = {item.facts.name.text: _health(item, now) for item in examined}
    before = None if everything else file.read()
    health = Health({**before.zones, **found}, before.general) if before is not None else Health(found, tuple(general))
    with suppress(CertkeeperError):
        # What was seen is shown in any case.
        file.write(health)
    return health


def _health(item: Examined, now: datetime) -> ZoneHealth:
    servers = []
    for served in item.facts.servers:
        name, _, said = described(served).partition(f"{served.server}: ")
        servers.append(ServerHealth(str(served.server), said or name, trouble=bool(served.trouble)))
    return ZoneHealth(item.facts.name.text, now, summary(item), tuple(servers), item.findings)
