"""Root's deploy with a child that hands over what it likes: what root does is what root's own file says."""

import argparse
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.certificates import Wish, new_key, version_files
from builders.responder import LIFE, Says, answer
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.installed import Installed
from certkeeper.adapters.keeper import Keeper, NoDelivery
from certkeeper.adapters.relay import Relay
from certkeeper.apply.deployports import Placement
from certkeeper.base.access import NO_ACCESS
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import replace
from certkeeper.cli.delivering import deploy_as_root
from certkeeper.ocsp.request import issued
from certkeeper.plan.delivery import MOST_OCTETS, BadDelivery, Delivered, Delivery, encode
from certkeeper.service.target import Form

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the file has to be root's")
NOW = datetime.now(UTC).replace(microsecond=0)
KEY = new_key()
BEGIN = b"certkeeper delivery 1\n"


def files(name: str = "a.org", *, days: int = 90) -> Delivered:
    wish = Wish((Identifier.parse(name),), not_before=NOW - timedelta(days=80), not_after=NOW + timedelta(days=days))
    made = version_files(KEY, wish)
    names = (Identifier.parse(name),)
    return Delivered(Alias(name), names, ("mumble",), True, 5, made.privkey, made.fullchain)


class Place:
    """A folder of a service's, and root's file, which describes that service."""

    def __init__(self, folder: Path) -> None:
        self.copies, self.reloaded, self.toml = folder / "copies", folder / "reloaded", folder / "deploy.toml"
        self.copies.mkdir()
        self.describe()

    def describe(self, name: str = "{alias}", more: str = "", *, response: bool = False) -> None:
        paths = f'fullchain = "{self.copies}/{name}.crt", privkey = "{self.copies}/{name}.key"'
        paths += f', ocsp = "{self.copies}/{name}.ocsp"' if response else ""
        self.toml.write_text(
            f'state = "{self.toml.parent}/state"\n[target.mumble]\nkind = "command"\nfiles = {{{paths}}}\nprobe = []\n'
            f'reload = ["sh", "-c", "echo reloaded >> {self.reloaded}"]\n{more}'
        )

    def deploy(self, *delivered: Delivered) -> int:
        return self.deploy_octets(encode(Delivery(delivered)))

    def deploy_octets(self, octets: bytes) -> int:
        return self.deploy_with(lambda telling: os.write(telling, octets) and 0)

    def deploy_with(self, work: Callable[[int], int]) -> int:
        keeper = _child(work)
        try:
            return deploy_as_root(keeper, argparse.Namespace(deploy_config=str(self.toml), fix_permissions=False))
        finally:
            with pytest.raises(ProcessLookupError):
                os.kill(keeper.pid, 0)

    def made(self) -> list[str]:
        return sorted(path.name for path in self.copies.iterdir() if not path.name.startswith("."))

    @property
    def untouched(self) -> bool:
        return not self.reloaded.exists() and list(self.copies.iterdir()) == []


def _child(work: Callable[[int], int]) -> Keeper:
    """It hears no answer."""
    (heard, told), (answered, answering) = os.pipe(), os.pipe()
    if not (pid := os.fork()):
        os.close(answered)
        try:
            os._exit(work(told))
        finally:
            os._exit(99)
    os.close(told)
    os.close(answered)
    return Keeper("keeper", pid, heard, answering, Relay({}), last_words=0.05)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_as_it_should_be_is_deployed_whoever_still_listens(place: Place) -> None:
    item = files()
    assert place.deploy(item) == 0
    assert place.made() == ["a.org.crt", "a.org.key"]
    assert (place.copies / "a.org.crt").read_bytes() == item.fullchain
    assert place.reloaded.read_text() == "reloaded\n"


def stapled(item: Delivered, age: timedelta) -> Delivered:
    """The same with a response of that age."""
    cert, chain = (b"-----BEGIN" + part for part in item.fullchain.split(b"-----BEGIN")[1:3])
    says = Says(this_update=NOW - age, next_update=NOW - age + LIFE)
    return replace(item, staple=answer(issued(cert, chain), says))


def test_a_response_goes_into_copies_and_a_new_one_alone_is_one_reload(place: Place) -> None:
    place.describe(response=True)
    old, new = (stapled(files(), timedelta(hours=hours)) for hours in (2, 1))
    assert place.deploy(old) == 0
    beside = place.copies / "a.org.ocsp"
    assert beside.read_bytes() == old.staple
    assert place.deploy(old) == 0
    assert place.reloaded.read_text() == "reloaded\n"
    assert place.deploy(new) == 0
    assert (beside.read_bytes(), place.reloaded.read_text()) == (new.staple, "reloaded\n" * 2)
    assert place.deploy(new) == 0
    assert place.reloaded.read_text() == "reloaded\n" * 2


def test_a_service_that_reads_in_place_is_told_of_a_new_response_once(place: Place) -> None:
    place.toml.write_text(place.toml.read_text().replace("files = {", "files = {} # {"))
    old, new = (stapled(files(), timedelta(hours=hours)) for hours in (2, 1))
    for item, reloads in ((old, 1), (old, 1), (new, 2), (new, 2), (files(), 2), (new, 2)):
        assert place.deploy(item) == 0
        assert place.reloaded.read_text() == "reloaded\n" * reloads


def test_a_service_that_did_not_take_a_response_is_told_of_it_again(place: Place) -> None:
    place.describe(response=True)
    old, new = (stapled(files(), timedelta(hours=hours)) for hours in (2, 1))
    assert place.deploy(old) == 0
    place.reloaded.unlink()
    place.reloaded.mkdir()
    assert place.deploy(new) == 1
    assert (place.copies / "a.org.ocsp").read_bytes() == old.staple
    place.reloaded.rmdir()
    assert place.deploy(new) == 0
    assert (place.copies / "a.org.ocsp").read_bytes() == new.staple
    assert place.reloaded.read_text() == "reloaded\n"


