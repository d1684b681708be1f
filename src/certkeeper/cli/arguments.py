"""What can be typed: commands, options and the texts of `--help`."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from typing import NoReturn

from certkeeper import __version__

_DESCRIPTION = """\
Keeps certificates and the DNS records that prove them in step. It reads the configuration, domains.txt, accounts and
keys of dehydrated as they are.
"""

_RUN = """\
Issue every certificate that is due: one plan, all orders side by side, one change per DNS zone, one wait that ends
when the name servers serve the records. A certificate that fails stops no other one, and is tried again after 1 minute,
10 minutes, 100 minutes, then once a day. What a run that was killed left undone is finished first.
With --staging it is a rehearsal: the CA's test service takes the CA's place.

exit codes: 0 done, 1 something failed, 2 usage or configuration, 3 another run holds the lock, 130 interrupted
"""

_ISSUE = """\
Issue one certificate now, for the names that are given and with the settings of the page, as `certkeeper run` would.
It is not renewed unless a line of domains.txt names it, too. Where one of that alias is there already, it is replaced
if it is due, or with --force; where it has other names, only with --force, and never where a line of domains.txt asks
for it with other names.

exit codes: those of `certkeeper run`
"""

_DEHYDRATED = """\
Do what dehydrated does: its commands, its parameters and its output, for cron jobs and scripts that call it. Everything
behind this word is read as dehydrated reads it; `certkeeper dehydrated --help` lists it. The program
certkeeper-dehydrated is the same, under any name.

exit codes: 0 done, 1 something failed
"""

_PLAN = """\
Print what `certkeeper run` would start with, and why. Reads the files, asks PowerDNS for its zones, the CA for its
directory and the resolver for CAA records; writes nothing.
"""

_STATUS = """\
Show the certificates, what is wrong first, and when each one is renewed; also those that are no longer listed, with
what still uses them, and what the last run said of those that it could not issue. Where a terminal has too few lines
for all, those that are in order are only counted, unless names or --all are given. Reads files only. A test CA's
certificates are those in TEST_CERTDIR.
"""

_PRUNE = """\
Remove old versions of certificates: those beyond KEEP_VERSIONS that have been out of use for more than KEEP_DAYS.
The live version stays, and so does every file that certkeeper did not make.

exit codes: 0 done, 1 something could not be removed, 2 usage or configuration, 3 another run holds the lock
"""

_HEAL = """\
Mend certificates whose files do not belong together, as a broken disk, a killed dehydrated or a person may leave them:
a whole version is made live again. Nothing is lost, and no certificate is ordered.

exit codes: 0 everything is whole, 1 something is still torn, 2 usage or configuration, 3 another run holds the lock
"""

_UNLOCK = """\
Remove the lock file that a killed run of certkeeper or dehydrated left behind.

exit codes: 0 there is no lock any more, 1 it could not be removed, 2 usage or configuration, 3 somebody holds it
"""

_DNS = """\
Look at the zones that prove names, mend what keeps them from doing so, and try them out.
"""

_DOCTOR = """\
Look at the zones of the certificates, or at those that are named: what PowerDNS keeps of them, what each name server
serves, what the parent zone says. Each finding comes with its consequence and what to do. Records are never changed.
With --fix, SOA-EDIT-API and API-RECTIFY are set where they are wrong, after a question, and read back.

exit codes: 0 nothing wrong, 1 a warning or an error was found, 2 usage or configuration
"""

_TEST = """\
Publish a random TXT record at _certkeeper-test.NAME, where no CA looks, say when each name server has it, and remove
it again, also after Ctrl-C. A test that is killed is cleaned up by the next run.

exit codes: 0 every name server has it, 1 something failed, 2 usage or configuration, 130 interrupted
"""

_CAA = """\
Propose CAA records for the zones of the certificates: they let their CAs issue to our accounts by this method, and
nobody else. Says whether the records that are there allow it already. Writes nothing.

