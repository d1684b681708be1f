"""What tests of bad input share: less room for root, and the certificates that go on."""

import os
import subprocess

from bed import binaries
from bed.pebble import Pebble
from builders.page import Page


def without_overriding_permissions() -> list[str]:
    """A command prefix under which permission bits count for root, too."""
    if os.geteuid() != 0:
        return []
    drop = "-dac_override,-dac_read_search,-fowner"
    return [binaries.require("setpriv"), f"--bounding-set={drop}", f"--inh-caps={drop}", "--"]


def in_a_mount_namespace() -> list[str]:
    """A command prefix; a shell script with the mounts to make, its $0 and the command come next."""
    unshare = binaries.require("unshare")
    probe = subprocess.run([unshare, "-m", "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        binaries.missing(f"no mount namespace can be made: {probe.stderr.strip()}", "run as root, with CAP_SYS_ADMIN")
    return [unshare, "-m", "sh", "-c"]


def spent(pebble: Pebble) -> int:
    """Challenges that were answered."""
    return pebble.counts()["POST", "/chalZ"]


def the_others_are_issued(page: Page, *aliases: str) -> None:
    assert page.live() == set(aliases)
    for alias in aliases:
        page.verified_names(alias)
