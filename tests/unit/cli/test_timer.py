"""The units and the line for cron: what is shipped is what the command prints, and systemd can read it."""

import configparser
import subprocess
from pathlib import Path

import pytest

from bed import binaries
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.units import write_units
from certkeeper.cli.units import SERVICE, TIMER, cron_text, daemon_text, service_text, timer_text
from certkeeper.config.footprint import Footprint

CONTRIB = Path(__file__).parents[3] / "contrib"
PROGRAM, PAGE = ["/usr/local/bin/certkeeper"], ["--config", "/etc/dehydrated/config"]
ALONE = Footprint(folders=("/etc/dehydrated", "/run"))
"""A page with nothing but PowerDNS."""
SERVICES = Footprint(folders=("/etc/dehydrated",), others=("/var/lib/postfix",), tries=("nginx",))
HOOKS = Footprint(folders=("/etc/dehydrated",), programs=("/etc/dehydrated/hook.sh",))
MAILS = Footprint(folders=("/etc/dehydrated",), others=("/var/spool",), mails=True)


def test_what_is_shipped_is_what_is_printed() -> None:
    assert (CONTRIB / "systemd" / SERVICE).read_text() == service_text(PROGRAM, PAGE)
    assert (CONTRIB / "systemd" / TIMER).read_text() == timer_text()
    assert (CONTRIB / "cron.d" / "certkeeper").read_text() == cron_text(PROGRAM, PAGE)


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


def lines(text: str, name: str) -> list[str]:
    """All values of a setting that may stand there several times."""
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]


def test_paths_with_odd_characters_stay_one_word() -> None:
    seen = Footprint(folders=("/etc/my certs", "/srv/100%"))
    text = service_text(["/opt/my certs/bin/certkeeper"], ["--config", "/etc/100%/$x"], "root", seen)
    (service,) = lines(text, "ExecStart")
    assert service.startswith('"/opt/my certs/bin/certkeeper" run ')
    assert service.endswith("--config /etc/100%%/$$x")
    assert lines(text, "ReadWritePaths") == ['"-/etc/my certs"', "-/srv/100%%"]
    assert cron_text(PROGRAM, ["--config", "/etc/100%/x y"]).endswith("--config '/etc/100\\%/x y'\n")


def test_without_programs_of_the_operators_all_is_read_only_but_the_pages_folders() -> None:
    text = service_text(PROGRAM, PAGE, "root", ALONE)
    assert lines(text, "ProtectSystem") == ["strict"]
    assert lines(text, "ReadWritePaths") == ["-/etc/dehydrated", "-/run"]
    assert lines(text, "NoNewPrivileges") == lines(text, "PrivateTmp") == ["yes"]


def test_logs_of_a_web_server_may_be_anywhere_beside_the_system() -> None:
    text = service_text(PROGRAM, PAGE, "root", SERVICES)
    assert lines(text, "ProtectSystem") == ["full"]
    assert lines(text, "ProtectHome") == []
    assert lines(text, "ReadWritePaths") == ["-/etc/dehydrated", "-/var/lib/postfix"]


def test_hooks_may_do_what_they_do_and_the_unit_names_them() -> None:
    text = service_text(PROGRAM, PAGE, "root", HOOKS)
    assert "may write anywhere: /etc/dehydrated/hook.sh\n" in text
    assert lines(text, "ProtectSystem") == ["yes"]
    assert lines(text, "NoNewPrivileges") == lines(text, "PrivateTmp") == []


def test_a_page_in_a_folder_for_temporary_files_is_seen_from_inside() -> None:
    text = service_text(PROGRAM, PAGE, "root", Footprint(folders=("/tmp/page",), shares_tmp=True))
    assert lines(text, "PrivateTmp") == []
    assert {"-/tmp", "-/var/tmp"} <= set(lines(text, "ReadWritePaths"))


def test_credentials_come_from_where_systemd_keeps_them() -> None:
    text = service_text(PROGRAM, PAGE, "root", Footprint(credentials=("pdns-key",)))
    assert lines(text, "LoadCredential") == ["pdns-key:/etc/credstore/pdns-key"]


@pytest.mark.parametrize("seen", [None, HOOKS, MAILS])
def test_who_is_not_root_keeps_what_hooks_and_sendmail_need(seen: Footprint | None) -> None:
    """System call filters imply NoNewPrivileges for others than root, and sendmail and sudo are set-id."""
    service = service_text(PROGRAM, PAGE, "certs", seen)
    assert "User=certs" in service
    implied = {"SystemCall", "ProtectK", "ProtectClock", "Lock", "Restrict", "PrivateDevices", "NoNew", "Capability"}
    assert [line for line in service.splitlines() if line.startswith(tuple(implied))] == []
    assert cron_text(PROGRAM, PAGE, "certs").split()[5] == "certs"


