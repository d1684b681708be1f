"""The installed program `certkeeper-dehydrated`, under dehydrated's name."""

import os
import subprocess
from pathlib import Path

import pytest

from bed.namespace import without
from builders.installed import script

PLACES = ("/etc/dehydrated", "/usr/local/etc/dehydrated", "/etc/certkeeper")


def dehydrated(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Through a link of that name, on a machine that has a page in none of the usual places."""
    link = folder / "dehydrated"
    if not link.is_symlink():
        link.symlink_to(script("certkeeper-dehydrated"))
    return subprocess.run(
        [*without(*PLACES), str(link), *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "CONFIG"},
        timeout=60,
        check=False,
    )


@pytest.mark.row("A14", "B02")
def test_without_any_page(tmp_path: Path) -> None:
    version = dehydrated(tmp_path, "-v")
    assert version.returncode == 0, version
    assert "Dehydrated version: 0.7.2" in version.stdout
    assert "No main config file found" in version.stderr
    shown = dehydrated(tmp_path, "-e")
    assert shown.returncode == 0, shown
    assert f'declare -- CERTDIR="{tmp_path}/certs"' in shown.stdout


def test_its_usage_names_it_as_it_was_called_without_its_folder(tmp_path: Path) -> None:
    assert dehydrated(tmp_path, "--help").stdout.startswith("Usage: dehydrated [-h] ")
    own = subprocess.run(
        [script("certkeeper-dehydrated"), "-h"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert own.stdout.startswith("Usage: certkeeper-dehydrated [-h] ")


def test_a_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("CHALLENGETYPE=http-01\nWELLKNOWN=/tmp\nCA=https://localhost:9/dir\n")
    (tmp_path / "hello").write_text("hello\n")
    done = dehydrated(tmp_path, "-f", "config", "-r", "hello")
    assert done.returncode == 1
    assert "ERROR: hello: holds no PEM certificate\n" in done.stderr
    assert "cert.pem" in done.stderr
