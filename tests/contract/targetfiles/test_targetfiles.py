"""What copies for services promise, whether they are on a disk or a test's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from builders.faketargets import FakeTargetFiles
from certkeeper.adapters.installed import Installed
from certkeeper.adapters.pkcs12 import holds
from certkeeper.apply.deployports import Placed, Placement, TargetFiles
from certkeeper.apply.placements import filled
from certkeeper.base.access import Access
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.service.target import Form
from contract.targetfiles.placed import NEW, NEXT, OLD, PAIR, PLAIN, placement, shown, version


@dataclass(frozen=True, slots=True)
class Side:
    files: TargetFiles
    folder: str
    read: Callable[[str], bytes | None]
    put: Callable[[str, bytes], object]
    """Somebody else's file."""
    link: Callable[[str, str], object]
    expose: Callable[[str], object]
    """Let everybody read what is behind a path."""
    real: bool

    @property
    def where(self) -> Placement:
        return placement(self.folder)

    def view(self, where: Placement | None = None) -> dict[str, bytes | None]:
        return {path.rpartition("/")[2]: self.read(path) for path in (where or self.where).files}

    def install(self, stamp: int, where: Placement | None = None) -> int | None:
        self.files.check(where or self.where)
        self.files.stage(where or self.where, stamp, version(stamp))
        return self.files.switch(where or self.where, stamp)


def _put(path: str, content: bytes) -> None:
    Path(path).unlink(missing_ok=True)
    Path(path).write_bytes(content)


def _read(path: str) -> bytes | None:
    return Path(path).read_bytes() if Path(path).exists() else None


