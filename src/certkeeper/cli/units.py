"""The texts of `certkeeper timer`: a service, a timer, and a line for cron."""

import shlex
from collections.abc import Iterator

from certkeeper.config.footprint import Footprint
from certkeeper.config.powerdns_key import CREDENTIAL_STORE

SERVICE, TIMER = "certkeeper.service", "certkeeper.timer"
DAEMON = "certkeeper-daemon.service"
MARK = "# Made by certkeeper timer: changes belong into a drop-in, systemctl edit"

_EVERY_HOOK_MAY_LOSE = """\
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
"""
"""What is forbidden where programs of the operator's run inside: nothing that a hook has a reason to do."""

_NO_HOOK_OF_ROOTS_NEEDS = """\
CapabilityBoundingSet=~CAP_BLOCK_SUSPEND CAP_BPF CAP_LEASE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_PERFMON CAP_SYS_BOOT
CapabilityBoundingSet=~CAP_SYS_PACCT CAP_SYS_RAWIO CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM
SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
"""
"""Systemd reboots a machine, and sets its clock, when it is asked to."""

_NO_SENDMAIL_NEEDS = """\
PrivateDevices=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictSUIDSGID=yes
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
"""What certkeeper does not need, nor the tests of services that it knows, nor a program that takes mail."""

# It changes owners, opens what is a service's own, becomes a service's user for a look, and listens on port 80.
_ROOTS = """\
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID
CapabilityBoundingSet=CAP_KILL CAP_SETGID CAP_SETUID CAP_NET_BIND_SERVICE
"""
_LISTENS = "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"


def service_text(command: list[str], page: list[str], user: str = "root", seen: Footprint | None = None) -> str:
    """The service. `command` is this program, `page` the options that say where its configuration is.

    Where nothing was `seen` of the page, its sandbox has room for anything.
    """
    words = [*command, "run", "--quiet", "--wait-lock", *page]
    return f"""{MARK} {SERVICE}
[Unit]
Description=renew certificates
Documentation=man:certkeeper(1)
Wants=network-online.target
After=network-online.target nss-lookup.target
# Whoever wants to be told by a unit of their own; ALERT_MAIL and ALERT_COMMAND need none.
#OnFailure=status-mail@%n.service

[Service]
Type=oneshot
{_as(user)}ExecStart={" ".join(quoted(word) for word in words)}
TimeoutStartSec=2h
TimeoutStopSec=30s
LimitNOFILE=65536
Nice=5
{_room(seen, user)}"""


def daemon_text(command: list[str], page: list[str], user: str = "root", seen: Footprint | None = None) -> str:
    """The service of `certkeeper daemon`, which takes the place of both. The rest is as above."""
    words = [*command, "daemon", *page]
    return f"""{MARK} {DAEMON}
[Unit]
Description=renew certificates when they are due
Documentation=man:certkeeper(1)
Wants=network-online.target
After=network-online.target nss-lookup.target
Conflicts={TIMER}

[Service]
Type=notify
NotifyAccess=main
{_as(user)}ExecStart={" ".join(quoted(word) for word in words)}
ExecReload=/bin/kill -HUP $MAINPID
# It ends the run under way by itself: a second signal would cut that short.
KillMode=mixed
TimeoutStopSec=2min
WatchdogSec=2min
Restart=always
RestartSec=30s
LimitNOFILE=65536
Nice=5
{_room(seen, user)}
[Install]
WantedBy=multi-user.target
"""


def _as(user: str) -> str:
    return f"User={user}\n" if user != "root" else ""


def _room(seen: Footprint | None, user: str) -> str:
    return "".join(_sandbox(seen, user) if seen is not None else _weak("hooks", user))


def _sandbox(seen: Footprint, user: str) -> Iterator[str]:
    """What is forbidden, by what the page says. Made anew by `certkeeper timer --write` when the page changes."""
    yield from (f"LoadCredential={quoted(f'{name}:{CREDENTIAL_STORE}/{name}')}\n" for name in seen.credentials)
    # Not for root, who may listen anyway.
    if user != "root" and seen.low_port:
        yield "AmbientCapabilities=CAP_NET_BIND_SERVICE\n"
    # A folder that is not there is none to write in, and no reason not to start.
    if seen.programs:
        yield from _weak(", ".join(seen.programs), user)
        yield from (f"ReadWritePaths={quoted(f'-{folder}')}\n" for folder in (*seen.folders, *seen.others))
        return
    yield from _read_only(seen)
    # Filters of system calls imply NoNewPrivileges for others than root, and sendmail is set-id.
    if user == "root" or not seen.mails:
        yield f"{_EVERY_HOOK_MAY_LOSE}{_NO_SENDMAIL_NEEDS}"
    if user == "root":
        yield _ROOTS
    elif not seen.mails:
        yield _LISTENS if seen.low_port else "CapabilityBoundingSet=\n"
    if not seen.mails:
        yield "NoNewPrivileges=yes\n"


def _weak(programs: str, user: str) -> Iterator[str]:
    """With room for what programs of the operator's do: only the system itself is read-only."""
    yield f"# Only /usr and /boot are read-only, since these may write anywhere: {programs}\n"
    yield "# Where you know, a drop-in with ProtectSystem=strict and ReadWritePaths makes all else read-only, too.\n"
    yield "ProtectSystem=yes\n"
    yield "ReadWritePaths=-/usr/local\n"
    # Filters of system calls imply NoNewPrivileges for others than root: that takes sudo and sendmail away from hooks.
    if user == "root":
        yield f"{_EVERY_HOOK_MAY_LOSE}{_NO_HOOK_OF_ROOTS_NEEDS}"


def _read_only(seen: Footprint) -> Iterator[str]:
    writable = [*seen.folders, *seen.others]
    if seen.tries:
        yield f"# /srv, /home and /var are not read-only: tests of {' and '.join(seen.tries)} open logs anywhere.\n"
        yield "ProtectSystem=full\n"
    else:
        yield "ProtectSystem=strict\n"
        yield "ProtectHome=read-only\n"
    if not seen.shares_tmp:
        yield "PrivateTmp=yes\n"
    elif not seen.tries:
        writable += ["/tmp", "/var/tmp"]  # noqa: S108 - the folders themselves
    yield from (f"ReadWritePaths={quoted(f'-{folder}')}\n" for folder in writable)


def timer_text() -> str:
    """The timer. Runs that were missed while the machine was off are made up for."""
    return f"""{MARK} {TIMER}
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


def cron_text(command: list[str], page: list[str], user: str = "root") -> str:
    """A line for /etc/cron.d. cron mails what is printed, which is problems alone."""
    # To cron a percent sign is the end of the line.
    line = shlex.join([*command, "run", "--quiet", *page]).replace("%", r"\%")
    return f"23 4,16 * * *  {user}  {line}\n"


def quoted(word: str) -> str:
    """As systemd.service(5) reads a command line."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(char in escaped for char in " \t'\"\\;") else escaped
