"""What can be typed of the commands for the time after the first certificate: deploy, retire, alert, timer."""

import argparse
from typing import Protocol

_DEPLOY = """\
Give the services that DEPLOY names what is live, as every run does, and what they did not take before, without waiting
for its time: files for those that want copies, one test of the configuration, one reload for all certificates of a
service, then a look at its ports. What a service does not take goes back. What it has already is left alone, and no
service is started.

Before that the files of certificates are brought to what CERT_OWNER, CERT_GROUP and KEY_MODE say, and it is tried as
the services' users whether they can read them (as root). No certificate is ordered.

exit codes: 0 done, 1 something is not as it has to be, 2 usage or configuration, 3 another run holds the lock
"""

_RETIRE = """\
Take a certificate that no line of domains.txt asks for any more out of CERTDIR, after a question: its folder goes to
BASEDIR/archive, whole, with key and all versions. Where the configuration of a service still names the folder, nothing
is done, unless --force is given. Nothing is revoked without --revoke.

exit codes: 0 retired, 1 still used or nothing done, 2 usage or configuration, 3 another run holds the lock
"""

_ALERT = """\
Send a test message the way ALERT_MAIL, ALERT_COMMAND and ALERT_URLS say, and say whether it was taken.

exit codes: 0 sent, 1 it could not be sent, 2 none is set
"""

_TIMER = """\
Print a systemd service and timer, and a line for cron, for this installation: with the paths of this program and of
the configuration. To the service everything but the folders of the configuration is read-only, unless hooks or
commands of yours run inside; make it anew when the configuration changes. With --write the units are written to
/etc/systemd/system, where nobody else's file is replaced; what is left to type then is printed.

exit codes: 0 done, 1 a file could not be written, 2 usage or configuration
"""


class Command(Protocol):
    """Makes a command that takes --config."""

    def __call__(
        self,
        commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
        name: str,
        help_: str,
        description: str,
        /,
    ) -> argparse.ArgumentParser: ...


def add_life(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    """`deploy`, `retire`, `alert` and `timer`; `command` makes one that takes --config."""
    deploy = command(commands, "deploy", "give services what is live", _DEPLOY)
    deploy.add_argument("names", nargs="*", metavar="NAME", help="only certificates of that alias or with that name")
    deploy.add_argument(
        "--fix-permissions", action="store_true", help="owner, group and mode of certificates' files, and no more"
    )
    deploy.add_argument(
        "--deploy-config",
        metavar="FILE",
        help="root's file that describes services, in the place of /etc/certkeeper/deploy.toml",
    )
    retire = command(commands, "retire", "take out a certificate that is no longer listed", _RETIRE)
    retire.add_argument("name", metavar="NAME", help="the name of its folder, as certkeeper status shows it")
    retire.add_argument("--force", "-x", action="store_true", help="although the configuration of a service names it")
    retire.add_argument("--revoke", action="store_true", help="have the CA revoke it first (cessationOfOperation)")
    retire.add_argument("--yes", "-y", action="store_true", help="do not ask")
    alert = command(commands, "alert", "try out the alerts", _ALERT)
    alert.add_argument("what", choices=("test",), metavar="test", help="send a test message")
    timer = command(commands, "timer", "print units for systemd and a line for cron", _TIMER)
    timer.add_argument(
        "--daemon", action="store_true", help="a service for certkeeper daemon in the place of service and timer"
    )
    timer.add_argument("--write", action="store_true", help="write the units to /etc/systemd/system")
