"""The units and the line for cron: what is shipped is what the command prints, and systemd can read it."""

import configparser
import subprocess
from pathlib import Path

import pytest

from bed import binaries
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.units import write_units
from certkeeper.cli.timer import SERVICE, TIMER, cron_text, service_text, timer_text

CONTRIB = Path(__file__).parents[3] / "contrib"
PROGRAM, CONFIG = ["/usr/local/bin/certkeeper"], "/etc/dehydrated/config"


def test_what_is_shipped_is_what_is_printed() -> None:
    assert (CONTRIB / "systemd" / SERVICE).read_text() == service_text(PROGRAM, CONFIG)
    assert (CONTRIB / "systemd" / TIMER).read_text() == timer_text()
    assert (CONTRIB / "cron.d" / "certkeeper").read_text() == cron_text(PROGRAM, CONFIG)


def unit(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_the_timer_makes_up_for_missed_runs_and_spreads_them() -> None:
    timer = unit(timer_text())
    assert timer["Timer"]["Persistent"] == "yes" or timer["Timer"]["Persistent"] == "true"
    assert timer["Timer"]["RandomizedDelaySec"] == "1h"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_paths_with_odd_characters_stay_one_word() -> None:
    service = unit(service_text(["/opt/my certs/bin/certkeeper"], "/etc/100%/$x"))["Service"]["ExecStart"]
    assert service.startswith('"/opt/my certs/bin/certkeeper" run ')
    assert service.endswith("--config /etc/100%%/$$x")
    assert cron_text(PROGRAM, "/etc/100%/x y").endswith("--config '/etc/100\\%/x y'\n")


def test_who_is_not_root_keeps_what_hooks_need() -> None:
    """System call filters imply NoNewPrivileges for others than root, and sendmail and sudo are set-id."""
    service = service_text(PROGRAM, CONFIG, "certs")
    assert "User=certs" in service
    assert "Protect" not in service
    assert cron_text(PROGRAM, CONFIG, "certs").split()[5] == "certs"


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    text = service_text(["/bin/true"], CONFIG).replace("Documentation=man:certkeeper(1)\n", "")
    (tmp_path / SERVICE).write_text(text)
    (tmp_path / TIMER).write_text(timer_text())
    done = subprocess.run(
        [binaries.require("systemd-analyze"), "verify", str(tmp_path / TIMER), str(tmp_path / SERVICE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if "certkeeper" in line]
    assert said == []


def test_units_are_written_once_and_nobody_elses_is_replaced(tmp_path: Path) -> None:
    units = {SERVICE: service_text(PROGRAM, CONFIG), TIMER: timer_text()}
    assert len(write_units(str(tmp_path), units, "# Made by")) == 2
    assert (tmp_path / SERVICE).stat().st_mode & 0o777 == 0o644
    assert write_units(str(tmp_path), units, "# Made by") == ()
    changed = {**units, SERVICE: service_text(PROGRAM, "/etc/other")}
    assert write_units(str(tmp_path), changed, "# Made by") == (f"{tmp_path}/{SERVICE}",)
    (tmp_path / TIMER).write_text("[Timer]\nOnCalendar=daily\n")
    with pytest.raises(FileTrouble, match="not written by certkeeper timer"):
        write_units(str(tmp_path), units, "# Made by")
    assert (tmp_path / SERVICE).read_text() == changed[SERVICE]
