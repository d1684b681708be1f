"""The hook with a curl of ours: which requests it makes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from benchmarks.programs import HOOK

ZONES = json.dumps([{"id": "example.org.", "name": "example.org."}, {"name": "sub.example.org."}])
CURL = """#!/bin/bash
while (($#)); do
    case $1 in
        -X) method=$2; shift ;;
        -d) body=$2; shift ;;
        http*) url=$1 ;;
    esac
    shift
done
printf '%s\\t%s\\t%s\\n' "$method" "$url" "${body:-}" >>"$LOG"
[[ $method == GET ]] && printf '%s' "$ZONES"
[[ $url != *"${REFUSED:-nothing}"* ]]
"""

Asked = list[tuple[str, str, Any]]


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, Asked]:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "curl").write_text(CURL)
    (programs / "curl").chmod(0o755)
    log = folder / "log"
    log.touch()
    ended = subprocess.run(
        [str(HOOK), *arguments],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "LOG": str(log),
            "ZONES": ZONES,
            "PDNS_URL": "http://pdns",
            "PDNS_KEY": "secret",
            **environment,
        },
        check=False,
        timeout=30,
        capture_output=True,
    )
    lines = [line.split("\t") for line in log.read_text().splitlines()]
    return ended.returncode, [
        (method, url.removeprefix("http://pdns"), json.loads(body) if body else None) for method, url, body in lines
    ]


def test_all_names_of_a_zone_are_one_change(tmp_path: Path) -> None:
    arguments = ("example.org", "t1", "v1", "*.example.org", "t2", "v2", "a.sub.example.org", "t3", "v3")
    code, asked = run(tmp_path, "deploy_challenge", *arguments)
    assert code == 0
    assert next((method, path) for method, path, _ in asked) == ("GET", "/zones")
    changes = {path: body["rrsets"] for method, path, body in asked if method == "PATCH"}
    assert set(changes) == {"/zones/example.org.", "/zones/sub.example.org."}
    (rrset,) = changes["/zones/example.org."]
    assert (rrset["name"], rrset["changetype"]) == ("_acme-challenge.example.org.", "REPLACE")
    assert [record["content"] for record in rrset["records"]] == ['"v1"', '"v2"']
    assert sorted(path for method, path, _ in asked if method == "PUT") == sorted(f"{path}/notify" for path in changes)


def test_cleaning_removes_the_rrset(tmp_path: Path) -> None:
    code, asked = run(tmp_path, "clean_challenge", "www.example.org", "t1", "v1", PDNS_WAIT="60")
    assert code == 0
    ((rrset,),) = [body["rrsets"] for method, _, body in asked if method == "PATCH"]
    assert (rrset["changetype"], rrset["records"]) == ("DELETE", [])


@pytest.mark.parametrize("remaining", ["0", "2"])
def test_certbots_variables_are_one_change(tmp_path: Path, remaining: str) -> None:
    variables = {"CERTBOT_DOMAIN": "example.org", "CERTBOT_VALIDATION": "v", "CERTBOT_REMAINING_CHALLENGES": remaining}
    code, asked = run(tmp_path, "auth", **variables)
    assert code == 0
    assert [method for method, _, _ in asked] == ["GET", "PATCH", "PUT"]


def test_it_waits_once_for_all_names_of_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    marker = tmp_path / "slept"
    (tmp_path / "bin/sleep").write_text(f"#!/bin/sh\necho $1 >>{marker}\n")
    (tmp_path / "bin/sleep").chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    for number, remaining in enumerate(("1", "0")):
        folder = tmp_path / str(number)
        folder.mkdir()
        run(
            folder,
            "auth",
            PATH=f"{folder / 'bin'}:{path}",
            PDNS_WAIT="150",
            CERTBOT_DOMAIN="example.org",
            CERTBOT_VALIDATION="v",
            CERTBOT_REMAINING_CHALLENGES=remaining,
        )
    assert marker.read_text().split() == ["150"]


def test_a_name_without_a_zone_or_a_refused_change_is_a_failure(tmp_path: Path) -> None:
    for number, (name, refused) in enumerate([("example.com", "nothing"), ("www.example.org", "/zones/example.org.")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        code, _ = run(folder, "deploy_challenge", name, "t", "v", REFUSED=refused)
        assert code != 0
