"""Programs in front of an internet that is only an address."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from benchmarks.internet import Internet
from benchmarks.lego import Lego
from benchmarks.main import PROGRAMS
from benchmarks.model import Wanted
from benchmarks.programs import Certkeeper, DehydratedPdnsApi
from benchmarks.scenarios import BY_NAME

INTERNET = SimpleNamespace(
    api_url="http://127.0.0.2:8081",
    zones=("example.org",),
    pebble=SimpleNamespace(directory_url="https://localhost/dir", ca_bundle=Path("/bundle.pem")),
)


def script(folder: Path) -> Path:
    made = folder / "pdns_api.sh"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


def test_pdns_api_finds_its_settings_where_dehydrated_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTKEEPER_PDNS_API", str(script(tmp_path)))
    program = DehydratedPdnsApi(tmp_path / "own", cast("Internet", INTERNET))
    job = program.job([Wanted("one", ("a.example.org",))], wait=150)
    settings = (tmp_path / "own/config").read_text().splitlines()
    assert {
        f'HOOK="{tmp_path}/pdns_api.sh"',
        'PDNS_HOST="127.0.0.2"',
        'PDNS_PORT="8081"',
        'PDNS_KEY="secret"',
        'PDNS_WAIT="150"',
    } <= set(settings)
    assert (job.command[1:], job.environment) == (("--config", str(tmp_path / "own/config"), "--cron"), {})


def test_without_the_script_it_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CERTKEEPER_PDNS_API", raising=False)
    assert DehydratedPdnsApi.executable() is None


def test_some_scenarios_are_certkeepers_alone() -> None:
    assert [program for program in PROGRAMS if program.suits(BY_NAME["zones"])] == [Certkeeper]
    assert Lego.suits(BY_NAME["5zones"])
