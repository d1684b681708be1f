"""What is run for services: the words, the environment, the bounds; and what systemd is told where it runs."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from certkeeper.adapters.clients import Clients
from certkeeper.adapters.probe import Prober
from certkeeper.adapters.services.commands import PATH, CommandFailed, Commands
from certkeeper.adapters.services.haproxy import NotUpdated, update
from certkeeper.adapters.services.local import LocalServices, NotRunning
from certkeeper.apply.deployports import Condition
from certkeeper.base.value import replace
from certkeeper.service.target import Command, Kind, Target
from contract.services.scenes import NO_SYSTEMD

TARGET = Target("web", Kind.COMMAND, unit="web.service", apply=(Command(("web", "reload")),))


def stub(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def under_systemd(folder: Path, active: int = 0) -> LocalServices:
    """systemd, as far as it is asked: `systemctl` notes its words."""
    stub(folder, "systemctl", f'echo "$*" >>{folder}/told\n[ "$1" != is-active ] || exit {active}')
    return LocalServices(Commands(f"{folder}:{PATH}"), str(folder))


def told(folder: Path) -> list[str]:
    return (folder / "told").read_text(encoding="utf-8").splitlines()


def test_systemd_reloads_a_unit(tmp_path: Path) -> None:
    under_systemd(tmp_path).apply(TARGET, ())
    assert told(tmp_path) == ["is-active --quiet web.service", "reload web.service"]


def test_and_restarts_one_that_needs_it_only_if_it_runs(tmp_path: Path) -> None:
    under_systemd(tmp_path).apply(replace(TARGET, restarts=True), ())
    assert told(tmp_path)[1:] == ["try-restart web.service"]


def test_a_unit_that_is_stopped_is_not_told_anything(tmp_path: Path) -> None:
    stub(tmp_path, "web", "exit 0")
    services = under_systemd(tmp_path, active=3)
    assert services.condition(TARGET) is Condition.STOPPED
    with pytest.raises(NotRunning):
        services.apply(TARGET, ())
    assert {line.split()[0] for line in told(tmp_path)} == {"is-active"}


def test_a_unit_that_is_not_known_is_not_installed(tmp_path: Path) -> None:
    services = under_systemd(tmp_path, active=4)
    assert services.condition(replace(TARGET, apply=())) is Condition.NOT_INSTALLED


def test_without_systemd_the_services_own_command_is_run(tmp_path: Path) -> None:
    stub(tmp_path, "web", f'echo "web $*" >>{tmp_path}/told')
    LocalServices(Commands(f"{tmp_path}:{PATH}"), NO_SYSTEMD).apply(TARGET, ())
    assert told(tmp_path) == ["web reload"]


def test_a_command_that_fails_is_told_with_its_status_and_last_words() -> None:
    words = ("sh", "-c", "seq 100; echo 'no such file' >&2; exit 7")
    with pytest.raises(CommandFailed, match=r"^web: sh -c .* ended with status 7: 94 .* no such file$"):
        Commands().run("web", Command(words))


def test_one_that_hangs_is_killed_with_all_that_it_started() -> None:
    began = time.monotonic()
    with pytest.raises(CommandFailed, match=r"did not end within 0\.3 s"):
        Commands().run("web", Command(("sh", "-c", "sleep 60 & sleep 60"), timedelta(seconds=0.3)))
    assert time.monotonic() - began < 20


def test_nothing_of_our_environment_and_input_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDNS_KEY", "secret")
    with pytest.raises(CommandFailed) as failed:
        Commands().run("web", Command(("sh", "-c", "cat; env; exit 1")))
    assert "secret" not in str(failed.value)
    assert "LC_ALL=C" in str(failed.value)


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandFailed, match="cannot be started: no such file"):
        Commands().run("web", Command(("no-such-program-anywhere",)))
    assert not Commands().has(Command(("no-such-program-anywhere",)))


@contextmanager
def answering(path: Path, answers: list[bytes]) -> Iterator[list[bytes]]:
    """A runtime API with these answers, one for each connection; what it was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield asked
        thread.join(10)


def test_a_commit_that_haproxy_refuses_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "s"
    answers = [b"Transaction created for certificate /c!\n", b"Can't commit\n", b"aborted\n"]
    with answering(path, answers) as asked, pytest.raises(NotUpdated, match="Can't commit"):
        update(str(path), "", {"/c": b"a\n\nb\n"})
    assert asked == [b"set ssl cert /c <<\na\nb\n\n", b"commit ssl cert /c\n", b"abort ssl cert /c\n"]


def test_a_transaction_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with answering(path, [b"The ongoing transaction is about '/d'\n"]) as asked, pytest.raises(NotUpdated):
        update(str(path), "", {"/c": b"a\n"})
    assert len(asked) == 1


def test_addresses_of_this_machine() -> None:
    clients = Clients(Prober())
    assert "127.0.0.1" in clients.addresses_here("localhost")
    assert clients.addresses_here("192.0.2.1") == ("127.0.0.1", "::1")
    assert clients.addresses_here("nobody.invalid") == ("127.0.0.1", "::1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root refuses what one other user can change")
def test_what_another_user_can_change_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    stub(tmp_path, "web", f"touch {ran}")
    os.chown(tmp_path / "web", 65534, -1)
    for words in (("web", "reload"), (f"{tmp_path}/web", "reload")):
        with pytest.raises(CommandFailed, match="is not run: user nobody can change it") as refused:
            Commands(f"{tmp_path}:{PATH}").run("web", Command(words))
        assert (refused.value.hint, ran.exists()) == (f"chown root {tmp_path}/web", False)
    os.chown(tmp_path / "web", 0, -1)
    Commands(f"{tmp_path}:{PATH}").run("web", Command(("web",)))
    assert ran.exists()


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("warning: /etc/sni, line 2: open /x: No such file: skipping this entry", "/etc/sni, line 2: open /x"),
        ('warning: /etc/sni: logical line must not start with whitespace: " x"', "/etc/sni: logical line"),
        ("fatal: open database /etc/sni: No such file or directory", "open database /etc/sni"),
        # Passed over: a second line for a name, and what is wrong elsewhere.
        ('warning: /etc/sni, line 3: duplicate entry: "x.example"', ""),
        ('warning: /etc/sni.db: duplicate entry: "x.example"', ""),
        ("warning: /etc/postfix/main.cf, line 9: overriding earlier entry: x=y", ""),
    ],
)
def test_what_is_said_against_a_table_is_an_error_though_the_command_ends_well(
    tmp_path: Path, printed: str, told: str
) -> None:
    stub(tmp_path, "postmap", f"echo 'postmap: {printed}'; echo 'postmap: {printed}'")
    commands = Commands(f"{tmp_path}:{PATH}")
    command = Command(("postmap", "-F", "hash:/etc/sni"), table="/etc/sni")
    if told:
        with pytest.raises(CommandFailed, match=f"^postfix: postmap -F hash:/etc/sni warns: {told}") as caught:
            commands.run("postfix", command)
        assert str(caught.value).count(told) == 1
        assert caught.value.hint is not None
        assert "mend /etc/sni" in caught.value.hint
    else:
        commands.run("postfix", command)


def test_a_command_may_say_yes_in_more_than_one_way(tmp_path: Path) -> None:
    commands = Commands(f"{tmp_path}:{PATH}")
    commands.run("web", Command(("sh", "-c", "exit 1"), ends=(0, 1)))
    with pytest.raises(CommandFailed, match="ended with status 2"):
        commands.run("web", Command(("sh", "-c", "exit 2"), ends=(0, 1)))
