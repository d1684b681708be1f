"""The installed program as people and scripts meet it: words, exit codes, pipes."""

import fcntl
import json
import signal
import subprocess
from pathlib import Path

import pytest

from bed.faults import Asked, FaultyPowerDns, Late
from bed.waiting import wait_until
from bed.world import World
from builders.installed import PYTHON, script
from builders.page import DEADLINE, Done, Page, assert_clean_dns, certkeeper, environment

COMMANDS = ("run", "plan", "status")
PROGRAM = script("certkeeper")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page that needs no server to be read; its config."""
    config = tmp_path / "config"
    config.write_text(
        'CHALLENGETYPE="dns-01"\nPDNS_HOST="127.0.0.1"\nPDNS_PORT="9"\nPDNS_KEY="secret"\nCA="https://localhost:9/dir"\n'
    )
    (tmp_path / "domains.txt").write_text("example.org www.example.org\nmail.example.org > post\n")
    return config


def test_the_installed_script_and_the_module_are_the_same_program() -> None:
    scripts = [
        subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, timeout=DEADLINE).stdout
        for command in ([PROGRAM], [PYTHON, "-m", "certkeeper"])
    ]
    assert scripts[0] == scripts[1]
    name, version = scripts[0].split()
    assert name == "certkeeper"
    assert version.count(".") >= 1


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_the_hook_program_explains_itself(word: str) -> None:
    hook = script("certkeeper-pdns-hook")
    done = subprocess.run([hook, word], capture_output=True, text=True, check=True, timeout=DEADLINE)
    assert done.stdout.startswith("usage: certkeeper pdns-hook ")
    assert "deploy_challenge" in done.stdout
    assert done.stderr == ""


def test_a_file_without_a_certificate_is_named(page: Path) -> None:
    file = page.with_name("hello")
    file.write_text("hello\n")
    done = certkeeper("revoke", "--config", page, file, cwd=page.parent)
    assert done.only_error() == f"{file}: holds no PEM certificate"


def test_help_names_every_command_and_where_to_start(tmp_path: Path) -> None:
    done = certkeeper("--help", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    for command in COMMANDS:
        assert command in done.out
    assert "start with: certkeeper init" in done.out
    assert "certkeeper plan" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(tmp_path: Path, command: str) -> None:
    done = certkeeper(command, "--help", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert f"certkeeper {command}" in done.out
    assert "--config" in done.out
    assert "NAME" in done.out


def test_run_explains_its_exit_codes(tmp_path: Path) -> None:
    out = certkeeper("run", "--help", cwd=tmp_path).out
    for code in "0123":
        assert f"{code} " in out.partition("exit codes:")[2]


@pytest.mark.parametrize("arguments", [(), ("ruin",), ("run", "--colour"), ("status", "--force")])
def test_what_is_no_command_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = certkeeper(*arguments, cwd=tmp_path)
    assert done.code == 2
    assert "usage: certkeeper" in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_an_unknown_name_comes_with_the_one_that_may_be_meant(page: Path) -> None:
    for command in COMMANDS:
        done = certkeeper(command, "--config", page, "mial.example.org", cwd=page.parent)
        assert done.code == 2
        assert "mial.example.org: no certificate" in done.only_error()
        assert done.hints == ["did you mean mail.example.org?"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "https://localhost:9/dir: cannot connect: connection refused"),
        ('CA_BUNDLE="/nothing.pem"', "https://localhost:9/dir: cannot be asked: /nothing.pem: "),
    ],
)
def test_plan_says_that_the_ca_cannot_be_reached(page: Path, line: str, message: str) -> None:
    page.write_text(f'CA="https://localhost:9/dir"\nWELLKNOWN="{page.parent}"\n{line}\n')
    done = certkeeper("plan", "--json", "--config", page, cwd=page.parent)
    assert (done.code, done.err) == (0, "")
    (found,) = [item for item in json.loads(done.out)["findings"] if item["code"] == "ca-unreachable"]
    assert found["message"].startswith(message)
    assert (found["severity"], found["consequence"]) == ("warning", "a run would fail here")
    # Nothing is due, so nobody is asked.
    (page.parent / "domains.txt").write_text("")
    assert "localhost:9" not in certkeeper("plan", "--config", page, cwd=page.parent).text


def test_a_name_in_capitals_is_the_same_name(page: Path) -> None:
    done = certkeeper("status", "--config", page, "MAIL.example.org", cwd=page.parent)
    assert done.code == 0
    assert [line.split()[:2] for line in done.out.splitlines()[:-1]] == [["missing", "post"]]


def test_status_without_certificates_says_so_and_is_no_failure(page: Path) -> None:
    done = certkeeper("status", "--config", page, cwd=page.parent)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()[:-1]
    assert [line.split()[:2] for line in lines] == [["missing", "example.org"], ["missing", "post"]]
    assert all(line.endswith("no certificate yet") for line in lines)
    document = json.loads(certkeeper("status", "--json", "--config", page, cwd=page.parent).out)
    assert [each["alias"] for each in document["certificates"]] == ["example.org", "post"]


@pytest.mark.parametrize("command", ["status", "status --json", "plan"])
def test_a_reader_that_leaves_early_is_no_failure(page: Path, command: str) -> None:
    (page.parent / "domains.txt").write_text("".join(f"n{number}.example.org\n" for number in range(5000)))
    script = f'set -o pipefail; "{PYTHON}" -m certkeeper {command} --config "{page}" | head -n 1'
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=DEADLINE, env=environment()
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert done.returncode in {0, 1}


def test_a_lock_that_is_held_ends_a_run_with_three(page: Path) -> None:
    lock = page.parent / "lock"
    lock.write_text("certkeeper 1 2026-01-01T00:00:00Z\n")
    with lock.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = certkeeper("run", "--config", page, cwd=page.parent)
        assert done.code == 3
        assert str(lock) in done.only_error()
        for reading in ("status", "plan"):
            assert certkeeper(reading, "--config", page, cwd=page.parent).code != 3
    assert lock.exists()


def test_dehydrateds_lock_is_respected_and_explained(page: Path) -> None:
    (page.parent / "lock").write_text("")
    done = certkeeper("run", "--config", page, cwd=page.parent)
    assert done.code == 3
    assert "dehydrated" in done.only_error()


def test_a_lock_that_a_killed_run_left_is_taken_over(page: Path) -> None:
    (page.parent / "lock").write_text("certkeeper 1 2026-01-01T00:00:00Z\n")
    done = certkeeper("run", "--config", page, cwd=page.parent)
    assert done.code == 1  # PowerDNS is not there; the lock was no obstacle
    assert not (page.parent / "lock").exists()


# --- with servers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def zone(shared_world: World) -> str:
    return shared_world.new_zone().removesuffix(".")


@pytest.fixture
def real(shared_world: World, tmp_path: Path, zone: str) -> Page:
    return Page(tmp_path / "real", shared_world, zone)


def outcome(child: subprocess.Popen[str]) -> Done:
    out, err = child.communicate(timeout=DEADLINE)
    return Done(child.returncode, out, err)


@pytest.mark.real
def test_exit_codes_are_zero_one_two_and_three(real: Page, zone: str) -> None:
    assert real.run(terms=False).code == 2
    assert real.run().code == 0
    real.write_lines(zone, f"www.x{zone}")
    assert real.run().code == 1
    assert real.plan().code == 1
    assert real.status().code == 0
    (real.folder / "lock").write_text("")
    assert real.run().code == 3


@pytest.mark.real
def test_a_second_run_while_the_first_one_works_ends_with_three(real: Page) -> None:
    def slow(asked: Asked) -> Late | None:
        return Late(3) if asked.method == "PATCH" and asked.nth == 1 else None

    with FaultyPowerDns(real.world.primary, slow) as api:
        real.configure(PDNS_HOST=api.url)
        command = [PYTHON, "-m", "certkeeper", "run", "--accept-terms", "--config", str(real.config)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=real.folder, env=environment()
        ) as first:
            wait_until((real.folder / "lock").exists, "the first run has the lock")
            second = real.run()
            done = outcome(first)
    assert second.code == 3
    assert f"process {first.pid}" in second.only_error()
    assert done.code == 0, done.text
    assert not (real.folder / "lock").exists()
    assert real.run().code == 0


@pytest.mark.real
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_interrupted_withdraws_its_records_first(
    real: Page, zone: str, number: signal.Signals, code: int
) -> None:
    real.configure(NAMESERVERS="127.0.0.77:9")  # nobody is there: the run waits with its records published
    command = [PYTHON, "-m", "certkeeper", "run", "--accept-terms", "--config", str(real.config)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=real.folder, env=environment()
    ) as run:
        wait_until(lambda: real.world.primary.txt(f"_acme-challenge.{zone}"), "the record is published")
        run.send_signal(number)
        done = outcome(run)
    assert done.code == code
    assert "Traceback" not in done.text
    assert not (real.folder / "lock").exists()
    assert_clean_dns(real.world, zone)
