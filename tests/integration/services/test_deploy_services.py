"""Certificates in real mail servers, a chat server and proxies, by the installed program, as their clients see them."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed import trixie
from bed.services.apache import Apache
from bed.services.dovecot import Dovecot
from bed.services.haproxy import Haproxy
from bed.services.postfix import Postfix, made_several
from bed.services.prosody import ProsodyByFolder
from bed.waiting import wait_until
from bed.world import World
from builders.oldfolders import leave_as_dehydrated
from contract.services.scenes import Pair
from integration.services.deployed import Served, Table, by_pid_file, probes, shown

pytestmark = [pytest.mark.real, pytest.mark.long]

ALIAS = "site"
STARTTLS = {
    "smtp": "smtp",
    "imap": "imap",
    "pop3": "pop3",
    "lmtp": "lmtp",
    "sieve": "sieve",
    "xmpp-client": "xmpp",
    "xmpp-server": "xmpp-server",
}


@dataclass
class Scene:
    """A service with a certificate of before. `reloads` counts by its own log, `config` is its main file.

    `prefix` stands in front of a command that is to find the service's programs.
    """

    name: str
    reloads: Callable[[], int]
    config: Path
    ports: Mapping[str, int]
    prefix: Sequence[str] = ()

    def leaves(self) -> set[bytes | None]:
        return {shown(port, self.name, STARTTLS.get(word, "")) for word, port in self.ports.items()}


@contextmanager
def postfix(place: Path, page: Served, name: str) -> Iterator[Scene]:
    pair = Pair.new(name)
    copy = put(place / "copies" / f"{ALIAS}.pem", pair.key + pair.fullchain)
    with Postfix(copy) as bed:
        log = bed.folder / "postfix.log"
        page.describe(
            postfix={
                "config": bed.config,
                "files": {"key+fullchain": place / "copies" / "{alias}.pem"},
                "probe": probes(bed.ports, "smtp", "smtps"),
            }
        )
        yield Scene(name, lambda: log.read_text().count("reload -- version"), bed.main, bed.ports)


@contextmanager
def dovecot(
    place: Path, page: Served, name: str, program: Sequence[str] = (), prefix: Sequence[str] = ()
) -> Iterator[Scene]:
    leave_as_dehydrated(page.place(ALIAS), [name])
    with Dovecot(place / "dovecot", *page.pair(ALIAS), program) as bed:
        page.describe(
            dovecot={"config": bed.config, "probe": probes(bed.ports, "imap", "imaps", "pop3", "sieve", "lmtp")}
        )
        yield Scene(name, lambda: bed.said().count("SIGHUP received"), bed.config, bed.ports, prefix)


@contextmanager
def dovecot_of_trixie(place: Path, page: Served, name: str) -> Iterator[Scene]:
    """2.4, whose settings have other names."""
    prefix = trixie.found_by(place / "programs", ("doveadm", "doveconf"))
    with dovecot(place, page, name, trixie.program("/usr/sbin/dovecot"), prefix) as scene:
        assert f"ssl_server_cert_file = {page.pair(ALIAS)[0]}" in scene.config.read_text(encoding="utf-8")
        yield scene


@contextmanager
def apache2(place: Path, page: Served, name: str) -> Iterator[Scene]:
    leave_as_dehydrated(page.place(ALIAS), [name])
    with Apache(place / "apache", name, *page.pair(ALIAS)) as bed:
        log = place / "apache" / "error.log"
        page.describe(
            apache2={
                "config": bed.config,
                "running": by_pid_file(bed.pid_file, "/usr/sbin/apache2"),
                "probe": probes(bed.ports, "https"),
            }
        )
        yield Scene(name, lambda: log.read_text().count("Doing graceful restart"), bed.config, bed.ports)


@contextmanager
def haproxy(place: Path, page: Served, name: str) -> Iterator[Scene]:
    pair = Pair.new(name)
    copy = put(place / "copies" / f"{ALIAS}.pem", pair.fullchain + pair.key)
    with Haproxy(copy) as bed:
        page.describe(
            haproxy={
                "config": bed.config,
                "files": {"fullchain+key": place / "copies" / "{alias}.pem"},
                "running": by_pid_file(bed.pid_file, "/usr/sbin/haproxy"),
                "reload": ["start-stop-daemon", "--stop", "--signal", "USR2", "--pidfile", bed.pid_file],
                "probe": probes(bed.ports, "https"),
            }
        )
        workers = [bed.workers()]

        def reloads() -> int:
            if bed.workers() - workers[-1]:
                workers.append(bed.workers())
            return len(workers) - 1

        yield Scene(name, reloads, bed.config, bed.ports)


@contextmanager
def prosody(place: Path, page: Served, name: str) -> Iterator[Scene]:
    certificates = put_for_prosody(place, name)
    with ProsodyByFolder(place / "prosody", name, certificates) as bed:
        page.describe(prosody=prosody_table(bed, certificates))
        yield Scene(name, lambda: bed.said().count("Reloading configuration"), bed.config, bed.ports)


@contextmanager
def haproxy_by_socket(place: Path, page: Served, name: str) -> Iterator[tuple[Haproxy, Scene]]:
    pair = Pair.new(name)
    with Haproxy(put(place / "copies" / f"{ALIAS}.pem", pair.fullchain + pair.key)) as bed:
        page.describe(
            haproxy={
                "config": bed.config,
                "files": {"fullchain+key": place / "copies" / "{alias}.pem"},
                "running": by_pid_file(bed.pid_file, "/usr/sbin/haproxy"),
                "socket": bed.socket,
                "probe": probes(bed.ports, "https"),
            }
        )
        yield bed, Scene(name, lambda: 0, bed.config, bed.ports)


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def put_for_prosody(place: Path, name: str) -> Path:
    """What prosody's own tool would have made."""
    pair, folder = Pair.new(name), place / "certs"
    for path in (put(folder / f"{name}.crt", pair.fullchain), put(folder / f"{name}.key", pair.key)):
        shutil.chown(path, "prosody", "prosody")
    return folder


