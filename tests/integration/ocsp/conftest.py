from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.ocspresponder import OcspResponder
from bed.pebble import Options
from bed.world import World
from builders.page import Page


@pytest.fixture(scope="session")
def responder() -> Iterator[OcspResponder]:
    with OcspResponder() as found:
        yield found


@pytest.fixture(scope="session")
def stapling_world(tmp_path_factory: pytest.TempPathFactory, responder: OcspResponder) -> Iterator[World]:
    """A CA that finds every challenge valid, and whose certificates name the responder."""
    folder = tmp_path_factory.mktemp("stapling")
    pebble: Options = {"always_valid": True, "ocsp_url": responder.url, "key_algorithm": "rsa"}
    with World(folder, zones=(), secondaries=0, dnssec=False, pebble=pebble) as world:
        responder.speaks_for(world.pebble.intermediate)
        yield world


@pytest.fixture
def page(tmp_path: Path, stapling_world: World, responder: OcspResponder) -> Page:
    responder.reset()
    (tmp_path / "wellknown").mkdir()
    return Page(
        tmp_path / "page",
        stapling_world,
        "staple.example",
        CHALLENGETYPE="http-01",
        WELLKNOWN=str(tmp_path / "wellknown"),
        OCSP_FETCH="yes",
    )
