"""Completion files, loaded by the shells they are for: each is asked what could be typed next."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bed import binaries

KEPT = Path(__file__).parents[2] / "contrib" / "completion"

BASH = """
source "$1"
COMP_WORDS=($2) COMP_CWORD=$(( $(wc -w <<<"$2") - 1 ))
[[ $2 == *' ' ]] && COMP_WORDS+=('') COMP_CWORD=$((COMP_CWORD + 1))
_certkeeper certkeeper
printf '%s\\n' "${COMPREPLY[@]}"
"""

# A terminal of its own: completion works in zsh's line editor alone. What compadd is given is written down.
ZSH = r"""
zmodload zsh/zpty zsh/zselect
rm -f offered done ready
zpty terminal "cd ${(q)PWD} && PS1= TERM=dumb zsh -f -i"
zpty -w terminal 'autoload -Uz compinit && compinit -u -D; source '${(q)1}
zpty -w terminal "
compadd() {
    local -a found
    builtin compadd -O found \"\$@\"
    print -rl -- \$found >>|offered
    builtin compadd \"\$@\"
}
zle -C complete-it complete-word _main_complete
tell() { zle complete-it; : >>|offered; : >|done }
zle -N tell
bindkey '^X' tell
: >|ready"
for i in {1..500}; do [[ -e ready ]] && break; zselect -t 2; done
zpty -w -n terminal "$2"$'\x18'
for i in {1..500}; do [[ -e done ]] && break; zselect -t 2; done
cat offered
zpty -d terminal
"""


def run(words: list[str], folder: Path) -> set[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert not done.stderr
    return {line.partition("\t")[0] for line in done.stdout.splitlines() if line}


def bash(typed: str, folder: Path) -> set[str]:
    return run([binaries.require("bash"), "--norc", "-c", BASH, "bash", str(KEPT / "certkeeper.bash"), typed], folder)


def zsh(typed: str, folder: Path) -> set[str]:
    offered = run([binaries.require("zsh"), "-f", "-c", ZSH, "zsh", str(KEPT / "_certkeeper"), typed], folder)
    # A file is offered twice, once quoted for the command line.
    return {word.replace("\\", "") for word in offered}


def fish(typed: str, folder: Path) -> set[str]:
    script = "source $argv[1]; complete -C $argv[2]"
    return run([binaries.require("fish"), "--no-config", "-c", script, str(KEPT / "certkeeper.fish"), typed], folder)


Shell = Callable[[str, Path], set[str]]


@pytest.mark.parametrize("shell", [bash, zsh, fish])
class TestShells:
    def test_commands(self, shell: Shell, tmp_path: Path) -> None:
        offered = shell("certkeeper ", tmp_path)
        assert {"run", "plan", "dns", "completion"} <= offered
        assert "doctor" in offered
        assert "persist" not in offered

    def test_the_beginning_of_a_command(self, shell: Shell, tmp_path: Path) -> None:
        assert shell("certkeeper ro", tmp_path) == {"rollback"}

    def test_parts_of_a_command(self, shell: Shell, tmp_path: Path) -> None:
        assert shell("certkeeper dns ", tmp_path) == {"doctor", "test", "caa", "persist", "cleanup"}

    def test_options_of_a_part(self, shell: Shell, tmp_path: Path) -> None:
        offered = {word.rstrip("=") for word in shell("certkeeper dns persist --", tmp_path)}
        assert {"--write", "--until", "--config"} <= offered
        assert "--dry-run" not in offered

    def test_options_after_options(self, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "a.toml").touch()
        offered = shell("certkeeper run --config a.toml --accept", tmp_path)
        assert offered == {"--accept-terms"}

    def test_values_that_are_known(self, shell: Shell, tmp_path: Path) -> None:
        assert shell("certkeeper check --family ", tmp_path) == {"any", "rsa", "ecdsa", "both"}
        assert shell("certkeeper completion ", tmp_path) == {"bash", "zsh", "fish"}

    def test_files(self, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "my page.toml").touch()
        assert shell("certkeeper plan -f my", tmp_path) == {"my page.toml"}
        assert shell("certkeeper sign my", tmp_path) == {"my page.toml"}
        assert shell("certkeeper plan my", tmp_path) == set()


def test_bash_completes_behind_an_equals_sign(tmp_path: Path) -> None:
    """bash makes three words of it."""
    (tmp_path / "page.toml").touch()
    assert bash("certkeeper plan --config = pa", tmp_path) == {"page.toml"}
    assert bash("certkeeper plan --config =", tmp_path) == {"page.toml"}
