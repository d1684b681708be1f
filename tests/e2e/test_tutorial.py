"""The tutorial, typed as it is written on a machine of its own with real web, mail, XMPP and DNS servers."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bed.afternoon import Afternoon
from bed.waiting import wait_until
from builders.afternoon import PROGRAMS, install
from builders.transcript import Step, same, steps
from certkeeper.cli.arguments import build_parser

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
ZONE = "example.net"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Afternoon]:
    with Afternoon(tmp_path, ZONE, PROGRAMS) as made:
        install(made, ZONE)
        yield made


@pytest.mark.real
def test_the_afternoon_goes_as_it_is_told(machine: Afternoon) -> None:
    typed = 0
    for step in joined(list(steps(TUTORIAL.read_text(encoding="utf-8")))):
        if step.command.startswith("certkeeper tlsa check"):
            # The resolver was asked before, and remembers for a second that there was nothing.
            wait_until(partial(succeeds, machine, step.command), "the resolver to ask again")
        printed, _ = machine.type(step.command)
        lines = printed.strip("\n").splitlines()
        assert same(step.shown, lines), f"{TUTORIAL.name}:{step.line}: $ {step.command}\n{printed}"
        typed += 1
        if "reload" in step.command:
            # A person types no quicker than a server takes its files.
            wait_until(partial(shows_its_certificates, machine, step.command), f"after {step.command}")
    assert typed > 20
    assert "_acme-challenge" not in machine.done(f"pdnsutil list-zone {ZONE}")


def succeeds(machine: Afternoon, command: str) -> bool:
    return machine.type(command)[1] == 0


def shows_its_certificates(machine: Afternoon, reloaded: str) -> bool:
    """Whether the server that was told to reload shows what it was given."""
    port = "443" if "nginx" in reloaded else "993" if "doveadm" in reloaded else "25 -starttls smtp"
    shown, _ = machine.type(f"openssl s_client -connect 192.0.2.25:{port} -servername www.{ZONE}")
    return "Pebble" in shown


def joined(typed: list[Step]) -> list[Step]:
    """What `init` shows of the commands that it carries out belongs to what it prints."""
    found: list[Step] = []
    for step in typed:
        if found and found[-1].shown and found[-1].shown[-1] == "":
            before = found.pop()
            found.append(Step(before.line, before.command, [*before.shown, f"$ {step.command}", *step.shown]))
        else:
            found.append(step)
    return found


def test_what_is_typed_but_not_played_can_be_typed() -> None:
    """Blocks for a machine's own systemd and mail are not played; our commands in them are at least understood."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    typed = [line.split()[1:] for block in blocks for line in block.splitlines() if line.startswith("certkeeper ")]
    assert typed
    for words in typed:
        build_parser().parse_args(words)