exit codes: 0 the present records allow every name, 1 they forbid one or the CA could not be asked, 2 usage or
configuration
"""

_PERSIST = """\
Show the records by which names may be proven without a change to DNS (CHALLENGETYPE="dns-persist-01"): which record is
needed at _validation-persist.NAME, and what each name server has there. With --write it is written through the DNS
provider, after a question, and waited for; with --remove ours is taken away. Records of other accounts and CAs stay.
A record stands until it is removed: no run of certkeeper takes it away.

exit codes: 0 every name may be proven, or the change is done, 1 a record is missing or something failed, 2 usage or
configuration, 130 interrupted
"""

_CLEANUP = """\
Show the challenge records that killed runs left, and remove them after a question. Other values at the same names are
shown only: they may be somebody else's.

exit codes: 0 nothing of ours is left, 1 something is, 2 usage or configuration, 3 another run holds the lock
"""


_PDNS_HOOK = """\
What dehydrated calls as HOOK in the place of pdns_api.sh, with the same settings and arguments; the program
certkeeper-pdns-hook is the same in one word, as HOOK has to be.

  deploy_challenge NAME TOKEN VALUE ...   publish the values, one change per zone, and wait until they are served
  clean_challenge NAME TOKEN VALUE ...    take these values away, and nobody else's
  deploy_cert, exit_hook                  run PDNS_DEPLOY_CERT_HOOK or PDNS_EXIT_HOOK, without arguments
  soa_edit ZONE [SOA-EDIT [SOA-EDIT-API]] show what decides on the serial of a zone, or set it
  anything else                           nothing, at once

exit codes: 0 done, 1 something failed; that of the command for deploy_cert and exit_hook
"""


_USAGE = 2
"""As argparse has it."""
_COLUMNS = 80


class _Formatter(argparse.HelpFormatter):
    """Descriptions are printed as they are written, but for paragraphs that are wider than the terminal."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(self._filled(part, width, indent) for part in text.strip("\n").split("\n\n"))

    def _filled(self, paragraph: str, width: int, indent: str) -> str:
        lines = paragraph.split("\n")
        if all(len(line) <= width for line in lines):
            return "\n".join(f"{indent}{line}" for line in lines)
        # An example is a line of its own, and what is indented is a table: a terminal breaks them where it must.
        if any(line.startswith((" ", "example")) for line in lines):
            return "\n".join(f"{indent}{line}" for line in lines)
        return super()._fill_text(paragraph, width, indent)