def prosody_table(bed: ProsodyByFolder, certificates: Path) -> Table:
    return {
        "config": bed.config,
        "files": {"fullchain": certificates / "{name}.crt", "privkey": certificates / "{name}.key"},
        "probe": probes(bed.ports, *bed.ports),
    }


@pytest.mark.parametrize(
    "make", [postfix, dovecot, dovecot_of_trixie, apache2, haproxy, prosody], ids=lambda make: make.__name__
)
def test_a_service_shows_what_was_issued_and_what_was_renewed(
    make: Callable[[Path, Served, str], AbstractContextManager[Scene]], place: Path, shared_world: World, zone: str
) -> None:
    service = make.__name__.partition("_")[0]
    page = Served(place / "page", shared_world, f"{zone} > {ALIAS}", DEPLOY=service)
    with make(place, page, zone) as scene:
        assert len(scene.leaves() - {None}) == 1
        for number, arguments in enumerate(((), ("--force",)), start=1):
            done = page.run(*arguments, prefix=scene.prefix)
            assert (done.code, done.err) == (0, ""), done.text
            assert f"{service}: reloaded for {ALIAS}\n{service}: deployed {ALIAS}: seen at " in done.out
            wait_until(lambda: scene.leaves() == {page.leaf(ALIAS)}, "it shows what is live", deadline=3)
            assert scene.reloads() == number
        before = scene.leaves()
        done = page.run(prefix=scene.prefix)
        assert (done.code, done.out.partition(";")[0]) == (0, "1 certificate, nothing due")
        assert (scene.reloads(), scene.leaves()) == (2, before)

        whole = scene.config.read_text(encoding="utf-8")
        scene.config.write_text(whole + "\nthis is { no configuration\n", encoding="utf-8")
        done = page.run("--force", prefix=scene.prefix)
        assert done.code == 1
        # Whether they run, these can tell no more: what they are asked with reads the same file.
        asked = service in {"postfix", "dovecot", "prosody"}
        unknown = "it does not run, as far as it can tell, and " if asked else ""
        assert done.only_error().startswith(f"{service}: {ALIAS}: {unknown}its test says: ")
        assert (scene.reloads(), scene.leaves()) == (2, before)
        scene.config.write_text(whole, encoding="utf-8")
        done = page.run(prefix=scene.prefix)
        assert (done.code, done.err) == (0, ""), done.text
        wait_until(lambda: scene.leaves() == {page.leaf(ALIAS)}, "it shows what is live", deadline=3)
        assert scene.leaves() != before