@pytest.fixture(params=["fake", "real"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    if request.param == "real":
        link = lambda path, target: Path(path).symlink_to(target)  # noqa: E731
        return Side(Installed(), str(tmp_path), _read, _put, link, lambda path: Path(path).chmod(0o644), real=True)
    fake = FakeTargetFiles(["/srv/certs"])
    others, links = fake.others.__setitem__, fake.links.__setitem__
    return Side(fake, "/srv/certs", fake.read, others, links, fake.astray.add, real=False)


def test_where_nothing_is_nothing_is_seen(side: Side) -> None:
    side.files.check(side.where)
    assert side.files.look(side.where) == Placed(None)
    assert not side.files.same(side.where, NEW, version(NEW))
    side.files.keep(side.where, [])


def test_a_staged_version_is_complete_and_shown_to_nobody(side: Side) -> None:
    side.files.stage(side.where, NEW, version(NEW))
    assert side.view() == dict.fromkeys(PAIR)
    assert side.files.same(side.where, NEW, version(NEW))
    assert not side.files.same(side.where, NEW, version(OLD))
    assert side.files.look(side.where) == Placed(None, kept=(NEW,))


def test_a_switch_shows_the_version(side: Side) -> None:
    assert side.install(OLD) is None
    assert side.view() == shown(OLD)
    assert side.install(NEW) == OLD
    assert side.view() == shown(NEW)
    assert side.files.look(side.where) == Placed(NEW, kept=(OLD,))


def test_all_can_be_done_twice(side: Side) -> None:
    side.install(OLD)
    side.install(NEW)
    assert side.install(NEW) == NEW
    assert side.files.look(side.where) == Placed(NEW, kept=(OLD,))


def test_going_back_is_a_switch_to_an_older_version(side: Side) -> None:
    side.install(OLD)
    side.install(NEW)
    assert side.files.switch(side.where, OLD) == NEW
    assert side.view() == shown(OLD)
    assert side.files.look(side.where) == Placed(OLD, kept=(NEW,))


def test_somebody_elses_files_are_kept_and_come_back(side: Side) -> None:
    for name, content in PLAIN.items():
        side.put(f"{side.folder}/{name}", content)
    side.files.check(side.where)
    assert side.files.look(side.where) == Placed(None, others=tuple(side.where.files))
    side.files.stage(side.where, NEXT, version(NEXT))
    assert side.view() == PLAIN
    found = side.files.switch(side.where, NEXT)
    assert found is not None
    assert side.view() == shown(NEXT)
    assert side.files.look(side.where) == Placed(NEXT, kept=(found,))
    side.files.switch(side.where, found)
    assert side.view() == PLAIN


def test_a_file_in_the_place_of_ours_is_kept_with_what_was_beside_it(side: Side) -> None:
    side.install(OLD)
    key = next(path for path, form in side.where.files.items() if form is Form.PRIVKEY)
    side.put(key, PLAIN["example.org.key"])
    assert side.files.look(side.where).stamp is None
    assert side.files.look(side.where).others == (key,)
    before = side.view()
    found = side.install(NEW)
    assert found not in {None, OLD, NEW}
    assert side.view() == shown(NEW)
    side.files.switch(side.where, found or 0)
    assert side.view() == before


def test_files_that_hold_the_same_already_are_no_version_of_their_own(side: Side) -> None:
    for name, content in shown(NEW).items():
        side.put(f"{side.folder}/{name}", content or b"")
    assert side.install(NEW) == NEW
    assert side.files.look(side.where) == Placed(NEW)
    assert side.view() == shown(NEW)


def test_a_file_that_the_target_has_from_now_on_comes_with_the_next_switch(side: Side) -> None:
    side.install(OLD)
    more = placement(side.folder, files={**PAIR, "chain.pem": Form.CHAIN})
    assert side.files.look(more).stamp is None
    assert not side.files.same(more, OLD, version(OLD))
    assert side.install(OLD, more) == OLD
    assert side.view(more) == shown(OLD, {**PAIR, "chain.pem": Form.CHAIN})
    assert side.files.same(more, OLD, version(OLD))


def test_a_response_has_a_file_where_there_is_one(side: Side) -> None:
    names = {"all.pem": Form.FULLCHAIN_KEY, "all.pem.ocsp": Form.OCSP}
    where = placement(side.folder, files=names)
    without = {**version(OLD), Form.OCSP: b""}
    bare = filled(where, without)
    side.files.stage(bare, OLD, without)
    side.files.switch(bare, OLD)
    assert side.view(where) == {"all.pem": without[Form.FULLCHAIN_KEY], "all.pem.ocsp": None}
    assert side.files.look(where) == Placed(OLD), "a run that looks knows of no response"
    assert side.files.same(where, OLD, without)
    assert not side.files.same(where, OLD, {**without, Form.OCSP: b"response"})

    with_one = {**version(NEW), Form.OCSP: b"response"}
    assert filled(where, with_one) == where
    side.files.stage(where, NEW, with_one)
    assert side.files.switch(where, NEW) == OLD
    assert side.view(where)["all.pem.ocsp"] == b"response"
    assert side.files.look(where) == Placed(NEW, kept=(OLD,))

    side.files.switch(where, OLD)
    assert side.view(where)["all.pem.ocsp"] is None, "it is about another certificate"


def test_a_version_with_another_response_has_a_way_back_to_the_one_before(side: Side) -> None:
    where = placement(side.folder, files={"all.pem": Form.FULLCHAIN_KEY, "all.pem.ocsp": Form.OCSP})
    first, second, third = ({**version(OLD), Form.OCSP: word} for word in (b"first", b"second", b"third"))
    side.files.stage(where, OLD, first)
    side.files.switch(where, OLD)
    assert not side.files.has_older(where, OLD)
    side.files.stage(where, OLD, second)
    assert side.view(where)["all.pem.ocsp"] == b"first"
    assert (side.files.switch(where, OLD), side.files.has_older(where, OLD)) == (OLD, True)
    assert side.view(where)["all.pem.ocsp"] == b"second"

    side.files.switch_to_older(where, OLD)
    assert side.view(where)["all.pem.ocsp"] == b"first"
    assert not side.files.same(where, OLD, second), "it is not what services read"
    side.files.keep(where, [OLD])
    assert side.view(where)["all.pem.ocsp"] == b"first"

    for contents in (second, third):
        side.files.stage(where, OLD, contents)
        side.files.switch(where, OLD)
        assert side.view(where)["all.pem.ocsp"] == contents[Form.OCSP]
        assert side.files.same(where, OLD, contents)
    side.files.keep(where, [OLD])
    assert not side.files.has_older(where, OLD)


def test_a_response_of_somebody_else_s_stays_where_there_is_none(side: Side) -> None:
    names = {"all.pem": Form.FULLCHAIN_KEY, "all.pem.ocsp": Form.OCSP}
    where, without = placement(side.folder, files=names), {**version(OLD), Form.OCSP: b""}
    side.put(f"{side.folder}/all.pem.ocsp", b"theirs")
    bare = filled(where, without)
    side.files.stage(bare, OLD, without)
    side.files.switch(bare, OLD)
    assert side.view(where)["all.pem.ocsp"] == b"theirs"


def test_other_versions_go_and_the_live_one_never(side: Side) -> None:
    for stamp in (OLD, NEW, NEXT):
        side.install(stamp)
    side.files.keep(side.where, [NEXT, NEW])
    assert side.files.look(side.where) == Placed(NEXT, kept=(NEW,))
    side.files.keep(side.where, [])
    assert side.files.look(side.where) == Placed(NEXT)
    assert side.view() == shown(NEXT)


def test_what_somebody_else_had_put_there_is_never_removed(side: Side) -> None:
    for name in shown(OLD):
        side.put(f"{side.folder}/{name}", b"a key of theirs")
    found = side.install(NEW)
    assert found is not None
    side.install(NEXT)
    # The found one is the newest by its time.
    assert side.files.look(side.where) == Placed(NEXT, kept=(NEW, found))
    side.files.keep(side.where, [NEXT])
    assert side.files.look(side.where) == Placed(NEXT, kept=(found,))
    side.files.switch(side.where, found)
    assert set(side.view().values()) == {b"a key of theirs"}


def test_another_certificate_and_another_target_are_left_alone(side: Side) -> None:
    names = {"b.key": Form.PRIVKEY, "b.crt": Form.FULLCHAIN}
    second = replace(placement(side.folder, files=names), alias=Alias("b"))
    third = replace(placement(side.folder, files={"all.pem": Form.KEY_FULLCHAIN}), target="haproxy")
    for where in (side.where, second, third):
        side.install(OLD, where)
    side.install(NEW)
    side.files.keep(side.where, [NEW])
    assert side.view(second) == shown(OLD, names)
    assert side.view(third) == shown(OLD, {"all.pem": Form.KEY_FULLCHAIN})
    assert side.files.look(third) == Placed(OLD)


def test_pkcs12_counts_by_what_is_in_it(side: Side) -> None:
    where = placement(side.folder, files={"example.org.p12": Form.PKCS12})
    contents = version(NEW)
    side.files.stage(where, NEW, contents)
    side.files.switch(where, NEW)
    before = side.view(where)
    assert side.files.same(where, NEW, contents)
    assert not side.files.same(where, NEW, version(OLD))
    side.files.stage(where, NEW, contents)
    side.files.switch(where, NEW)
    assert side.view(where) == before
    if side.real:
        assert holds(before["example.org.p12"] or b"", contents[Form.PRIVKEY], contents[Form.FULLCHAIN], b"")


def test_a_version_that_is_not_there_cannot_be_switched_to(side: Side) -> None:
    side.install(OLD)
    with pytest.raises(CertkeeperError, match="no copy of that version"):
        side.files.switch(side.where, NEW)
    assert side.view() == shown(OLD)


def test_a_link_to_elsewhere_is_refused_and_stays(side: Side) -> None:
    side.put(f"{side.folder}/secret", b"secret")
    path = next(iter(side.where.files))
    side.link(path, f"{side.folder}/secret")
    assert side.files.look(side.where).others == (path,)
    acts: tuple[Callable[[], object], ...] = (
        lambda: side.files.check(side.where),
        lambda: side.install(NEW),
    )
    for act in acts:
        with pytest.raises(CertkeeperError, match="leads elsewhere") as caught:
            act()
        assert str(caught.value).startswith(f"{path}: ")
        assert caught.value.hint
    assert side.read(f"{side.folder}/secret") == b"secret"


def test_a_key_that_somebody_else_let_others_read_is_seen_and_put_right(side: Side) -> None:
    side.install(NEW)
    key = next(path for path, form in side.where.files.items() if form is Form.PRIVKEY)
    side.expose(key)
    assert side.files.look(side.where) == Placed(NEW, astray=True)
    assert side.install(NEW) == NEW
    assert side.files.look(side.where) == Placed(NEW)


def test_a_missing_folder_is_named(side: Side) -> None:
    where = placement(f"{side.folder}/missing")
    for act in (side.files.check, lambda place: side.files.stage(place, NEW, version(NEW))):
        with pytest.raises(CertkeeperError, match="missing: the folder is not there") as caught:
            act(where)
        assert "install -d" in caught.value.hint


def test_a_missing_group_is_named(side: Side) -> None:
    where = placement(side.folder, Access(group="no-such-group"))
    for act in (side.files.check, lambda place: side.files.stage(place, NEW, version(NEW))):
        with pytest.raises(CertkeeperError, match=f"{side.folder}: .*there is no group no-such-group") as caught:
            act(where)
        assert "addgroup" in caught.value.hint
    assert side.view() == dict.fromkeys(PAIR)


def test_files_in_several_folders_cannot_be_switched_together(side: Side) -> None:
    files = {f"{side.folder}/a.key": Form.PRIVKEY, f"{side.folder}/other/a.crt": Form.CERT}
    with pytest.raises(CertkeeperError, match="several folders"):
        side.files.check(replace(side.where, files=files))
