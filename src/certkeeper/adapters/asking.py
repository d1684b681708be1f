"""Providers are asked side by side, so that one that is slow or down holds up no other, and that is told."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from certkeeper.apply.locate import locate
from certkeeper.apply.ports import Dns, Nameservers
from certkeeper.config.settings import Settings
from certkeeper.plan.observed import Wanted, Zones

_WORTH_TELLING = 3.0
_AT_ONCE = 16


@contextmanager
def told_when_long(who: str, say: Callable[[str], None]) -> Iterator[None]:
    """Say whose answer is waited for, once that has taken a while."""
    timer = threading.Timer(_WORTH_TELLING, say, (f"waiting for {who}",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def locate_all(
    wanted: Mapping[str, Wanted],
    settings: Settings,
    providers: Mapping[str, Dns],
    nameservers: Nameservers,
    say: Callable[[str], None],
) -> dict[str, Zones]:
    """What `locate` finds, each provider in a thread of its own."""

    def of_one(id_: str) -> dict[str, Zones]:
        known = providers.get(id_)
        with told_when_long(known.describe() if known is not None else id_, say):
            return locate({id_: wanted[id_]}, settings, providers, nameservers)

    if not wanted:
        return {}
    with ThreadPoolExecutor(min(len(wanted), _AT_ONCE)) as threads:
        return {id_: zones for found in threads.map(of_one, wanted) for id_, zones in found.items()}
