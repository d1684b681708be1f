"""A real nginx under constant handshakes, while what gives it certificates is killed before each of its operations."""

import socket
import ssl
import threading
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from bed.services.nginx import NginxHosts
from bed.waiting import wait_until
from bed.world import World
from builders.oldfolders import leave_as_dehydrated
from builders.page import Done, certkeeper
from integration.killed.mortal import watched_over
from integration.services.deployed import Served, described

pytestmark = [pytest.mark.real, pytest.mark.long]

ALIAS = "site"
KILLED = -9


class Client:
    """Shakes hands without end. A handshake proves that the key belongs to the certificate that is shown."""

    def __init__(self, port: int, name: str) -> None:
        self._port, self._name = port, name
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.shown: Counter[bytes] = Counter()
        self.failures: list[str] = []

    def _run(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        while not self._stopped.is_set():
            try:
                with (
                    socket.create_connection(("127.0.0.1", self._port), timeout=10) as plain,
                    context.wrap_socket(plain, server_hostname=self._name) as tls,
                ):
                    self.shown[tls.getpeercert(binary_form=True) or b""] += 1
            except OSError as error:
                self.failures.append(str(error))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def test_a_kill_before_any_operation_fails_no_handshake(
    place: Path, shared_world: World, zone: str, tmp_path: Path
) -> None:
    page = Served(place / "page", shared_world, f"{zone} > {ALIAS}", DEPLOY="nginx own")
    leave_as_dehydrated(page.place(ALIAS), [zone])
    operations = tmp_path / "operations"
    (place / "copies").mkdir()

    def typed(command: str, die_at: int = 0) -> Done:
        operations.unlink(missing_ok=True)
        env = {**watched_over(), "BED_COUNT": str(operations), "BED_DIE_AT": str(die_at)}
        return certkeeper(command, "--config", page.config, ALIAS, cwd=page.folder, env=env)

    def settled() -> None:
        done = page.run()
        assert (done.code, done.err) == (0, ""), done.text
        leaf = page.leaf(ALIAS)
        assert page.deployments() == [("nginx", ALIAS, "seen"), ("own", ALIAS, "unproven")]
        before = client.shown[leaf]
        wait_until(lambda: client.shown[leaf] > before + 3, "nginx shows what is live", deadline=5)
        copy = (place / "copies" / f"{ALIAS}.pem").read_bytes()
        assert (
            copy
            == (page.place(ALIAS) / "privkey.pem").read_bytes() + (page.place(ALIAS) / "fullchain.pem").read_bytes()
        )

    with NginxHosts(place / "nginx", {zone: page.pair(ALIAS)}) as nginx:
        own = {
            "kind": "command",
            "files": {"key+fullchain": place / "copies" / "{alias}.pem"},
            "running": ["true"],
            "reload": ["true"],
            "probe": [],
        }
        page.describe(nginx=described(nginx), own=own)
        for arguments in ((), ("--force",)):
            assert page.run(*arguments).code == 0
        newest = page.leaf(ALIAS)
        with Client(nginx.ports["https"], zone) as client:
            settled()
            assert typed("rollback").code == 0
            known = {newest, page.leaf(ALIAS)}
            settled()
            client.shown.clear()
            assert typed("activate").code == 0
            last = len(operations.read_bytes())
            kills = 0
            for die_at in range(1, last + 1):
                back = page.leaf(ALIAS) == newest
                done = typed("rollback" if back else "activate", die_at)
                kills += done.code == KILLED
                settled()
        assert kills > last / 2
        assert client.failures == []
        assert set(client.shown) <= known
        print(f"{kills} kills, {sum(client.shown.values())} handshakes")  # noqa: T201
