"""Ports Services and Probes: a fake service and real ones keep the same promises."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.services.haproxy import Haproxy
from bed.services.postfix import Postfix
from bed.waiting import wait_until
from certkeeper.adapters.services.commands import Commands
from certkeeper.adapters.services.local import LocalServices
from certkeeper.apply.deployports import Condition
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.value import replace
from certkeeper.service.target import Form
from contract.services.scenes import (
    ALL,
    NO_SYSTEMD,
    REAL,
    Pair,
    RealScene,
    Scene,
    command,
    haproxy_by_socket,
    nginx,
    postfix_by_name,
)

pytestmark = pytest.mark.real
IDS = [each.__name__ for each in ALL]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody gets through."""
    with tempfile.TemporaryDirectory(prefix="bed-service-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(params=ALL, ids=IDS)
def scene(request: pytest.FixtureRequest, place: Path) -> Iterator[Scene]:
    with request.param(place) as made:
        yield made


@pytest.fixture(params=REAL, ids=IDS[1:])
def real(request: pytest.FixtureRequest, place: Path) -> Iterator[RealScene]:
    with request.param(place) as made:
        yield made


def test_a_service_takes_new_files_when_it_is_told(scene: Scene) -> None:
    assert scene.services.condition(scene.target) is Condition.RUNNING
    assert scene.services.test(scene.target) == ""
    (old,) = scene.leaves()
    kept = scene.leaves(scene.kept) if scene.kept else set()
    new = Pair.new()
    assert old is not None
    assert old != new.leaf
    scene.keys.put(new)
    assert scene.services.test(scene.target) == ""
    scene.services.refresh(scene.target)
    scene.services.apply(scene.target, scene.changed)
    wait_until(lambda: scene.leaves() == {new.leaf}, "every port shows the new certificate")
    assert scene.services.condition(scene.target) is Condition.RUNNING
    if scene.kept:
        assert scene.leaves(scene.kept) == kept


def test_a_broken_configuration_is_told_and_a_stopped_service_is_not_started(scene: Scene) -> None:
    scene.break_config()
    said = scene.services.test(scene.target)
    assert said.startswith(f"{scene.target.name}: ")
    assert "ended with status " in said
    scene.stop()
    assert scene.services.condition(scene.target) is Condition.STOPPED
    with pytest.raises(CertkeeperError, match="not running"):
        scene.services.apply(scene.target, scene.changed)
    assert scene.services.condition(scene.target) is Condition.STOPPED
    assert scene.leaves() == {None}


def test_which_tests_tell_of_a_key_that_is_another_certificates(real: RealScene, tmp_path: Path) -> None:
    real.keys.put(Pair(Pair.new().key, Pair.new().fullchain))
    assert bool(real.services.test(real.target)) is real.sees_mismatch
    real.stop()
    here = LocalServices(Commands(f"{tmp_path}"), NO_SYSTEMD)
    assert here.condition(real.target) is Condition.NOT_INSTALLED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as somebody else")
def test_what_the_services_user_cannot_read(place: Path) -> None:
    prosody = next(each for each in REAL if each.__name__ == "prosody")
    with prosody(place) as scene:
        paths = [str(scene.keys[form]) for form in (Form.PRIVKEY, Form.FULLCHAIN)]
        assert scene.services.can_read(scene.target, paths) == ()
        Path(paths[0]).chmod(0o600)
        assert scene.services.can_read(scene.target, paths) == (paths[0],)


@pytest.mark.long
def test_a_map_that_would_lack_an_entry_is_seen_before_it_is_made(place: Path) -> None:
    with postfix_by_name(place) as scene:
        bed = scene.bed
        assert isinstance(bed, Postfix)
        made, shown = Path(f"{bed.names}.db"), scene.leaves()
        before = made.read_bytes()
        whole = bed.names.read_text(encoding="utf-8")
        bed.names.write_text(f"{whole}other.example {place}/none.pem\nmore.example\n", encoding="utf-8")
        said = scene.services.test(scene.target)
        none = f"line 2: open {place}/none.pem: No such file or directory: skipping this entry"
        assert f"texthash:{bed.names} warns: {bed.names}, {none}; {bed.names}, line 3: expected format" in said
        assert said.count("line 2") == 1
        assert (made.read_bytes(), scene.leaves()) == (before, shown)
        # Whoever makes it all the same hears of it, too.
        with pytest.raises(CertkeeperError, match=r"line 2: .*line 3: "):
            scene.services.refresh(scene.target)
        bed.names.unlink()
        assert f"open database {bed.names}: No such file or directory" in scene.services.test(scene.target)


def test_haproxy_takes_a_certificate_without_a_new_process_and_else_by_a_reload(place: Path) -> None:
    with haproxy_by_socket(place) as scene:
        bed = scene.bed
        assert isinstance(bed, Haproxy)
        before, new = bed.workers(), Pair.new()
        scene.keys.put(new)
        scene.services.apply(scene.target, scene.changed)
        assert scene.leaves() == {new.leaf}
        assert bed.workers() == before
        # Files that it does not know there, and a socket that is gone.
        for target, changed in (
            (scene.target, (scene.keys.placement("haproxy", Form.PRIVKEY),)),
            (replace(scene.target, socket=str(place / "none")), scene.changed),
        ):
            # A master that still brings a reload to its end passes over the signal for another one.
            wait_until(lambda: len(bed.workers()) == 1, "no reload is under way")
            newer = Pair.new()
            scene.keys.put(newer)
            scene.services.apply(target, changed)
            wait_until(lambda newer=newer: scene.leaves() == {newer.leaf}, "the reload took it")  # type: ignore[misc]
        assert not bed.workers() & before


def test_a_service_that_says_it_took_its_files_and_did_not_is_seen_through(place: Path) -> None:
    with nginx(place) as scene:
        old = scene.leaves()
        scene.keys.put(Pair.new())
        scene.services.apply(replace(scene.target, apply=(command("true"),)), scene.changed)
        assert scene.leaves() == old
        scene.break_config()
        with pytest.raises(CertkeeperError, match=r"nginx: nginx -s reload .* ended with status 1"):
            scene.services.apply(scene.target, scene.changed)
        assert scene.leaves() == old
