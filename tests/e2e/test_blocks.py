"""Every command block of every document is typed by a test, or has a reason why it is not."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bed.afternoon import Afternoon
from builders.afternoon import PROGRAMS, install
from builders.blocks import Block, blocks

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
ZONE = "example.org"
CERTIFICATES = ("example.org www.example.org", "mail.example.org", "xmpp.example.org", "www.example.com > gone")

PLAYED_BY = {
    "docs/moving-from-dehydrated.md": "tests/e2e/test_moving.py",
    "docs/tutorial.md": "tests/e2e/test_tutorial.py",
}
"""Transcripts: what is typed in them and what they show is compared there."""
REASONS: Mapping[str, str] = {
    r"scripts/demo\b.*": "tests/e2e/test_demo.py plays it",
    r"scripts/(test|fuzz|lock|manuals|compatibility)\b.*": "for a checkout: continuous integration is scripts/test",
    r"benchmarks/.*": "takes an hour; what it measured is in docs/benchmarks.md",
    r"systemctl .*": "no systemd runs where the tests run; units are checked by systemd-analyze",
    r"(python3 -m venv|/opt/certkeeper/bin/pip|ln -s /opt/certkeeper|pipx|uv|apt|dpkg|sha256sum|sudo) ?.*": (
        "installs: tests of the package and of the wheel do it in folders of their own"
    ),
    r"rm /etc/cron\.d/dehydrated": "of the machine that is moved from",
    r"certkeeper run --config …/.*": "the demo's transcript, whose paths are shortened",
    r"certkeeper alert test": "tests/integration sends alerts",
    r"sed -i .*alert_mail.*": "goes with the command below it",
}
"""Patterns of whole commands that are not typed here."""
PLUGINS = re.compile(r"certkeeper (?:check|tlsa check|ocsp check)\b")
"""Their exit codes are those of monitoring plugins."""


def ids(document: Path) -> str:
    return str(document.relative_to(ROOT))


def reason_for(command: str) -> str | None:
    return next((why for pattern, why in REASONS.items() if re.fullmatch(pattern, command)), None)


def left_to_play(document: Path) -> Iterator[Block]:
    """Blocks that no other test plays."""
    for block in blocks(document):
        if not (block.played and ids(document) in PLAYED_BY):
            yield block


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_command_is_typed_somewhere_or_says_why_not(document: Path) -> None:
    for block in left_to_play(document):
        assert not block.played, f"{ids(document)}:{block.line}: a transcript that no test plays: see PLAYED_BY"
        for command in block.commands:
            typed = is_ours(command) or is_harmless(command)
            assert typed or reason_for(command), f"{ids(document)}:{block.line}: {command}: add it to REASONS"


def test_the_tests_that_play_transcripts_are_there() -> None:
    for document, test in PLAYED_BY.items():
        assert (ROOT / test).is_file()
        assert any(block.played for block in blocks(ROOT / document))


def is_ours(command: str) -> bool:
    return bool(re.match(r"(?:certkeeper(?:-[a-z-]+)?|man) ", command + " ")) and reason_for(command) is None


def is_harmless(command: str) -> bool:
    """A shell's own words in a script that is shown, and what only writes to a backup."""
    return bool(re.match(r"(?:tar -C / |#|case |esac|\s)", command))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afternoon]:
    with Afternoon(tmp_path_factory.mktemp("machine"), ZONE, PROGRAMS) as made:
        install(made, ZONE, "shop", "www.shop", "old")
        _furnish(made)
        yield made


def _furnish(machine: Afternoon) -> None:
    """A page of dehydrated's with live certificates, and the files that documents name."""
    for folder in ("/etc/dehydrated/certs/mail.example.org", "/etc/dehydrated/certs/xmpp.example.org"):
        machine.done(f"mkdir -p {folder}")
    machine.done("mkdir -p /etc/certkeeper /var/lib/certkeeper /etc/postfix/certs /var/www/status /srv")
    machine.write(
        "/etc/dehydrated/config",
        'CHALLENGETYPE="dns-01 dns-persist-01"\nCONTACT_EMAIL="hostmaster@example.org"\nPDNS_HOST="127.0.0.1"\n'
        'PDNS_KEY_FILE="/etc/certkeeper/pdns.key"\nKEY_ALGO="prime256v1"\nACCOUNT_KEY_ALGO="prime256v1"\nPDNS_WAIT="20"',
    )
    machine.write("/etc/certkeeper/pdns.key", "correct-horse-battery-staple", mode=0o600)
    machine.write("/etc/dehydrated/domains.txt", "\n".join(CERTIFICATES[:3]))
    machine.write("/etc/dehydrated/certs/mail.example.org/config", 'TLSA="yes"\nDEPLOY="postfix dovecot"')
    machine.write("/etc/dehydrated/certs/xmpp.example.org/config", 'CERT_GROUP="prosody"')
    machine.done("certkeeper run --accept-terms")
    machine.done("certkeeper issue --alias old.example.org old.example.org")
    machine.done("certkeeper run --force mail.example.org; certkeeper run")
    machine.done(
        "cd /srv && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout appliance.key"
        " -subj /CN=www.example.org -addext subjectAltName=DNS:www.example.org -out appliance.csr"
        " && cp /etc/dehydrated/certs/mail.example.org/privkey.pem privkey.roll.pem"
    )


@pytest.mark.real
def test_every_command_of_ours_works_as_it_stands(machine: Afternoon) -> None:
    trouble, typed = [], 0
    for document in DOCUMENTS:
        for block in left_to_play(document):
            for command in block.commands:
                if not (is_ours(command) or command.startswith("tar ")):
                    continue
                printed, code = machine.type(command)
                typed += 1
                if wrong(command, printed, code):
                    trouble.append(f"{ids(document)}:{block.line}: $ {command}\n{printed}\nexit code {code}")
                # Beside dehydrated's config nobody could tell which page counts.
                machine.type("cd /srv; rm -f /etc/certkeeper/certkeeper.toml")
    assert not trouble, "\n\n".join(trouble)
    assert typed > 50


def wrong(command: str, printed: str, code: int) -> bool:
    """Not understood, or a fault of the program's own. What a command finds is the machine's matter."""
    if "Traceback" in printed or "usage:" in printed or code > 3:
        return True
    return code >= 2 and not PLUGINS.match(command)


def test_what_is_looked_for_is_found(tmp_path: Path) -> None:
    document = tmp_path / "x.md"
    document.write_text(
        "text\n\n    certkeeper plan\n    not = typed\n\n```sh\nsystemctl start x\n```\n\n"
        "```console\n$ certkeeper run\nprinted\n```\n\n```toml\na = 1\n```\n\n    frobnicate --now\n"
    )
    assert [(block.line, block.commands, block.played) for block in blocks(document)] == [
        (3, ("certkeeper plan",), False),
        (7, ("systemctl start x",), False),
        (11, ("certkeeper run",), True),
    ]


@pytest.mark.parametrize(
    ("command", "printed", "code", "expected"),
    [
        ("certkeeper plan", "fine", 0, False),
        ("certkeeper plan", "failed", 1, False),
        ("certkeeper plan", "usage: certkeeper", 2, True),
        ("certkeeper plan", "error: no such page", 2, True),
        ("certkeeper check x", "CRITICAL", 2, False),
        ("certkeeper check x", "Traceback (most recent call last)", 1, True),
        ("certkeeper nonsense", "", 127, True),
    ],
)
def test_what_does_not_work_is_seen(command: str, printed: str, code: int, *, expected: bool) -> None:
    assert wrong(command, printed, code) is expected
