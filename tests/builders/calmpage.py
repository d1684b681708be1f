"""A page of certificates that are there and not due, and the runs after which the next one is calm."""

import time
from pathlib import Path

from builders.oldfolders import leave_as_dehydrated
from certkeeper.adapters.index import Index
from certkeeper.base.value import replace
from certkeeper.cli.arguments import build_parser
from certkeeper.cli.compose import open_machine
from certkeeper.cli.run import run_on

LATER = 10 * 10**9


def calm_page(tmp_path: Path, *lines: str) -> Path:
    """Three certificates that dehydrated made, of which none is due; its config, with these lines."""
    folder = tmp_path / "etc"
    for name in ("a.example", "b.example", "c.example"):
        leave_as_dehydrated(folder / "certs" / name, (name, f"www.{name}"), days_left=80)
    listed = "".join(f"{name} www.{name}\n" for name in ("a.example", "b.example", "c.example"))
    (folder / "domains.txt").write_text(listed, encoding="utf-8")
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "one.sh").write_text("RENEW_DAYS=30\n", encoding="utf-8")
    (folder / "state").mkdir(mode=0o700)
    config = folder / "config"
    config.write_text(
        'CA="https://ca.test/directory"\nARI="no"\n'
        f'BASEDIR="{folder}"\nWELLKNOWN="{folder}"\nCONFIG_D="{folder}/conf.d"\nLOCKFILE="{tmp_path}/lock"\n'
        + "".join(f"{line}\n" for line in lines),
        encoding="utf-8",
    )
    return config


def words(page: Path, *more: str) -> tuple[str, ...]:
    return ("run", "--config", str(page), *more)


def calmed(page: Path, *more: str) -> None:
    """Two runs, as if the files had been there for long: the first one fills the index."""
    for _ in range(2):
        machine = open_machine(str(page))
        machine.looked.began += LATER
        index = Index(machine.settings.statedir, lambda: time.time_ns() + LATER, machine.looked)
        machine = replace(machine, index=index)
        options = build_parser("run").parse_args(words(page, *more))
        options.typed = words(page, *more)
        assert run_on(machine, options) == 0


def add_due(page: Path) -> None:
    """A certificate that is due, on a page whose CA is nowhere: runs fail."""
    leave_as_dehydrated(page.parent / "certs" / "d.example", ("d.example",), days_left=5)
    with (page.parent / "domains.txt").open("a", encoding="utf-8") as file:
        file.write("d.example\n")