def test_haproxy_takes_it_through_its_socket_without_another_process(
    place: Path, shared_world: World, zone: str
) -> None:
    page = Served(place / "page", shared_world, f"{zone} > {ALIAS}", DEPLOY="haproxy")
    with haproxy_by_socket(place, page, zone) as (bed, scene):
        workers = bed.workers()
        for arguments in ((), ("--force",)):
            done = page.run(*arguments)
            assert (done.code, done.err) == (0, ""), done.text
            assert f"haproxy: deployed {ALIAS}: seen at " in done.out
            assert scene.leaves() == {page.leaf(ALIAS)}
        assert bed.workers() == workers
        # It has no other way to take files: nobody said how it is reloaded.
        bed.socket.unlink()
        before = scene.leaves()
        done = page.run("--force")
        assert done.code == 1
        assert str(bed.socket) in done.only_error()
        assert scene.leaves() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to a group that it is not in")
def test_prosody_gets_what_its_user_can_read_and_nothing_else(place: Path, shared_world: World, zone: str) -> None:
    page = Served(place / "page", shared_world, f"{zone} > {ALIAS}", DEPLOY="prosody")
    certificates = put_for_prosody(place, zone)
    with ProsodyByFolder(place / "prosody", zone, certificates) as bed:
        table = prosody_table(bed, certificates)
        (before,) = leaves = {shown(bed.ports["xmpps-client"], zone)}
        # Debian's user prosody is not in it.
        page.describe(prosody={**table, "group": "ssl-cert"})
        done = page.run()
        assert done.code == 1
        told = done.only_error()
        assert f"prosody: {ALIAS}: its test says: prosody cannot read " in told
        assert f"{certificates}/{zone}.key" in told
        assert "went back to version " in told
        assert {shown(port, zone, STARTTLS.get(word, "")) for word, port in bed.ports.items()} == leaves
        assert before is not None

        # Its own group is what its kind says.
        page.describe(prosody=table)
        done = page.typed("deploy")
        assert (done.code, done.err) == (0, ""), done.text
        assert shown(bed.ports["xmpps-client"], zone) == page.leaf(ALIAS)
        assert shown(bed.ports["xmpp-client"], zone, "xmpp") == page.leaf(ALIAS)
        key = certificates / f"{zone}.key"
        assert (key.group(), key.stat().st_mode & 0o777) == ("prosody", 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Postfix")
def test_several_instances_of_postfix_are_told_one_by_one(place: Path, shared_world: World, zone: str) -> None:
    page = Served(place / "page", shared_world, f"{zone} > {ALIAS}", DEPLOY="postfix")
    pair = Pair.new(zone)
    copy = put(place / "copies" / f"{ALIAS}.pem", pair.key + pair.fullchain)
    with Postfix(copy) as first, Postfix(copy) as second:
        made_several([first, second])
        table = {
            "files": {"key+fullchain": place / "copies" / "{alias}.pem"},
            "probe": [*probes(first.ports, "smtp", "smtps"), *probes(second.ports, "smtp", "smtps")],
        }
        # A folder is one instance's, whatever others there are.
        page.describe(postfix={**table, "config": first.config})
        done = page.run()
        assert (done.code, done.err) == (0, ""), done.text
        unproven = f"postfix: {ALIAS}: unproven: smtp://{zone}:{second.ports['smtp']}@127.0.0.1: another certificate"
        assert unproven in done.out
        assert (told(first), told(second)) == (1, 0)

        page.describe(postfix={**table, "instances": [first.config, second.config]})
        for number, arguments in enumerate((("deploy",), ("run", "--force")), start=1):
            done = page.typed(*arguments)
            assert (done.code, done.err) == (0, ""), done.text
            assert f"postfix: deployed {ALIAS}: seen at " in done.out
            assert (told(first), told(second)) == (1 + number, number)
            for bed in (first, second):
                assert shown(bed.ports["smtp"], zone, "smtp") == page.leaf(ALIAS)


def told(bed: Postfix) -> int:
    return (bed.folder / "postfix.log").read_text(encoding="utf-8").count("reload -- version")