class _Parser(argparse.ArgumentParser):
    """A command that says itself what it does not know: argparse has the program do so, with its usage."""

    def parse_known_args(  # type: ignore[override]  # one signature in the place of typeshed's overloads
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def _get_formatter(self) -> argparse.HelpFormatter:
        """One is made for each option, to see whether it could be shown; argparse's loads shutil for its width."""
        return _Formatter(self.prog, width=_columns() - 2)

    def error(self, message: str) -> NoReturn:
        """A command may have an exit code of its own for what was typed wrong (`usage_code`)."""
        self.print_usage(sys.stderr)
        self.exit(self.get_default("usage_code") or _USAGE, f"{self.prog}: error: {message}\n")


def _columns() -> int:
    """As shutil.get_terminal_size."""
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said):
        return int(said)
    try:
        return (os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0) or _COLUMNS
    except (ValueError, OSError):
        return _COLUMNS


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The parser; its texts are what `--help` prints.

    Where the command is known to be one of the first ones, the others are left out: making them all takes longer than
    a run that has nothing to do.
    """
    parser = _program()
    # What was typed, as whoever carries it out may fill in: a later run with the same words may be told the same.
    parser.set_defaults(typed=())
    parser.add_argument("--version", action="version", version=f"certkeeper {__version__}")
    # Without a name it would format its whole usage, to find out how the program is called.
    commands = parser.add_subparsers(prog=parser.prog, dest="command", metavar="COMMAND", required=True)
    _issuing_commands(commands)
    if command not in commands.choices:
        _other_commands(commands)
    return parser


def _other_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from certkeeper.cli.ca_arguments import add_account, add_revoke, add_sign  # noqa: PLC0415 - with what is typed there
    from certkeeper.cli.check_arguments import add_check  # noqa: PLC0415 - as above
    from certkeeper.cli.daemon_arguments import add_daemon  # noqa: PLC0415 - as above
    from certkeeper.cli.first.arguments import add_init  # noqa: PLC0415 - as above
    from certkeeper.cli.house_arguments import (  # noqa: PLC0415 - as above
        add_completion,
        add_config,
        add_doctor,
        add_explain,
        add_schema,
        add_self_check,
    )
    from certkeeper.cli.life_arguments import add_life  # noqa: PLC0415 - as above
    from certkeeper.cli.ocsp_arguments import add_ocsp  # noqa: PLC0415 - as above
    from certkeeper.cli.phase_arguments import add_phases  # noqa: PLC0415 - as above
    from certkeeper.cli.rehearse_arguments import add_rehearse  # noqa: PLC0415 - as above
    from certkeeper.cli.report_arguments import add_report  # noqa: PLC0415 - as above
    from certkeeper.cli.tlsa_arguments import add_tlsa  # noqa: PLC0415 - as above

    add_init(commands)
    prune = _command(commands, "prune", "remove old versions", _PRUNE)
    prune.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    _command(commands, "heal", "mend certificates whose files do not belong together", _HEAL)
    _nameless_command(commands, "unlock", "remove the lock of a killed run", _UNLOCK)
    add_config(commands, _command, _nameless_command)
    add_doctor(commands, _nameless_command)
    add_self_check(commands, _nameless_command)
    _dns_commands(commands)
    add_account(commands, _nameless_command)
    add_revoke(commands, _nameless_command)
    add_sign(commands, _nameless_command)
    add_check(commands, _nameless_command)
    add_ocsp(commands, _nameless_command)
    add_life(commands, _nameless_command)
    add_rehearse(commands, _command)
    add_report(commands, _nameless_command)
    add_daemon(commands, _nameless_command)
    add_phases(commands, _nameless_command)
    add_tlsa(commands, _nameless_command)
    add_schema(commands)
    add_explain(commands)
    add_completion(commands)
    _programs_of_others(commands)


def _issuing_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = _command(commands, "run", "issue every certificate that is due", _RUN)
    run.add_argument("--wait-lock", action="store_true", help="wait, up to an hour, while another run holds the lock")
    issue = _nameless_command(commands, "issue", "issue one certificate for these names", _ISSUE)
    issue.add_argument(
        "identifiers", nargs="+", metavar="NAME", help="a name of the certificate; the first one names it"
    )
    issue.add_argument("--alias", metavar="ALIAS", help="name of the certificate and of its folder (default: NAME)")
    issue.set_defaults(names=[], wait_lock=False)
    for command in (run, issue):
        command.add_argument(
            "--accept-terms", action="store_true", help="agree to the CA's terms of service (once per CA)"
        )
        _how_much(command)
    plan = _command(commands, "plan", "show what a run would do, and why", _PLAN)
    for command in (run, issue, plan):
        command.add_argument(
            "--force", "-x", action="store_true", help="renew although nothing is due, or although it failed just now"
        )
        test = command.add_mutually_exclusive_group()
        test.add_argument(
            "--allow-test-ca-live",
            action="store_true",
            help="put certificates of a test CA where services read, and call hooks (default: they go to TEST_CERTDIR)",
        )
        if command is not issue:
            test.add_argument(
                "--staging",
                action="store_true",
                help="rehearse with each CA's test service: certificates go to TEST_CERTDIR, nothing live is changed",
            )
    status = _command(commands, "status", "show the certificates that are there", _STATUS)
    status.add_argument("--all", action="store_true", help="list all, also where the terminal has too few lines")
    for command in (plan, status):
        command.add_argument("--json", action="store_true", help="print JSON instead of text")


def _how_much(command: argparse.ArgumentParser) -> None:
    from certkeeper.cli.saying import PLAIN, Saying  # noqa: PLC0415 - not for help and version

    kinds = command.add_mutually_exclusive_group()
    for words, saying, help_ in (
        (("--quiet", "-q"), Saying.PROBLEMS, "print problems only"),
        (
            ("--only-changes",),
            Saying.CHANGES,
            "print what was issued, deployed or changed, and problems: for cron mail",
        ),
        (("--plain",), Saying.PLAIN, f"draw nothing anew on a terminal, as with {PLAIN} set: for screen readers"),
    ):
        kinds.add_argument(*words, dest="saying", action="store_const", const=saying, default=Saying.ALL, help=help_)


def _programs_of_others(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Their words are not argparse's: only the help is."""
    hook = commands.add_parser("pdns-hook", help="dehydrated's HOOK for PowerDNS", description=_PDNS_HOOK)
    hook.add_argument("words", nargs="*", metavar="WORD", help="the hook's name and its arguments")
    commands.add_parser("dehydrated", help="do what dehydrated does, with its words", description=_DEHYDRATED)


