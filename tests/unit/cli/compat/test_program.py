"""The program without a CA: what it says of its page."""

import subprocess
from pathlib import Path

import pytest

from certkeeper.cli.compat.program import dehydrated

VARIABLES = [
    "CA",
    "CERTDIR",
    "ALPNCERTDIR",
    "CHALLENGETYPE",
    "DOMAINS_D",
    "DOMAINS_TXT",
    "HOOK",
    "HOOK_CHAIN",
    "RENEW_DAYS",
    "ACCOUNT_KEY",
    "ACCOUNT_KEY_JSON",
    "ACCOUNT_ID_JSON",
    "KEYSIZE",
    "WELLKNOWN",
    "PRIVATE_KEY_RENEW",
    "OPENSSL_CNF",
    "CONTACT_EMAIL",
    "LOCKFILE",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, and no configuration in the usual places that would count."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONFIG", raising=False)
    return tmp_path


def config(folder: Path, *lines: str) -> str:
    path = folder / "page"
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


@pytest.mark.row("A13")
def test_env_can_be_evaluated(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = 'certs \\$HOME \\`x\\` \\"y\\" \\\\\\\\z'
    page = config(folder, f'CERTDIR="{odd}"', "HOOK_CHAIN=yes", "PDNS_KEY=secret")
    assert dehydrated(["-e", "-f", page], "dehydrated") == 0
    out = capsys.readouterr().out
    first, info, *declared = out.splitlines()
    assert (first, info) == ("# dehydrated configuration", f"# INFO: Using main config file {page}")
    assert [line.split("=")[0] for line in declared] == [f"declare -- {name}" for name in VARIABLES]
    assert "secret" not in out
    script = f'. {page}; wanted=$CERTDIR; unset CERTDIR; eval "$1"; [ "$CERTDIR" = "$wanted" ] && echo "$HOOK_CHAIN"'
    said = subprocess.run(["bash", "-c", script, "-", out], capture_output=True, text=True, check=True)
    assert said.stdout == "yes\n", said.stderr


def test_a_page_that_cannot_be_read_does_not_matter_to_version(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dehydrated(["-v", "-f", config(folder, "CHALLENGETYPE=none")], "dehydrated") == 0
    assert "Dehydrated version: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("--force-validation",), "--force (-x)", marks=pytest.mark.row("A10")),
        pytest.param(("-t", "foo-01"), "foo-01", marks=pytest.mark.row("A11")),
        (("-a", "ed448"), "ed448"),
        (("--ca", "nowhere"), "nowhere"),
    ],
)
def test_what_does_not_go_together(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    (folder / "domains.txt").touch()
    assert dehydrated(["-c", "-f", config(folder), *words], "dehydrated") == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ERROR: ")]
    assert len(errors) == 1
    assert said in errors[0]
    assert sorted(path.name for path in folder.iterdir()) == ["domains.txt", "page"]


def test_a_config_that_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dehydrated(["-e", "-f", str(folder / "none")], "dehydrated") == 1
    assert capsys.readouterr().err.startswith("ERROR: ")


@pytest.mark.row("B04")
def test_additional_files_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = folder / "more"
    more.mkdir()
    for name, value in (("a.sh", "one"), ("b.sh", "two"), ("c.conf", "three")):
        (more / name).write_text(f"CERTDIR={value}\n")
    page = config(folder, f"CONFIG_D={more}")
    assert dehydrated(["-e", "-f", page], "dehydrated") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1:4] == [
        f"# INFO: Using main config file {page}",
        f"# INFO: Using additional config file {more}/a.sh",
        f"# INFO: Using additional config file {more}/b.sh",
    ]
    assert 'declare -- CERTDIR="two"' in out
