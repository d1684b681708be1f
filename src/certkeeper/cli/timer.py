"""`certkeeper timer`."""

import argparse
import os
import pwd
import shlex
import shutil
import sys

from certkeeper.base.errors import ExitCode
from certkeeper.cli.compose import open_machine, write_units

UNITS = "/etc/systemd/system"
SERVICE, TIMER = "certkeeper.service", "certkeeper.timer"
_MARK = "# Made by certkeeper timer: changes belong into a drop-in, systemctl edit"


def timer(options: argparse.Namespace) -> int:
    """Print units and a line for cron, or write the units.

    Raises:
        CertkeeperError: the page cannot be read, or a unit cannot be written.
    """
    settings = open_machine(options.config, evaluator=options.evaluator).settings
    program, config, user = _program(), _absolute(settings.config_file), _user()
    units = {SERVICE: service_text(program, config, user), TIMER: timer_text()}
    if options.write:
        written = write_units(UNITS, units, _MARK)
        for path in written:
            sys.stdout.write(f"{path} written\n")
        sys.stdout.write("start it: systemctl daemon-reload && systemctl enable --now certkeeper.timer\n")
        sys.stdout.write("remove the line for cron, and the timer of dehydrated, if there is one\n")
        return ExitCode.DONE
    for name, text in units.items():
        sys.stdout.write(f"# {UNITS}/{name}\n{text}\n")
    sys.stdout.write(f"# or, in the place of both, /etc/cron.d/certkeeper\n{cron_text(program, config, user)}")
    return ExitCode.DONE


def service_text(program: list[str], config: str, user: str = "root") -> str:
    """The service. What is forbidden to it is what no hook has a reason to do: hooks run inside it, too."""
    who = f"User={user}\n" if user != "root" else ""
    words = [*program, "run", "--quiet", "--wait-lock", *_named(config)]
    # System calls are filtered for root alone: for others this would take sendmail and sudo away from hooks.
    hardening = _HARDENING if user == "root" else ""
    return f"""{_MARK} {SERVICE}
[Unit]
Description=renew certificates
Documentation=man:certkeeper(1)
Wants=network-online.target
After=network-online.target nss-lookup.target
# Whoever wants to be told by a unit of their own; ALERT_MAIL and ALERT_COMMAND need none.
#OnFailure=status-mail@%n.service

[Service]
Type=oneshot
{who}ExecStart={" ".join(_quoted(word) for word in words)}
TimeoutStartSec=2h
TimeoutStopSec=30s
LimitNOFILE=65536
Nice=5
{hardening}"""


_HARDENING = """ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
"""


def timer_text() -> str:
    """The timer. Runs that were missed while the machine was off are made up for."""
    return f"""{_MARK} {TIMER}
[Unit]
Description=renew certificates twice a day

[Timer]
# Every hour where certificates are valid for a week or less: OnCalendar=hourly, RandomizedDelaySec=10min
OnCalendar=*-*-* 04,16:00:00
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
"""


def cron_text(program: list[str], config: str, user: str = "root") -> str:
    """A line for /etc/cron.d. cron mails what is printed, which is problems alone."""
    # To cron a percent sign is the end of the line.
    command = shlex.join([*program, "run", "--quiet", *_named(config)]).replace("%", r"\%")
    return f"23 4,16 * * *  {user}  {command}\n"


def _absolute(config: str) -> str:
    return os.path.abspath(config) if config else ""  # noqa: PTH100 - text


def _named(config: str) -> list[str]:
    """Where there is no file, whatever is found counts."""
    return ["--config", config] if config else []


def _quoted(word: str) -> str:
    """As systemd.service(5) reads a command line."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(char in escaped for char in " \t'\"\\;") else escaped


def _program() -> list[str]:
    """This program, by a path that does not depend on where somebody stands."""
    started = sys.argv[0]
    if os.path.basename(started) == "__main__.py":  # noqa: PTH119 - text
        return [sys.executable, "-m", "certkeeper"]
    found = shutil.which(started) or started
    return [os.path.abspath(found)]  # noqa: PTH100 - a link such as /usr/local/bin/certkeeper is meant to stay one


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
