"""Versions of a certificate for a service, and a reader who knows only the service's paths."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builders.certificates import new_key, version_files
from certkeeper.adapters.installed import Installed
from certkeeper.apply.deployports import Placement
from certkeeper.apply.placements import contents
from certkeeper.base.access import NO_ACCESS, Access
from certkeeper.base.names import Alias
from certkeeper.service.target import Form

ALIAS = Alias("example.org")
TARGET = "prosody"
OLD, NEW, NEXT = 1_600_000_000, 1_700_000_000, 1_800_000_000
PAIR = {"example.org.key": Form.PRIVKEY, "example.org.crt": Form.FULLCHAIN}
SECRET = b"PRIVATE KEY"

View = dict[str, bytes | None]
_VERSIONS = {stamp: contents(version_files(new_key()), tuple(Form)) for stamp in (OLD, NEW, NEXT)}
OTHERS = version_files(new_key())
PLAIN = {"example.org.key": OTHERS.privkey, "example.org.crt": OTHERS.fullchain}


def version(stamp: int) -> dict[Form, bytes]:
    return dict(_VERSIONS[stamp])


def placement(folder: Path | str, access: Access = NO_ACCESS, files: dict[str, Form] | None = None) -> Placement:
    named = {f"{folder}/{name}": form for name, form in (files or PAIR).items()}
    return Placement(TARGET, ALIAS, named, access)


def shown(stamp: int, files: dict[str, Form] | None = None) -> View:
    """What a reader gets while that version is live."""
    return {name: version(stamp)[form] for name, form in (files or PAIR).items()}


def nothing() -> View:
    return dict.fromkeys(PAIR)


def view(folder: Path) -> View:
    return {name: read(folder / name) for name in PAIR}


def read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def emptied(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o755)
    return place


def install(folder: Path, stamp: int, access: Access = NO_ACCESS) -> int | None:
    """What the engine does; the version that was live before."""
    files, where = Installed(), placement(folder, access)
    files.check(where)
    if not files.same(where, stamp, version(stamp)):
        files.stage(where, stamp, version(stamp))
    return files.switch(where, stamp)


def plain(folder: Path) -> None:
    """Somebody else's pair."""
    for name, content in PLAIN.items():
        path = folder / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        os.utime(path, (OLD + 5, OLD + 5))


def ours(folder: Path) -> None:
    install(folder, OLD)


def ours_overwritten(folder: Path) -> None:
    """Another program put its pair in the place of our links."""
    ours(folder)
    plain(folder)


def key_overwritten(folder: Path) -> None:
    """The same, with the certificate that was there."""
    ours(folder)
    (folder / "example.org.key").unlink()
    with os.fdopen(os.open(folder / "example.org.key", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(version(OLD)[Form.PRIVKEY])


def same_already(folder: Path) -> None:
    """Somebody copied the very version."""
    for name, form in PAIR.items():
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(version(NEW)[form])


def key_only(folder: Path) -> None:
    plain(folder)
    (folder / "example.org.crt").unlink()


def links_taken_away(folder: Path) -> None:
    ours(folder)
    for name in PAIR:
        (folder / name).unlink()


def empty(_: Path) -> None:
    return


@dataclass(frozen=True, slots=True)
class Scene:
    arrange: Callable[[Path], None]

    def __str__(self) -> str:
        return self.arrange.__name__


SCENES = tuple(
    Scene(arrange)
    for arrange in (empty, ours, plain, ours_overwritten, key_overwritten, same_already, key_only, links_taken_away)
)
