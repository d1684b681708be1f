"""The program `certkeeper-pdns-hook`, and which hooks it knows.

Nothing is imported up here: dehydrated calls its hook several times for each certificate, mostly for hooks that are
not for PowerDNS.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

KNOWN = ("deploy_challenge", "clean_challenge", "deploy_cert", "exit_hook", "soa_edit")


def entry() -> "NoReturn":
    """What the installed script calls."""
    words = sys.argv[1:]
    if words and words[0] not in (*KNOWN, "-h", "--help"):
        os._exit(0)
    from certkeeper.cli.main import program  # noqa: PLC0415 - see above

    sys.argv[1:1] = ["pdns-hook"]
    os._exit(program())


def pdns_hook(words: "Sequence[str]") -> int:
    """Do what a hook's name and arguments say, and return the exit code. What is not known is no error."""
    if words and words[0] not in KNOWN:
        return 0
    from certkeeper.cli.pdnshook.command import called  # noqa: PLC0415 - see above

    return called(list(words))
