"""Hooks that need nothing of PowerDNS, and calls that are none."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.page import certkeeper
from builders.pdnshook import PdnsHook

DOWN = {"PDNS_HOST": "http://127.0.0.1:9", "PDNS_KEY": "s3cret"}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., PdnsHook]:
    def make(**settings: str) -> PdnsHook:
        folder = tmp_path / "dehydrated"
        folder.mkdir()
        lines = [f'{name}="{value}"\n' for name, value in settings.items()]
        (folder / "config").write_text("".join(lines))
        (folder / "config").chmod(0o600)
        return PdnsHook(folder / "config")

    return make


@pytest.mark.row("J19", "J20")
@pytest.mark.parametrize(
    ("hook", "setting", "arguments"),
    [
        ("deploy_cert", "PDNS_DEPLOY_CERT_HOOK", ["example.org", "k", "c", "f", "h", "1"]),
        ("exit_hook", "PDNS_EXIT_HOOK", ["it failed"]),
    ],
)
def test_a_command_of_the_operator_s_is_run_without_arguments_and_without_the_api(
    make: Callable[..., PdnsHook], tmp_path: Path, hook: str, setting: str, arguments: list[str]
) -> None:
    script = tmp_path / "reload"
    script.write_text('#!/bin/sh\necho "got $#: $*" >"$0.log"\nexit 7\n')
    script.chmod(0o755)
    found = make(**DOWN, **{setting: f"{script}  reload   nginx"})
    done = found.call(hook, *arguments)
    assert (done.code, done.text) == (7, "")
    # the words of the setting are its own; those of the hook are not passed on
    assert (tmp_path / "reload.log").read_text() == "got 2: reload nginx\n"
    assert found.call("exit_hook" if hook == "deploy_cert" else "deploy_cert").code == 0


def test_a_command_that_is_not_there_is_told(make: Callable[..., PdnsHook]) -> None:
    done = make(PDNS_EXIT_HOOK="/nowhere/reload x").call("exit_hook")
    assert (done.code, done.err) == (
        127,
        "certkeeper: error: /nowhere/reload: cannot run it: No such file or directory\n",
    )


@pytest.mark.parametrize(
    "words", [["this_hookscript_is_broken__x"], ["startup_hook"], ["generate_csr", "a", "b"], ["request_failure"]]
)
def test_other_hooks_are_nothing_at_once_whatever_the_config_is(
    make: Callable[..., PdnsHook], words: list[str], tmp_path: Path
) -> None:
    hook = make()
    hook.config.write_text("(((")
    assert hook.call(*words).text == ""
    assert hook.call(*words).code == 0
    assert certkeeper("pdns-hook", *words, cwd=tmp_path).code == 0


def test_nothing_is_loaded_for_them() -> None:
    program = (
        "import sys, os; sys.argv = ['hook', 'unchanged_cert'];"
        "os._exit = lambda code: (print(sorted(name for name in sys.modules if 'certkeeper' in name)), exit(code));"
        "from certkeeper.cli.pdnshook.entry import entry; entry()"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert (
        said.stdout
        == str(["certkeeper", "certkeeper.cli", "certkeeper.cli.pdnshook", "certkeeper.cli.pdnshook.entry"]) + "\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no hook: not how a hook is called"),
        (["deploy_challenge"], "0 words are no triples"),
        (["deploy_challenge", "a", "b"], "2 words are no triples"),
        (["soa_edit"], "soa_edit: not how a hook is called"),
        (["deploy_challenge", "a..b", "f", "t"], "a..b"),
    ],
)
def test_calls_that_are_none_are_errors(make: Callable[..., PdnsHook], words: list[str], said: str) -> None:
    done = make(**DOWN).inside(*words)
    assert (done.code, said in done.errors[0]) == (1, True), done.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "PDNS_HOST and PDNS_KEY are not set"),
        ({"PDNS_HOST": "h"}, "PDNS_KEY is not set"),
        ({**DOWN, "PDNS_WAIT": "soon"}, "PDNS_WAIT: 'soon' is no number"),
        ({**DOWN, "PDNS_ZONES_TXT": "/nowhere"}, "PDNS_ZONES_TXT: /nowhere cannot be read"),
        (DOWN, "http://127.0.0.1:9"),
    ],
)
def test_what_is_missing_or_wrong_is_said(make: Callable[..., PdnsHook], settings: dict[str, str], said: str) -> None:
    done = make(**settings).deploy("example.org", "f", "t")
    assert (done.code, said in done.only_error()) == (1, True), done.text
    assert "s3cret" not in done.text
