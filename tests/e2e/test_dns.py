"""`certkeeper dns` as people meet it before any server is asked: help, words, exit codes."""

import json
from pathlib import Path

import pytest

from builders.page import Done, certkeeper

PARTS = ("doctor", "test", "caa", "persist", "cleanup")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page whose PowerDNS and CA are not there; its folder."""
    (tmp_path / "config").write_text(
        'CHALLENGETYPE="dns-01"\nPDNS_HOST="127.0.0.1"\nPDNS_PORT="9"\nPDNS_KEY="secret"\nCA="https://localhost:9/dir"\n'
    )
    (tmp_path / "domains.txt").write_text("example.org www.example.org\n")
    return tmp_path


def dns(page: Path, *words: str) -> Done:
    done = certkeeper("dns", *words, cwd=page)
    assert "Traceback" not in done.text
    return done


def test_help_names_every_part(tmp_path: Path) -> None:
    done = dns(tmp_path, "--help")
    assert (done.code, done.err) == (0, "")
    assert all(part in done.out for part in PARTS)
    for part in PARTS:
        own = dns(tmp_path, part, "--help")
        assert (own.code, own.err) == (0, "")
        assert f"certkeeper dns {part}" in own.out
        assert "--config" in own.out
        assert "exit codes" in own.out


@pytest.mark.parametrize("words", [(), ("docter",), ("test",), ("doctor", "--fixit")])
def test_what_is_typed_wrongly_is_a_usage_error(page: Path, words: tuple[str, ...]) -> None:
    done = dns(page, *words)
    assert done.code == 2
    assert "usage: certkeeper" in done.err


@pytest.mark.parametrize("words", [("doctor",), ("test", "example.org"), ("caa",), ("cleanup",)])
def test_servers_that_are_not_there_are_an_error_with_a_hint(page: Path, words: tuple[str, ...]) -> None:
    done = dns(page, words[0], "--config", "config", *words[1:])
    assert done.code == 1
    assert done.only_error().startswith(("http://127.0.0.1:9/", "https://localhost:9/dir"))
    assert "secret" not in done.text


@pytest.mark.parametrize("words", [("doctor", "example.org"), ("test", "example.org")])
def test_a_page_without_powerdns_is_a_configuration_error(page: Path, words: tuple[str, ...]) -> None:
    (page / "config").write_text('CHALLENGETYPE="dns-01"\nCA="https://localhost:9/dir"\n')
    (page / "domains.txt").write_text("")
    done = dns(page, words[0], "--config", "config", *words[1:])
    assert done.code == 2
    assert "PDNS_HOST" in "".join(done.hints)


def test_a_certificate_that_is_not_there_is_a_usage_error(page: Path) -> None:
    done = dns(page, "caa", "--config", "config", "exmaple.org")
    assert done.code == 2
    assert "did you mean example.org?" in done.err


def broken_zone(page: Path) -> str:
    """Give a zone of the page a file whose key is not there; what is said of it."""
    zones = page / "zones"
    zones.mkdir()
    (zones / "example.net").write_text(
        f'DNS_PROVIDER="rfc2136"\nRFC2136_SERVER="127.0.0.1"\nRFC2136_KEY_FILE="{page}/nothing.key"\n'
    )
    with (page / "config").open("a") as config:
        config.write(f'ZONES_D="{zones}"\n')
    (page / "domains.txt").write_text("example.org\nexample.net www.example.net\n")
    return f"{page}/nothing.key: cannot be read: no such file or directory"


def test_a_zone_whose_provider_cannot_be_set_up_is_told_once_beside_the_others(page: Path) -> None:
    said = broken_zone(page)
    done = dns(page, "doctor", "--config", "config", "--json")
    assert done.code == 1
    first, second = json.loads(done.out)["findings"]
    assert (first["message"], first["consequence"]) == (said, "not looked at: example.net, www.example.net")
    assert second["consequence"] == "not looked at: example.org"
    text = dns(page, "doctor", "--config", "config")
    assert text.code == 1
    assert text.out.count(said) == 1
    assert text.out.endswith("0 zones: 2 errors\n")
    cleaned = dns(page, "cleanup", "--config", "config", "--dry-run")
    assert cleaned.code == 1
    assert [error.split(": ")[0] for error in cleaned.errors] == [said.split(": ")[0], second["message"].split(": ")[0]]


def test_a_zone_that_was_typed_and_cannot_be_set_up_is_told(page: Path) -> None:
    said = broken_zone(page)
    assert dns(page, "doctor", "www.example.net", "--config", "config").only_error() == said
    done = dns(page, "doctor", "www.example.net", "--config", "config", "--json")
    assert done.code == 1
    assert [item["message"] for item in json.loads(done.out)["findings"]] == [said]


@pytest.mark.parametrize("words", [(), ("example.org",)])
def test_doctor_has_a_document_where_the_only_provider_cannot_be_asked(page: Path, words: tuple[str, ...]) -> None:
    done = dns(page, "doctor", *words, "--json", "--config", "config")
    assert (done.code, done.err) == (1, "")
    document = json.loads(done.out)
    assert document["zones"] == []
    (finding,) = document["findings"]
    assert finding["code"] == "provider-unreadable"
    assert finding["message"].startswith("http://127.0.0.1:9/")