@pytest.mark.parametrize("user", ["root", "daemon"])
@pytest.mark.parametrize("seen", [None, ALONE, HOOKS])
def test_systemd_understands_the_daemon_s_unit(tmp_path: Path, seen: Footprint | None, user: str) -> None:
    text = daemon_text(PROGRAM, PAGE, user, seen)
    assert lines(text, "ExecStart") == [f"{' '.join(PROGRAM)} daemon {' '.join(PAGE)}"]
    # What is allowed to a run is allowed to the daemon that starts it.
    room = service_text(PROGRAM, PAGE, user, seen).partition("Nice=5\n")[2]
    assert room
    assert text.partition("Nice=5\n")[2].startswith(room)
    done = analyzed(tmp_path, text, "verify")
    assert [line for line in done.stderr.splitlines() if "certkeeper" in line] == []
    assert done.returncode == 0


def test_who_is_not_root_can_listen_on_a_port_of_roots() -> None:
    without = service_text(PROGRAM, PAGE, "certs", ALONE)
    assert (lines(without, "AmbientCapabilities"), lines(without, "CapabilityBoundingSet")) == ([], [""])
    text = service_text(PROGRAM, PAGE, "certs", Footprint(folders=("/srv/certs",), low_port=True))
    assert lines(text, "AmbientCapabilities") == lines(text, "CapabilityBoundingSet") == ["CAP_NET_BIND_SERVICE"]


def analyzed(tmp_path: Path, text: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """What systemd says of the service; its program and its manual page are those of a machine that has it."""
    command = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    file = tmp_path / SERVICE
    file.write_text(text.replace(command, "ExecStart=/bin/true").replace("Documentation=man:certkeeper(1)\n", ""))
    program = binaries.require("systemd-analyze")
    return subprocess.run([program, *words, str(file)], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("user", ["root", "daemon"])
@pytest.mark.parametrize("seen", [None, ALONE, SERVICES, HOOKS, MAILS, Footprint(credentials=("k",), low_port=True)])
def test_systemd_understands_the_units(tmp_path: Path, seen: Footprint | None, user: str) -> None:
    (tmp_path / TIMER).write_text(timer_text())
    done = analyzed(tmp_path, service_text(PROGRAM, PAGE, user, seen), "verify", str(tmp_path / TIMER))
    assert [line for line in done.stderr.splitlines() if "certkeeper" in line] == []
    assert done.returncode == 0


# What `systemd-analyze security` says, in tenths: 30 is what it calls OK, 100 a service without any sandbox is near.
@pytest.mark.parametrize(
    ("seen", "user", "bound"),
    [
        (ALONE, "root", 33),
        (SERVICES, "root", 35),
        (MAILS, "root", 37),
        (HOOKS, "root", 68),
        (None, "root", 68),
        (ALONE, "daemon", 23),
        (SERVICES, "daemon", 24),
    ],
)
def test_how_much_is_left_open_is_bounded(tmp_path: Path, seen: Footprint | None, user: str, bound: int) -> None:
    done = analyzed(
        tmp_path, service_text(PROGRAM, PAGE, user, seen), "security", "--offline=yes", f"--threshold={bound}"
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()


def test_units_are_written_once_and_nobody_elses_is_replaced(tmp_path: Path) -> None:
    units = {SERVICE: service_text(PROGRAM, PAGE), TIMER: timer_text()}
    assert len(write_units(str(tmp_path), units, "# Made by")) == 2
    assert (tmp_path / SERVICE).stat().st_mode & 0o777 == 0o644
    assert write_units(str(tmp_path), units, "# Made by") == ()
    changed = {**units, SERVICE: service_text(PROGRAM, ["--config", "/etc/other"])}
    assert write_units(str(tmp_path), changed, "# Made by") == (f"{tmp_path}/{SERVICE}",)
    (tmp_path / TIMER).write_text("[Timer]\nOnCalendar=daily\n")
    with pytest.raises(FileTrouble, match="not written by certkeeper timer"):
        write_units(str(tmp_path), units, "# Made by")
    assert (tmp_path / SERVICE).read_text() == changed[SERVICE]
