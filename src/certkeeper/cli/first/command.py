"""`certkeeper init`: looks, asks, writes a first page, checks it, and shows what a run would do."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from certkeeper import __version__
from certkeeper.base.errors import CertkeeperError, ExitCode, UsageError
from certkeeper.base.events import count
from certkeeper.cli.compose import check_page, handed_files, system_clock
from certkeeper.cli.compose.discovering import Discovered, discover
from certkeeper.cli.config.convert import beside
from certkeeper.cli.first.answers import Answers, answer
from certkeeper.cli.first.asking import Asking
from certkeeper.cli.first.present import present_page, proposal
from certkeeper.cli.render import print_error
from certkeeper.config.authority import COUNTERPARTS
from certkeeper.config.firstpage import first_page
from certkeeper.config.page import NATIVE, SUFFIX, rivals

_FLAGS = ("ca", "contact", "domains", "dns", "dns_server", "dns_key_file", "deploy")


class PageIsThere(UsageError):
    """A first page was asked for on a machine that has one."""


class BadName(UsageError):
    """The new file would not be read as what it is."""


def init(options: argparse.Namespace) -> int:
    """Begin: a new page, or the one that is there.

    Raises:
        CertkeeperError: what was typed cannot be, or the file cannot be written.
    """
    there = present_page(options.root) if options.out is None else None
    if there is not None:
        typed = [f"--{name.replace('_', '-')}" for name in _FLAGS if getattr(options, name) is not None]
        if typed:
            raise PageIsThere(
                f"{there}: there is a configuration already, and {typed[0]} would be about a new one",
                hint="look at it: certkeeper init; for another one beside it, name a file: --out FILE",
            )
        return _taken_over(there, discover(options.root))
    out = str(Path(options.out or NATIVE).absolute())
    if not out.endswith(SUFFIX):
        raise BadName(f"{out}: what is written is read only where its name ends in {SUFFIX}", hint="name it so")
    if os.path.lexists(out):
        raise PageIsThere(f"{out}: is there already", hint="name another file with --out, or move it away")
    found = discover(options.root)
    _tell_found(found)
    asking = Asking(yes=options.yes)
    answers = answer(options, found, out, asking)
    text = first_page(answers.page, f"certkeeper init {__version__}", system_clock().now().date())
    if not asking.may_write(out, text):
        sys.stderr.write("certkeeper: nothing was written\n")
        return ExitCode.USAGE
    return _written(out, answers, text)


def _tell_found(found: Discovered) -> None:
    write = sys.stdout.write
    write(f"services here: {', '.join(found.services) or 'none that is known'}\n")
    if found.powerdns is not None:
        conf = found.powerdns
        place = conf.host if conf.host.startswith("unix:") else f"{conf.host}, port {conf.port}"
        write(f"PowerDNS: its API is at {place}, by {conf.where}\n")
        if conf.trouble:
            write(f"    {conf.trouble}\n")
    for path in found.unread:
        write(f"{path} cannot be read: what it says is not known (root may read it)\n")


def _written(out: str, answers: Answers, text: str) -> int:
    files = handed_files()
    if answers.key is not None:
        path, secret = answers.key
        files.write_new(path, f"{secret.reveal()}\n".encode())
        sys.stdout.write(f"{path} written (0600): the key of PowerDNS's API\n")
    if files.make_folder(answers.page.basedir):
        sys.stdout.write(f"{answers.page.basedir} made (0700): keys, certificates and accounts will be there\n")
    files.write_new(out, text.encode())
    number = count(len(answers.page.certificates), "certificate")
    sys.stdout.write(f"{out} written (0600): {number}\n")
    for rival in rivals(out):
        if Path(rival).is_file():
            sys.stdout.write(f"{beside(rival)}\n")
    return looked_over(out, named=out != NATIVE or any(Path(rival).is_file() for rival in rivals(out)))


def _taken_over(page: str, found: Discovered) -> int:
    sys.stdout.write(f"{page}: there is a configuration already, and it counts as it is; nothing is written\n")
    for line in proposal(page, found):
        sys.stdout.write(f"{line}\n")
    return looked_over(page, named=False)


def looked_over(page: str, *, named: bool) -> int:
    """Check it, show the plan, and say what to type next. `named` where commands have to name the page."""
    from certkeeper.cli.config.check import check  # noqa: PLC0415 - only once there is a page
    from certkeeper.cli.plan import plan  # noqa: PLC0415 - as above

    config = f" --config {shlex.quote(page)}" if named else ""
    sys.stdout.write(f"\n$ certkeeper config check{config}\n")
    common = argparse.Namespace(config=page, evaluator="parser", json=False, names=[], force=False)
    common.allow_test_ca_live = common.staging = False
    code = check(common)
    sys.stdout.write(f"\n$ certkeeper plan{config}\n")
    sys.stdout.flush()
    try:
        code = max(code, plan(common))
    except CertkeeperError as error:
        print_error(error)
        code = ExitCode.FAILED
    sys.stdout.write("\n")
    if code != ExitCode.DONE:
        sys.stdout.write(f"mend what is wrong in {page}, then look again:\n    certkeeper plan{config}\n")
    if _can_be_rehearsed(page):
        sys.stdout.write(
            "next, a rehearsal with the CA's test service, which changes nothing live:\n"
            f"    certkeeper run --staging --accept-terms{config}\n"
        )
    sys.stdout.write(f"for real, by the CA's terms of service:\n    certkeeper run --accept-terms{config}\n")
    sys.stdout.write(f"and from then on by itself:\n    certkeeper timer --write{config}\n")
    return code


def _can_be_rehearsed(page: str) -> bool:
    """A page that cannot be read yet most likely can, once it can."""
    configuration = check_page(page).configuration
    return configuration is None or configuration.settings.ca in COUNTERPARTS
