"""What deployments are planned from. Reads only."""

from collections.abc import Mapping
from datetime import datetime

from certkeeper.apply.deployports import TargetFiles
from certkeeper.apply.placements import placement
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.deploy import Copies, Deployable, wanted
from certkeeper.plan.records import Records, Shown


def deployable(
    configuration: Configuration,
    lineages: Mapping[Alias, Lineage],
    records: Records,
    files: TargetFiles,
    now: datetime,
) -> Deployable:
    """Copies are looked at where nothing else says that they are due."""
    copies: dict[tuple[str, Alias], Copies] = {}
    for spec, name in wanted(configuration):
        target = configuration.settings.targets.get(name)
        entry = records.deployments.get((name, spec.entry))
        if target is None or target.in_place or entry is None or entry.shown is Shown.OWED:
            continue
        try:
            found = files.look(placement(spec, target))
            copies[name, spec.alias] = Copies(found.stamp, astray=found.astray)
        except CertkeeperError as error:
            copies[name, spec.alias] = Copies(trouble=error)
    return Deployable(now, lineages, records, copies)
