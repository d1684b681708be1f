"""Scripts of an operator's, calls of them, and what a call that fails has to tell."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certkeeper.adapters.hooks import HookFailed, Hooks
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import ExitCode, Fault

SOON = 20.0


def script(tmp_path: Path, *lines: str, name: str = "hook.sh") -> str:
    path = tmp_path / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return str(path)


def call(path: str, *arguments: str, **environment: str) -> HookCall:
    return HookCall(path, "deploy_cert", arguments, tuple(environment.items()), timedelta(seconds=SOON))


def failure(hook: HookCall, *, deadline: float = SOON, of: str = "") -> HookFailed:
    with pytest.raises(HookFailed) as caught:
        Hooks().call(replace(hook, bound=timedelta(seconds=deadline)))
    assert str(caught.value).startswith(f"hook {of or hook.script} deploy_cert: ")
    assert caught.value.hint
    assert caught.value.fault is Fault.OPERATOR
    assert caught.value.local
    assert caught.value.exit_code is ExitCode.FAILED
    return caught.value