def _program() -> argparse.ArgumentParser:
    return _Parser(
        prog="certkeeper",
        description=_DESCRIPTION,
        epilog="start with: certkeeper init, or where dehydrated is already: certkeeper plan",
    )


def _dns_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    dns = commands.add_parser("dns", help="look at zones, mend them, try them out", description=_DNS)
    parts = dns.add_subparsers(dest="dns_command", metavar="COMMAND", required=True)
    doctor = _nameless_command(parts, "doctor", "say what is wrong with the zones", _DOCTOR)
    doctor.add_argument(
        "names", nargs="*", metavar="ZONE", help="only these zones (default: those of all certificates)"
    )
    doctor.add_argument("--fix", action="store_true", help="mend what can be mended without changing a record")
    test = _nameless_command(parts, "test", "try a zone out with a record of its own", _TEST)
    test.add_argument("name", metavar="NAME", help="the name whose zone is tried out")
    caa = _command(parts, "caa", "propose CAA records", _CAA)
    persist = _nameless_command(parts, "persist", "records that stand, and prove names at any time", _PERSIST)
    _persist_options(persist)
    cleanup = _nameless_command(parts, "cleanup", "remove challenge records that were left", _CLEANUP)
    cleanup.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    for command in (doctor, caa):
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
    for command in (doctor, cleanup, persist):
        command.add_argument("--yes", "-y", action="store_true", help="do not ask")


def _persist_options(persist: argparse.ArgumentParser) -> None:
    from certkeeper.cli.ca_arguments import add_ca  # noqa: PLC0415 - as above

    persist.add_argument(
        "names", nargs="*", metavar="NAME", help="these names (default: those whose CHALLENGETYPE has dns-persist-01)"
    )
    doing = persist.add_mutually_exclusive_group()
    doing.add_argument("--json", action="store_true", help="print JSON instead of text")
    doing.add_argument("--write", action="store_true", help="write the record that is needed")
    doing.add_argument("--remove", action="store_true", help="take away the records of our account")
    persist.add_argument("--wildcard", action="store_true", help="write it for *.NAME, too")
    end = persist.add_mutually_exclusive_group()
    end.add_argument("--until", type=_day, metavar="DATE", help="write it so that it ends with that day: 2027-12-31")
    end.add_argument("--days", type=_days, metavar="N", help="write it so that it ends in that many days")
    add_ca(persist)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2027-12-31") from None


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to 99999")
    return int(text)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_: str, description: str
) -> argparse.ArgumentParser:
    command = _nameless_command(commands, name, help_, description)
    command.add_argument("names", nargs="*", metavar="NAME", help="only certificates of that alias or with that name")
    return command


def _nameless_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_: str, description: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_, description=description)
    command.add_argument(
        "--config",
        "-f",
        metavar="FILE",
        help="dehydrated's config file, or a certkeeper.toml (default: $CONFIG, else /etc/certkeeper/certkeeper.toml "
        "or the first of /etc/dehydrated/config, /usr/local/etc/dehydrated/config, ./config)",
    )
    command.add_argument(
        "--source-config",
        dest="evaluator",
        action="store_const",
        const="bash",
        default="parser",
        help="have bash evaluate the config files, commands and functions included (default: nothing is executed)",
    )
    return command
