"""A real Prosody, which reads keys as itself: with CERT_GROUP and in the group it serves, and else it does not."""

import grp
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.services.prosody import Prosody
from builders.certificates import new_key
from certkeeper.adapters.ownership import resolve
from certkeeper.adapters.store import Store
from certkeeper.base.access import Access
from certkeeper.lineage import layout
from contract.store.folders import ALIAS, NOW_STAMP, issue

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to a group that it is not in")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody gets through."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def shared_group() -> str:
    """Debian's group for keys, where there is one."""
    try:
        return grp.getgrnam("ssl-cert").gr_name
    except KeyError:
        return "adm"


def served(server: Prosody) -> bytes | None:
    """The leaf that a client gets, as DER; None where there is no handshake."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", server.ports["xmpps-client"]), 10) as connection,
            context.wrap_socket(connection, server_hostname=ALIAS.text) as tls,
        ):
            return tls.getpeercert(binary_form=True)
    except (ssl.SSLError, OSError):
        return None


def assert_refused(server: Prosody) -> None:
    assert served(server) is None
    assert f"Failed to load '{server.key}'" in server.log.read_text()


def leaf(folder: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((folder / layout.CERT).read_text())


def test_prosody_serves_what_its_group_may_read(place: Path) -> None:
    group = shared_group()
    owned = resolve(Access(group=group))
    certs = place / "certs"
    folder = certs / ALIAS.text
    pair = folder / layout.FULLCHAIN, folder / layout.PRIVKEY
    issue(Store(str(certs)), new_key())
    with Prosody(place / "closed", ALIAS.text, *pair, group=group, whole=False) as server:
        assert_refused(server)
    store = Store(str(certs), owned={ALIAS: owned}, entered=owned)
    store.folders.put_right(ALIAS)
    with Prosody(place / "outside", ALIAS.text, *pair, whole=False) as server:
        assert_refused(server)
    with Prosody(place / "inside", ALIAS.text, *pair, group=group) as server:
        assert served(server) == leaf(folder)
    # And a renewal, too, with nothing put right in between.
    issue(store, new_key(), NOW_STAMP + 100)
    with Prosody(place / "renewed", ALIAS.text, *pair, group=group) as server:
        assert served(server) == leaf(folder)
