"""The page that its owners work from today, looked at as a whole, and moved."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from builders.page import certkeeper, environment, tree_hash

SEED = Path(__file__).parents[1] / "data" / "seed"
SECRET = "very-secret-key"


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """Its config, with its own folder for all that it names, and closed to others."""
    folder = tmp_path / "dehydrated"
    shutil.copytree(SEED, folder)
    config = folder / "config"
    text = config.read_text(encoding="utf-8").replace("KEY=secret", f"KEY={SECRET}")
    text = text.replace('BASEDIR="/etc/dehydrated"', f'BASEDIR="{folder}"').replace("/var/run/", f"{folder}/")
    config.write_text(text, encoding="utf-8")
    config.chmod(0o600)
    return config


def test_check_reports_the_seed_s_issues_and_ends_well(seed: Path) -> None:
    before = tree_hash(seed.parent)
    done = certkeeper("config", "check", "--json", "-f", seed, cwd=seed.parent)
    assert (done.code, done.err) == (0, "")
    found = {item["code"]: item for item in json.loads(done.out)["findings"]}
    assert {
        "acme-v1-url",
        "must-staple-refused",
        "semicolon-comment",
        "legacy-pdns-names",
        "unused-certificate-config",
        "key-algo-default",
        "api-key-in-clear",
    } <= set(found)
    assert found["acme-v1-url"]["where"] == f"{seed}:21"
    assert SECRET not in done.text
    assert tree_hash(seed.parent) == before
    text = certkeeper("config", "check", "-f", seed, cwd=seed.parent)
    assert text.out.splitlines()[-1].startswith("6 warnings, ")


def test_check_tells_all_errors_and_fails(seed: Path) -> None:
    seed.write_text(seed.read_text() + "RENEW_DAYS=soon\nKEYSIZE=x\nKEY_ALGO=rsa\n")
    (seed.parent / "domains.txt").write_text("g_.org\nexample.net\n")
    done = certkeeper("config", "check", "-f", seed, cwd=seed.parent)
    assert done.code == 1
    errors = [line for line in done.out.splitlines() if line.startswith("error: ")]
    assert {line.split(": ")[1].rpartition(":")[2] for line in errors} == {"130", "131", "1"}
    assert certkeeper("config", "check", "-f", seed.parent / "nothing", cwd=seed.parent).code == 1


def test_show_masks_the_key_in_every_form(seed: Path) -> None:
    for arguments in ((), ("--json",), ("xmpp.example.net",), ("--json", "xmpp.example.net")):
        done = certkeeper("config", "show", "-f", seed, *arguments, cwd=seed.parent)
        assert (done.code, done.err) == (0, "")
        assert SECRET not in done.text
        assert str(seed) in done.out
    document = json.loads(certkeeper("config", "show", "--json", "-f", seed, cwd=seed.parent).out)
    key = next(item for item in document["settings"] if item["name"] == "PDNS_KEY")
    assert key == {
        "name": "PDNS_KEY",
        "value": "********",
        "origin": "file",
        "file": str(seed),
        "line": 123,
        "under": "KEY",
    }


def test_show_does_without_the_list(seed: Path) -> None:
    (seed.parent / "domains.txt").unlink()
    done = certkeeper("config", "show", "-f", seed, cwd=seed.parent)
    assert done.code == 0
    assert "PDNS_HOST" in done.out
    assert done.only_error().startswith(f"{seed.parent}/domains.txt: cannot be read")
    assert certkeeper("config", "show", "-f", seed, "x", cwd=seed.parent).code != 0


def test_a_converted_page_takes_the_place_of_the_old_one(seed: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "certkeeper.toml"
    printed = certkeeper("config", "convert", "-f", seed, cwd=seed.parent)
    assert printed.code == 0
    assert SECRET not in printed.text
    assert "1 secret left out" in printed.err
    tomllib.loads(printed.out)
    before = tree_hash(seed.parent)
    done = certkeeper("config", "convert", "-f", seed, "--out", out, cwd=seed.parent)
    assert done.code == 0, done.text
    assert SECRET not in done.text
    assert (out.stat().st_mode & 0o777, SECRET in out.read_text()) == (0o600, True)
    again = certkeeper("config", "convert", "-f", seed, "--out", out, cwd=seed.parent)
    assert again.code == 1
    assert again.only_error() == f"{out}: is there already"
    assert tree_hash(seed.parent) == before

    statuses = [certkeeper("status", "--json", "-f", config, cwd=tmp_path) for config in (seed, out)]
    assert [done.code for done in statuses] == [0, 0]
    old, new = (json.loads(done.out)["certificates"] for done in statuses)
    assert old == new
    assert len(new) == 5
    named = certkeeper("status", cwd=tmp_path, env=environment({"CONFIG": str(out)}))
    assert "xmpp.example.net" in named.out


def test_doctor_goes_on_where_nobody_answers(seed: Path) -> None:
    text = seed.read_text().replace("HOST=ns0.example.net", "HOST=127.0.0.1").replace("PORT=8081", "PORT=9")
    seed.write_text(text + 'CA="https://localhost:9/directory"\nCAA_CHECK=no\nKEYSIZE=1\nKEY_ALGO=rsa\n')
    done = certkeeper("doctor", "--json", "-f", seed, cwd=seed.parent)
    assert done.code == 1
    assert "Traceback" not in done.text
    found = [(item["severity"], item["code"], item["message"]) for item in json.loads(done.out)["findings"]]
    errors = [(code, message) for severity, code, message in found if severity == "error"]
    assert ("unreadable-page", "KEYSIZE: '1' is no number from 2048 to 16384") in errors
    assert any(code == "run-would-fail" and "127.0.0.1:9" in message for code, message in errors)
    assert "semicolon-comment" in {code for _, code, _ in found}
    assert SECRET not in done.text
