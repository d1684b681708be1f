"""`certkeeper issue` beside what a page has already: the CA is asked once it is clear whose place it is."""

from pathlib import Path

import pytest

from builders.certificates import Wish, new_key, version_files
from builders.page import Done, certkeeper
from certkeeper.base.names import Identifier

LINE = "k1.example.org www.example.org"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A config with a CA that nobody listens for, and a certificate for the names of the line."""
    config = tmp_path / "config"
    config.write_text(f'CA="https://127.0.0.1:1/directory"\nBASEDIR="{tmp_path}"\nWELLKNOWN="{tmp_path}"\n')
    (tmp_path / "domains.txt").write_text(f"# one line\n{LINE}\n")
    files = version_files(new_key(), Wish(tuple(map(Identifier.parse, LINE.split()))))
    folder = tmp_path / "certs" / "k1.example.org"
    folder.mkdir(parents=True)
    for name in ("privkey", "cert", "chain", "fullchain"):
        (folder / f"{name}.pem").write_bytes(getattr(files, name))
    return config


def issue(page: Path, *words: str) -> Done:
    return certkeeper("issue", "--config", page, *words, cwd=page.parent)


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize(
    "names", [("k1.example.org", "other.example.org"), ("x.example.org", "--alias", "k1.example.org")]
)
def test_what_a_line_asks_for_keeps_its_names(page: Path, names: tuple[str, ...], force: tuple[str, ...]) -> None:
    done = issue(page, *names, *force)
    assert done.code == 2
    assert done.only_error() == (
        f"k1.example.org: {page.parent}/domains.txt:2 asks for this certificate with other names: {LINE}"
    )
    assert "certkeeper run k1.example.org" in done.hints[0]
    assert "--alias" in done.hints[0]


def test_a_listed_certificate_may_be_named_with_its_own_names(page: Path) -> None:
    done = issue(page, "www.example.org", "k1.example.org", "--alias", "k1.example.org")
    assert (done.code, "nothing due" in done.out) == (0, True), done.text


def test_what_no_line_lists_is_replaced_by_force_only(page: Path) -> None:
    (page.parent / "domains.txt").unlink()
    words = ("k1.example.org", "other.example.org")
    done = issue(page, *words)
    assert done.code == 2
    assert f"{page.parent}/certs/k1.example.org holds a certificate with other names: {LINE}" in done.only_error()
    assert "--force" in done.hints[0]
    # Now the CA is asked, and there is none.
    assert "127.0.0.1" in issue(page, *words, "--force").err


def test_a_certkeeper_toml_has_its_say_too(page: Path) -> None:
    toml = page.parent / "certkeeper.toml"
    base = page.parent
    toml.write_text(
        f'ca = "https://127.0.0.1:1/directory"\nbasedir = "{base}"\nwellknown = "{base}"\n'
        '[certificate."k1.example.org"]\nnames = ["k1.example.org"]\n'
    )
    done = issue(toml, "k1.example.org", "other.example.org")
    assert done.code == 2
    assert f"{toml}:4 asks for this certificate with other names: k1.example.org" in done.only_error()


def test_what_is_typed_wrong_is_on_the_command_line(page: Path) -> None:
    done = issue(page, "bad name")
    assert done.code == 2
    assert done.only_error().startswith("command line: bad: ")
