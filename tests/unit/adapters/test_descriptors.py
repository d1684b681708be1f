"""Where no descriptor is left, that is what is told: not a broken file, a silent server or an untrusted certificate."""

import errno
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from urllib3.exceptions import NewConnectionError
from urllib3.exceptions import SSLError as WrappedSslError

import certkeeper.adapters.delegation
import certkeeper.adapters.dnsquestions
import certkeeper.adapters.dnswire
from builders.certificates import NOW, new_key
from builders.effects import in_child
from certkeeper.adapters.accounts import Accounts
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.descriptors import out_of_descriptors, perhaps_out_of_descriptors
from certkeeper.adapters.hooks import Hooks
from certkeeper.adapters.http import HttpClient
from certkeeper.adapters.journal import Journal
from certkeeper.adapters.page import read_page
from certkeeper.adapters.resolver import Named, SystemNameservers
from certkeeper.adapters.store import Store
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import ExitCode, Fault, OutOfDescriptors
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Request
from certkeeper.config.settings import NameserverOverride, ServerAddress
from certkeeper.plan.records import HookDebt
from certkeeper.zone.propagation import Question, Server
from contract.store.folders import issue

ALIAS = Alias("example.org")
EMFILE = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def circle() -> Exception:
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    return one


@pytest.mark.parametrize(
    "error",
    [
        EMFILE,
        OSError(errno.ENFILE, os.strerror(errno.ENFILE)),
        caused(NewConnectionError(None, "failed"), EMFILE),  # type: ignore[arg-type]
        caused(ValueError("outer"), caused(ValueError("inner"), EMFILE)),
        WrappedSslError(EMFILE),
        ImportError("libssl.so.3: cannot open shared object file: Too many open files"),
    ],
    ids=repr,
)
def test_it_is_found_behind_what_wraps_it(error: Exception) -> None:
    found = out_of_descriptors("a thing", error)
    assert found is not None
    assert str(found) == "a thing: too many open files"
    assert "ulimit -n" in found.hint
    assert "LimitNOFILE" in found.hint
    assert (found.local, found.fault, found.exit_code) == (True, Fault.OPERATOR, ExitCode.FAILED)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOENT, "no such file"),
        ImportError("no module named x"),
        ValueError("Too many open files"),
        ssl.SSLError(1, "handshake failed"),
        circle(),
    ],
    ids=str,
)
def test_nothing_else_is_taken_for_it(error: Exception) -> None:
    assert out_of_descriptors("a thing", error) is None
    assert perhaps_out_of_descriptors("a thing", error) is None


def test_what_hides_why_counts_where_hardly_any_are_left() -> None:
    def child() -> None:
        import resource  # noqa: PLC0415 - in the child only

        used = len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - names only
        error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 100, used + 100))
        assert perhaps_out_of_descriptors("a name", error) is None
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 4, used + 4))
        assert perhaps_out_of_descriptors("a name", error) is not None

    assert in_child(child) == 0


# --- adapters without one ---------------------------------------------------------------------------------------------


def starved(action: Callable[[], object], spare: int = 0) -> None:
    """In a child that may open nothing more, or only so many, the action raises OutOfDescriptors."""

    def child() -> None:
        import resource  # noqa: PLC0415 - in the child only

        held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1 + spare)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1] + 1, held[-1] + 1))
        for fd in held[1:]:
            os.close(fd)
        with pytest.raises(OutOfDescriptors, match="too many open files"):
            action()

    assert in_child(child) == 0


def request(url: str) -> Callable[[], object]:
    client = HttpClient()
    return lambda: client.send(Request("GET", url))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://127.0.0.1:9/", "http://localhost:9/"])
def test_a_request(url: str) -> None:
    starved(request(url))


def test_roots_that_are_to_be_loaded(tmp_path: Path) -> None:
    bundle = tmp_path / "roots.pem"
    trustme.CA().cert_pem.write_to_path(bundle)
    starved(lambda: HttpClient(str(bundle)))


def test_a_question_to_a_name_server() -> None:
    server = Server("ns.example", "127.0.0.1", 9)
    owner = DnsName("_acme-challenge.example.org")
    question = Question(DnsName("example.org"), {owner: frozenset({"value"})}, None)
    starved(lambda: certkeeper.adapters.dnswire.ask(server, question, NOW))
    starved(lambda: certkeeper.adapters.dnsquestions.ask(server, [(owner, "TXT")]))


def test_the_look_for_a_zones_name_servers() -> None:
    starved(lambda: certkeeper.adapters.delegation.servers_of(DnsName("example.org")))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "ns.example.invalid"])
def test_name_servers_that_the_operator_named(host: str) -> None:
    nameservers = SystemNameservers(Named((NameserverOverride(None, (ServerAddress(host, 9),)),)))
    starved(lambda: nameservers.of(DnsName("example.org")))


def test_a_lineage_is_not_taken_for_a_broken_one(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    issue(store, new_key(), alias=ALIAS)
    starved(lambda: store.lineage(ALIAS))
    starved(lambda: store.live_key(ALIAS))
    starved(lambda: store.versions(ALIAS))


def test_the_account_the_page_and_a_claim(tmp_path: Path) -> None:
    accounts, claims = Accounts(str(tmp_path)), Claims(str(tmp_path / "state"))
    accounts.save_key("https://ca.example/dir", new_key())
    (tmp_path / "config").write_text("")
    starved(lambda: accounts.read("https://ca.example/dir"))
    starved(lambda: read_page(str(tmp_path / "config"), "/", {}))
    starved(lambda: claims.hold(ALIAS))


@pytest.mark.parametrize("spare", range(5))
def test_the_journal(tmp_path: Path, spare: int) -> None:
    """SQLite opens one file after the other, and says of each of them the same."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    debt = HookDebt(ALIAS, "deploy_cert", 1)

    def write() -> None:
        Journal(str(state), Claims(str(state))).write((debt,), ())
        assert spare >= 2, "that cannot be enough"
        raise OutOfDescriptors("it was enough")

    starved(write, spare)


def test_a_hook(tmp_path: Path) -> None:
    script = tmp_path / "hook.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    starved(lambda: Hooks().call(HookCall(str(script), "deploy_cert", ())))
