"""The demo runs to its end, shows what it promises, and leaves no server behind."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from builders.page import environment, openssl

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).resolve().parents[2]
CERTIFICATES = ("example.net", "example.org", "mail.example.net", "autoconfig.example.net", "xmpp.example.net")


def run_of(output: str, number: int) -> str:
    """What the demo printed under `== run NUMBER`."""
    parts = re.split(r"^== ", output, flags=re.MULTILINE)
    return next(part for part in parts if part.startswith(f"run {number}"))


def still_running(folder: Path) -> list[bytes]:
    """Command lines that name the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = process.read_bytes()
            if str(folder).encode() in command:
                found.append(command)
    return found


def test_three_runs_five_certificates_and_no_server_left(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    places = os.pathsep.join([str(REPOSITORY / "tests"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, REPOSITORY / "scripts" / "lib" / "demo.py", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=150,
        env=environment({"PYTHONPATH": places}),
    )
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    assert still_running(folder) == []

    before, order, _ = run_of(done.stdout, 1).partition("order opened")
    assert order
    for words in (
        "did you mean mail.example.net",
        "INCEPTION-INCREMENT",
        "must-staple",
        "ACME v1",
        "16 lines start with a semicolon",
    ):
        assert words in before
    assert "4 issued, 1 failed" in run_of(done.stdout, 1)
    assert "1 issued, 4 not due" in run_of(done.stdout, 2)
    assert "5 certificates, nothing due" in run_of(done.stdout, 3)

    certs = folder / "etc" / "dehydrated" / "certs"
    for name in CERTIFICATES:
        chain, cert = certs / name / "chain.pem", certs / name / "cert.pem"
        openssl("verify", "-CAfile", folder / "root.pem", "-untrusted", chain, cert)
    for name in ("example.net", "example.org"):
        copied = certs / name / "privkey.pem"
        assert not copied.is_symlink()
        assert copied.read_bytes() == (folder / "ssl" / "private" / f"{name}.key.pem").read_bytes()
