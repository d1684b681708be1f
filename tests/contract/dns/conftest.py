"""Servers for the suite: one of each sort per worker process, all on zones of their own."""

from collections.abc import Iterator

import pytest

from bed import builds
from bed.bind import Bind
from bed.mariadb import MariaDb
from bed.powerdns import PowerDns as Server
from bed.world import World
from contract.dns.others import BindProvider, LexiconProvider, ManualProvider, Served
from contract.dns.providers import FakeDns, Provider, RealPowerDns

REAL = ["powerdns", "trixie", "mariadb"]
OTHERS = ["rfc2136", "lexicon", "manual"]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture(scope="session")
def trixie_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """PowerDNS of Debian 13, which knows EXTEND and PRUNE."""
    with Server(tmp_path_factory.mktemp("trixie"), build=builds.trixie()) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb(tmp_path_factory.mktemp("mariadb")) as database:
        yield database


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory, mariadb: MariaDb) -> Iterator[Server]:
    """PowerDNS with a database that takes several writers."""
    with Server(tmp_path_factory.mktemp("pdns-mariadb"), backend=mariadb.backend) as server:
        yield server


def server_of(request: pytest.FixtureRequest) -> Server:
    if request.param == "powerdns":
        world: World = request.getfixturevalue("shared_world")
        return world.primary
    server: Server = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture(params=[*(pytest.param(name, marks=pytest.mark.real) for name in (*REAL, *OTHERS)), "fake"])
def provider(request: pytest.FixtureRequest) -> Provider:
    match request.param:
        case "rfc2136":
            bind: Bind = request.getfixturevalue("shared_bind")
            return BindProvider(bind)
        case "lexicon":
            return LexiconProvider(request.getfixturevalue("served"))
        case "manual":
            return ManualProvider(request.getfixturevalue("served"))
        case "fake":
            return FakeDns()
        case _:
            return RealPowerDns(server_of(request))


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.real) for name in REAL])
def real(request: pytest.FixtureRequest) -> RealPowerDns:
    """What only PowerDNS promises."""
    return RealPowerDns(server_of(request))