def test_without_its_memory_of_responses_root_tells_services_once_more(place: Place) -> None:
    place.describe(response=True)
    item = stapled(files(), timedelta(hours=1))
    assert place.deploy(item) == 0
    (memory,) = place.toml.parent.rglob("responses.json")
    for content in (b"[]", b'{"version":1,"told":{"mumble a.org":"no"}}'):
        memory.write_bytes(content)
        place.reloaded.unlink()
        assert place.deploy(item) == 0
        assert place.deploy(item) == 0
        assert place.reloaded.read_text() == "reloaded\n"


@pytest.mark.parametrize(
    "octets", [b"\0" * 100, b"certkeeper delivery 1\n", b"certkeeper delivery 1\n\xff\xff\xff\xff"]
)
def test_nonsense_is_an_error_and_nothing_is_touched(place: Place, octets: bytes) -> None:
    with pytest.raises(BadDelivery):
        place.deploy_octets(octets)
    assert place.untouched


def test_what_never_ends_is_an_error_and_nothing_is_touched(place: Place) -> None:
    def endless(telling: int) -> int:
        while True:
            os.write(telling, BEGIN * 3000)

    with pytest.raises(NoDelivery, match=f"more than {MOST_OCTETS} octets"):
        place.deploy_with(endless)
    assert place.untouched


def test_no_service_that_root_did_not_describe(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.deploy(replace(files(), targets=("sh", "nginx"))) == 1
    assert "target sh: there is none of that name" in capsys.readouterr().err
    assert place.untouched


def test_no_certificate_that_the_service_does_not_take(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.describe(more='certificates = ["*.example.org"]\n')
    assert place.deploy(files()) == 1
    assert "a.org is not among its certificates" in capsys.readouterr().err
    assert place.untouched


def test_no_two_certificates_in_one_file(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.describe("{name}")
    other = replace(files(), alias=Alias("b.org"))
    assert place.deploy(files(), other) == 1
    assert "is the file of a.org for mumble, too" in capsys.readouterr().err
    assert place.made() == ["a.org.crt", "a.org.key"]


def test_no_file_of_another_certificate_s_from_before(place: Place) -> None:
    place.describe("{name}")
    item = files()
    assert place.deploy(item) == 0
    assert place.deploy(replace(files(), alias=Alias("b.org"), stamp=6)) == 1
    assert (place.copies / "a.org.crt").read_bytes() == item.fullchain


@pytest.mark.parametrize(
    "item",
    [
        replace(files(), privkey=new_key().pem),
        replace(files(), privkey=b""),
        replace(files(), fullchain=b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        files(days=-1),
    ],
    ids=["another key", "no key", "no certificate", "expired"],
)
def test_no_certificate_that_would_not_work(place: Place, item: Delivered) -> None:
    place.deploy(item)
    assert place.untouched or not place.made()
    assert not place.reloaded.exists()


@pytest.mark.parametrize("name", ["a.org.crt", ".certkeeper"])
def test_no_link_is_followed(place: Place, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir() if name == ".certkeeper" else victim.write_text("whole")
    (place.copies / name).symlink_to(victim)
    assert place.deploy(files()) == 1
    assert (list(victim.iterdir()) == []) if victim.is_dir() else (victim.read_text() == "whole")
    assert not place.reloaded.exists()


@pytest.mark.parametrize("guilty", ["toml", "copies", "above"])
def test_nothing_that_somebody_else_can_change(place: Place, guilty: str) -> None:
    path = {"toml": place.toml, "copies": place.copies, "above": place.copies.parent}[guilty]
    os.chown(path, -1, 1)
    path.chmod(0o664 if guilty == "toml" else 0o775)
    if guilty == "copies":
        assert place.deploy(files()) == 1
    else:
        with pytest.raises(CertkeeperError, match="group daemon can"):
            place.deploy(files())
    assert place.untouched


@pytest.mark.parametrize("inner", [".certkeeper", ".certkeeper/mumble", ".certkeeper/mumble/a.org"])
def test_no_folder_of_copies_that_somebody_else_can_change(place: Place, inner: str) -> None:
    assert place.deploy(files()) == 0
    os.chown(place.copies / inner, -1, 1)
    (place.copies / inner).chmod(0o775)
    before = (place.copies / "a.org.crt").read_bytes()
    assert place.deploy(replace(files(), stamp=6)) == 1
    assert (place.copies / "a.org.crt").read_bytes() == before
    # Even before anything is begun.
    with pytest.raises(FileTrouble, match="others can write in the folder"):
        Installed().check(Placement("mumble", Alias("a.org"), {f"{place.copies}/a.org.crt": Form.FULLCHAIN}, NO_ACCESS))
    assert place.reloaded.read_text() == "reloaded\n"


def test_nobody_looks_where_the_page_says_so(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = place.toml.read_text().replace("probe = []", f'probe = ["tls://{{name}}:{server.getsockname()[1]}"]')
        place.toml.write_text(text)
        assert place.deploy(replace(files(), looked_at=False)) == 0
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_who_hands_nothing_over_gets_nothing(place: Place) -> None:
    with pytest.raises(CertkeeperError, match="handed nothing over"):
        place.deploy_with(lambda _: 0)
    assert place.deploy_with(lambda _: 3) == 3
    assert place.untouched


def test_a_child_that_fails_afterwards_is_a_failure(place: Place) -> None:
    octets = encode(Delivery((files(),)))
    assert place.deploy_with(lambda telling: os.write(telling, octets) and 7) == 1
    assert place.made() == ["a.org.crt", "a.org.key"]
