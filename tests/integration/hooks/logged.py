"""Scripts that note how they are called, and pages that name them."""

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from builders.page import Page, openssl
from compat.logger import VARIABLES

MakePage = Callable[..., Page]


BASH = """#!/usr/bin/env bash
# A handler for each name, and all others passed over, as in dehydrated's example.
set -eu
{{ printf '%s' "$1"; for word in "${{@:2}}"; do printf ' <%s>' "$word"; done; echo; }} >>{log}
env >{log}."$1"
case "$1" in
  deploy_challenge) echo deploying ;;
  {fails}) exit 1 ;;
  *) ;;
esac
"""


PYTHON = """#!{python}
import sys
HANDLERS = {{"deploy_challenge", "clean_challenge", "deploy_cert", "unchanged_cert", "startup_hook", "exit_hook"}}
with open({log!r}, "a") as log:
    log.write(" ".join([sys.argv[1], *("<" + word + ">" for word in sys.argv[2:])]) + "\\n")
if sys.argv[1] in HANDLERS:
    print("handled", sys.argv[1])
"""


STRICT = """#!/bin/sh
case "$1" in deploy_challenge|clean_challenge|deploy_cert) ;; *) echo "what is $1?" >&2; exit 64 ;; esac
"""


ENVIRONMENT = frozenset([*VARIABLES, "EAB_HMAC_KEY", "PDNS_KEY", "TOLD"])


UNKNOWN = "this_hookscript_is_broken"


class Logged:
    """A script that notes its calls; the kind is the shape of it."""

    def __init__(
        self, folder: Path, shape: str = BASH, fails: Sequence[str] = ("nothing",), name: str = "hook"
    ) -> None:
        self.path, self.log = folder / name, folder / f"{name}.calls"
        self.path.write_text(
            shape.format(
                log=str(self.log) if shape is PYTHON else shlex.quote(str(self.log)),
                python=sys.executable,
                fails="|".join(fails),
            )
        )
        self.path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        """The name and the arguments of each call."""
        if not self.log.exists():
            return []
        split = [line.split(" <") for line in self.log.read_text().splitlines()]
        return [[name, *(word.removesuffix(">") for word in words)] for name, *words in split]

    def names(self) -> list[str]:
        return ["bricker" if name.startswith(UNKNOWN) else name for name, *_ in self.calls()]

    def environment(self, call: str) -> dict[str, str]:
        """What it got beside what everybody has."""
        lines = Path(f"{self.log}.{call}").read_text().splitlines()
        pairs = [line.partition("=") for line in lines]
        return {name: value for name, _, value in pairs if name in ENVIRONMENT}

    def forget(self) -> None:
        self.log.unlink(missing_ok=True)


BEGUN = ["bricker", "startup_hook"]


OPENED = ["bricker", "generate_csr"]


def told(make_page: MakePage, script: Logged, *lines: str, **settings: str) -> Page:
    """The built-in provider proves the names, and the script is told of the rest."""
    return make_page(*lines, DNS_PROVIDER="powerdns", HOOK=str(script.path), **settings)


REQUESTING = """#!/bin/sh
echo "$1" >>{log}
case "$1" in generate_csr) cat {request} 2>/dev/null || : ;; esac
"""


def requesting(folder: Path, *names: str) -> Logged:
    """A script that has its own key and prints a request for it, if the file is there."""
    script = Logged(folder, REQUESTING.replace("{request}", shlex.quote(str(folder / "theirs.csr"))))
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "theirs.key")
    listed = ",".join(f"DNS:{name}" for name in names)
    openssl("req", "-new", *made, "-out", folder / "theirs.csr", "-subj", "/", "-addext", f"subjectAltName={listed}")
    return script


def key_of(command: str, file: Path) -> str:
    return openssl(command, "-in", file, *(("-noout", "-pubkey") if command != "pkey" else ("-pubout",)))
