"""The Debian package that scripts/package built, and machines with Debian 13 to have it on."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed import binaries
from bed.machine import Machine
from bed.namespace import Namespace

REPOSITORY = Path(__file__).parents[3]
PLACE = "/root/certkeeper.deb"


@pytest.fixture(scope="session")
def package() -> Path:
    found = sorted((REPOSITORY / "dist").glob("certkeeper_*_all.deb"))
    if not found:
        binaries.missing("no Debian package is in dist", "scripts/package builds it; scripts/test does so in CI")
    return found[-1]


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    """The network of this module's machine, with ports of its own."""
    with Namespace() as namespace:
        yield namespace


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, namespace: Namespace, package: Path) -> Iterator[Machine]:
    """A clean machine; the package lies on it as PLACE and is not installed."""
    with ExitStack() as stack:
        machine = stack.enter_context(Machine(tmp_path_factory.mktemp("machine") / "m", prefix=namespace.prefix))
        (machine.root / PLACE.lstrip("/")).write_bytes(package.read_bytes())
        yield machine


def install(machine: Machine, *what: str) -> None:
    """What they depend on was downloaded when the folder was made; without a network nothing else can be had."""
    options = ("--yes", "--no-install-recommends")
    machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *options, "install", *what)
