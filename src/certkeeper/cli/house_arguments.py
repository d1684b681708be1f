"""What can be typed to look at a page as a whole and to move it, and the words for shells."""

import argparse
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it
    MakeCommand = Callable[[Commands, str, str, str], argparse.ArgumentParser]

_CONFIG = """\
Look at the configuration as a whole: what counts, what is wrong with it, and the same as a certkeeper.toml.
"""

_SHOW = """\
Print the settings that count, and where each comes from: file and line, the environment, or a default. With NAME: what
counts for that certificate. Without: the page, then what single accounts, zones and certificates have for themselves.
Secrets are masked, and so are the arguments of commands and curl's options but for the first word.

exit codes: 0 done, 2 usage or configuration
"""

_CONVERT = """\
Print a certkeeper.toml that means the same as dehydrated's configuration, domains.txt and all other files of it.
Without --out secrets are left out. With it they are in the file, which is new (0600): nothing is ever overwritten.
What cannot be converted is a comment at the top, and is told.

example: certkeeper config convert --out /etc/certkeeper/certkeeper.toml

exit codes: 0 done, 1 the file cannot be written, 2 usage or configuration
"""

_CHECK = """\
Read the whole configuration and say all that is wrong with it, with place, consequence and fix: it goes on where a run
would stop at the first error. Looks at cron's and systemd's files for what still starts dehydrated, and at who may read
keys. Reads files only.

exit codes: 0 no error (there may be warnings and notes), 1 an error was found, 2 usage
"""

_DOCTOR = """\
Say all that is wrong: what `certkeeper config check` finds in the files, what a run would stumble over, and what
`certkeeper dns doctor` finds in the zones. Asks DNS, the DNS providers and the CAs; writes nothing.

exit codes: 0 no error (there may be warnings and notes), 1 an error was found, 2 usage
"""

_EXPLAIN = """\
Print the paragraph of the runbook (docs/runbook.md) about an id: what it means, and what to do. Without one, list all.

exit codes: 0 done, 2 there is no such id
"""

_SELF_CHECK = """\
Say whether this installation is in order, after an upgrade for example: the versions of what it is made of, the
configuration, the journal and its schema, each certificate's files, the lock, and the units that certkeeper timer
wrote. Reads files only, and writes nothing.

exit codes: 0 no error, 1 an error was found, 2 usage
"""

_COMPLETION = """\
Print what a shell needs to complete certkeeper's commands and options. Packages put it into place already.

bash: certkeeper completion bash > /etc/bash_completion.d/certkeeper
zsh: certkeeper completion zsh > /usr/local/share/zsh/site-functions/_certkeeper
fish: certkeeper completion fish > /etc/fish/completions/certkeeper.fish

exit codes: 0 done, 2 usage
"""


_SCHEMA = """\
Print the JSON Schema of what a command prints with --json; without NAME, the names and versions of all. While a version
stays, members are only added.

example: certkeeper schema status

exit codes: 0 done, 2 usage
"""


def add_config(commands: "Commands", command: "MakeCommand", nameless: "MakeCommand") -> None:
    """`certkeeper config …`; `command` makes one that takes names of certificates."""
    config = commands.add_parser("config", help="show, check and convert the configuration", description=_CONFIG)
    parts = config.add_subparsers(dest="config_command", metavar="COMMAND", required=True)
    show = command(parts, "show", "what counts, and where it comes from", _SHOW)
    check = nameless(parts, "check", "all that is wrong with the files", _CHECK)
    convert = nameless(parts, "convert", "the same as a certkeeper.toml", _CONVERT)
    convert.add_argument("--out", "-o", metavar="FILE", help="write it, with its secrets, into this new file")
    for part in (show, check):
        part.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_doctor(commands: "Commands", nameless: "MakeCommand") -> None:
    """`certkeeper doctor`."""
    doctor = nameless(commands, "doctor", "all that is wrong: files, zones, CA", _DOCTOR)
    doctor.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_self_check(commands: "Commands", nameless: "MakeCommand") -> None:
    """`certkeeper self-check`."""
    check = nameless(commands, "self-check", "is this installation in order, after an upgrade?", _SELF_CHECK)
    check.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_explain(commands: "Commands") -> None:
    """`certkeeper explain`, which reads no configuration."""
    explain = commands.add_parser("explain", help="what an id of a message means, and what to do", description=_EXPLAIN)
    explain.add_argument("id", nargs="?", metavar="ID", help="as status and alerts have it")


def add_schema(commands: "Commands") -> None:
    """`certkeeper schema`, which reads no configuration."""
    from certkeeper.cli.documents import VERSIONS  # noqa: PLC0415 - with what is typed there

    schema = commands.add_parser("schema", help="print the schema of a command's JSON", description=_SCHEMA)
    schema.add_argument("name", nargs="?", choices=tuple(VERSIONS), metavar="NAME", help="as `schema` names it")


def add_completion(commands: "Commands") -> None:
    """`certkeeper completion`, which reads no configuration."""
    completion = commands.add_parser("completion", help="print completion for a shell", description=_COMPLETION)
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
