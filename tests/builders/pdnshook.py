"""certkeeper-pdns-hook as it is installed, called as dehydrated calls its hook."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from builders.page import DEADLINE, Done, environment
from certkeeper.cli.pdnshook.entry import pdns_hook

_PROGRAM = """#!{python}
from certkeeper.cli.pdnshook.entry import entry

entry()
"""


class PdnsHook:
    """The program with one configuration, in the environment that dehydrated gives it."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.folder = config.parent
        self.path = self.folder.with_name(f"{self.folder.name}-bin") / "certkeeper-pdns-hook"
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(_PROGRAM.format(python=sys.executable), encoding="utf-8")
        self.path.chmod(0o755)

    def command(self, *words: str) -> list[str]:
        return [str(self.path), *words]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return environment({"CONFIG": str(self.config), "BASEDIR": str(self.folder), **(more or {})})

    def call(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        ended = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment(env),
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
        )
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def inside(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """The same in this process, which need not load everything each time."""
        before = dict(os.environ)
        out, err = io.StringIO(), io.StringIO()
        try:
            os.environ.clear()
            os.environ.update(self.environment(env))
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = pdns_hook(words)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Done(code, out.getvalue(), err.getvalue())

    def deploy(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        return self.inside("deploy_challenge", *words, env=env)

    def clean(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        return self.inside("clean_challenge", *words, env=env)
