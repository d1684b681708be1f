import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed import binaries
from bed.world import World
from integration.resources.scene import Scene

Mount = Callable[[Path, str], None]


@pytest.fixture(scope="session")
def kept_scene(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One per worker process, since it takes a whole run to make."""
    zone = shared_world.new_zone("scene").removesuffix(".")
    return Scene(tmp_path_factory.mktemp("scene") / "page", shared_world, zone)


@pytest.fixture
def scene(kept_scene: Scene) -> Scene:
    kept_scene.restore()
    return kept_scene


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts a small file system in memory on a folder, until the test ends: `mount(folder, "size=256k")`."""
    mounted: list[Path] = []

    def make(folder: Path, options: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "none", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            binaries.missing(f"nothing can be mounted: {done.stderr.strip()}", "run as root, with CAP_SYS_ADMIN")
        mounted.append(folder)

    yield make
    for folder in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
