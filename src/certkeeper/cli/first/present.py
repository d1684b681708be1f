"""A machine that has a page already: which one it is, and what could be added to it."""

import os
from collections.abc import Iterator
from pathlib import Path

from certkeeper.base.errors import CertkeeperError
from certkeeper.cli.compose import check_page, open_machine
from certkeeper.cli.compose.discovering import Discovered
from certkeeper.cli.pageform import page_is
from certkeeper.config.page import NATIVE, rivals
from certkeeper.config.settings import Configuration
from certkeeper.config.spelling import as_native
from certkeeper.service.sites import Site


def present_page(root: str) -> str | None:
    """The page that commands would take if none is named; None where there is none.

    A config of dehydrated's without a certificate is what its package brings along, and no page yet.
    """
    said = os.environ.get("CONFIG")
    if said:
        return said
    base = Path(root)
    for place in (NATIVE, *rivals(NATIVE)):
        path = base / place.lstrip("/")
        if path.is_file() and (place == NATIVE or _in_use(str(path))):
            return str(path)
    return None


def _in_use(page: str) -> bool:
    """A page that cannot be read is somebody's, too."""
    configuration = check_page(page).configuration
    return configuration is None or bool(configuration.certificates or configuration.rejected)


def proposal(page: str, found: Discovered) -> Iterator[str]:
    """Lines that could be added, each with its reason; none where the page cannot be read, which its check says."""
    try:
        configuration = open_machine(page).configuration
    except CertkeeperError:
        return
    page_is(page)
    native = page.endswith(".toml")
    for text, reason in _additions(configuration, found):
        yield f"could be added: {as_native(text) if native else text}"
        yield f"    {reason}"
    if not native:
        yield "the same as one commented file, if you like: certkeeper config convert --out FILE"


def _additions(configuration: Configuration, found: Discovered) -> Iterator[tuple[str, str]]:
    used = {service for spec in configuration.certificates for service in spec.targets}
    free = [service for service in found.services if service not in used]
    if free and not used:
        yield f'DEPLOY="{" ".join(free)}"', "these services are here; they would get new certificates, and be looked at"
    elif free:
        yield (
            f'DEPLOY="{" ".join((*sorted(used), *free))}"',
            f"{', '.join(free)}: here, and not told of certificates yet",
        )
    asked = {name for spec in configuration.certificates for name in spec.identifiers}
    for site in found.sites:
        missing = [str(name) for name in site.names if name not in asked and not _covered(str(name), configuration)]
        if missing:
            yield f"a line of domains.txt: {' '.join(missing)}", f"{site.service} serves it, by {_place(site)}"


def _covered(name: str, configuration: Configuration) -> bool:
    """By a wildcard."""
    above = f"*.{name.partition('.')[2]}"
    return any(str(asked) == above for spec in configuration.certificates for asked in spec.identifiers)


def _place(site: Site) -> str:
    return str(site.where)
