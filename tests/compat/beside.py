"""dehydrated and `certkeeper dehydrated` beside each other: one scenario, played on two installations, two stories.

A story is all that scripts and people can see: exit code, what is printed, hook calls, files. Stamps, tokens, dates and
the like are told apart by their kind only, and certkeeper's links through `.live` count as what is behind them.
"""

import itertools
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from pathlib import Path

from bed import dehydrated
from bed.waiting import wait_until
from bed.world import World
from builders.page import DEADLINE, environment, openssl
from certkeeper.lineage import layout
from compat.logger import BRICKER, Call, Logger

_TOKEN = r"[A-Za-z0-9_-]{43}"
_KINDS: tuple[tuple[str, str], ...] = (
    (r"-----BEGIN ([A-Z ]+)-----\n(?:[A-Za-z0-9+/=]+\n)+-----END \1-----", r"<\1>"),
    (r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT", "<date>"),
    (rf"(?<![\w-]){_TOKEN}\.{_TOKEN}(?![\w-])", "<token>.<thumbprint>"),
    (rf"(?<![\w-]){_TOKEN}(?![\w-])", "<token>"),
    (r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", "<digest>"),
    (r"(https://[^/\s]+/[a-z-]+/)[A-Za-z0-9_-]+", r"\1<id>"),
    (r"(?<!\d)1[6-9]\d{8}(?!\d)", "<stamp>"),
    (r"dehydrated-[A-Za-z0-9]{6}(?![\w-])", "<temporary>"),
)
_BACKUP = re.compile(r"(registration_info-)\d+(\.json)")
_OF_A_NAME = (" + Handling authorization for ", " + Responding to challenge for ")
_ABOUT_NAMES = frozenset({"deploy_challenge", "clean_challenge"})
# How often these come depends on how fast the CA is.
_WAITING = re.compile(r" \+ (?:Validation is (?:pending|processing)|Order is processing)\.\.\.")
# What openssl says of its own accord.
_NOISE = frozenset({"Certificate request self-signature verify OK"})
_OURS_ALONE = frozenset({"state", layout.VERSIONS, layout.LIVE, layout.REVOKED})


@dataclass(frozen=True, slots=True)
class Step:
    """One command and what came of it. `tree` is what is in BASEDIR afterwards."""

    words: tuple[str, ...]
    code: int
    out: tuple[str, ...]
    err: tuple[str, ...]
    calls: tuple[Call, ...]
    tree: Mapping[str, str]

    def of(self, alias: str) -> tuple[Call, ...]:
        return tuple(call for call in self.calls if call.about == alias)

    @property
    def names(self) -> tuple[str, ...]:
        """Which hooks were called, in this order."""
        return tuple(call.name for call in self.calls)


@dataclass
class Side:
    """One installation with its program and its hook."""

    folder: Path
    world: World
    command: Sequence[str]
    prepared: Sequence[str] = ()
    story: list[Step] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base = self.folder / "etc"
        self.certs = self.base / "certs"
        self.base.mkdir(parents=True)
        self.tmp = self.folder / "tmp"
        self.tmp.mkdir()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        dehydrated.shorten_sleep(self.bin)
        self.hook = Logger(self.folder / "hook", self.world)
        self.settings = {
            "CA": self.world.pebble.directory_url,
            "CURL_OPTS": f"--cacert {self.world.pebble.ca_bundle}",
            "CHALLENGETYPE": "dns-01",
            "HOOK": str(self.hook.path),
            "HOOK_CHAIN": "no",
            "ACCOUNT_KEY_ALGO": "prime256v1",
            # 0.7.0 has RSA keys of accounts only, which take it seconds at its 4096 bits.
            "ACCOUNT_KEYSIZE": "2048",
            # The names are nobody's: this host's resolver has nothing to say about them.
            "CAA_CHECK": "no",
            "NAMESERVERS": self.world.nameservers,
            "DNS_PROVIDER": "hook",
        }
        self.configure()

    def configure(self, **settings: str) -> None:
        self.settings |= settings
        text = "".join(f'{name}="{value}"\n' for name, value in self.settings.items())
        (self.base / "config").write_text(text, encoding="utf-8")
        (self.base / "config").chmod(0o600)

    def lines(self, *lines: str) -> None:
        (self.base / "domains.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def certificate_config(self, alias: str, text: str) -> None:
        (self.certs / alias).mkdir(parents=True, exist_ok=True)
        (self.certs / alias / "config").write_text(text, encoding="utf-8")

    def run(self, *words: str, config: bool = True) -> Step:
        """One command, kept in the story."""
        self._await_a_new_stamp()
        self.hook.forget()
        given = ("--config", str(self.base / "config")) if config else ()
        ended = subprocess.run(
            [*self.command, *words, *given],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.base,
            env=self._environment(),
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        step = Step(
            words=tuple(self.normal(word) for word in words),
            code=ended.returncode,
            out=self._lines(ended.stdout),
            err=self._lines(ended.stderr),
            calls=calls_in_order(self._call(call) for call in self.hook.calls() if not call.name.startswith(BRICKER)),
            tree=tree(self.base),
        )
        self.story.append(step)
        return step

    def normal(self, text: str) -> str:
        for path, word in (
            (str(self.command[0]), "<program>"),
            (str(self.base), "<base>"),
            (str(self.folder), "<top>"),
        ):
            text = text.replace(path, word)
        for pattern, kind in _KINDS:
            text = re.sub(pattern, kind, text)
        return text

    def _lines(self, text: str) -> tuple[str, ...]:
        lines = self.normal(text).splitlines()
        return in_order([line for line in lines if line not in _NOISE and not _WAITING.fullmatch(line)])

    def _call(self, call: Call) -> Call:
        return Call(
            call.name,
            tuple(self.normal(word) for word in call.arguments),
            tuple((name, self.normal(value)) for name, value in call.environment),
            tuple(self.normal(line) for line in call.there),
        )

    def _environment(self) -> dict[str, str]:
        clean = environment()
        path = f"{self.bin}:{clean.get('PATH', '/usr/bin:/bin')}"
        usual = {"HOME": str(self.tmp), "PATH": path, "TMPDIR": str(self.tmp), "LC_ALL": "C", "NO_PROXY": "*"}
        return usual | self.environment

    def _await_a_new_stamp(self) -> None:
        """dehydrated names files by the second, and takes a CSR that is there for one that its hook made."""
        made = (layout.stamp_of(path.name) or 0 for path in self.certs.glob("*/cert-*.csr"))
        newest = max(made, default=0)
        wait_until(lambda: time.time() >= newest + 1, "the second of the last version is over")


# What differs in every run, and why nobody is to mind.
_LINES_OF_OURS = re.compile(r" \+ zone \S+: served by .*")  # what certkeeper waits for before the CA looks
# A key that a person put there gets no stamped name. dehydrated tells sync_cert of one that does not exist.
_OWN_KEY = re.compile(r"\.versions/(<stamp>)/privkey\.pem$")
# What is left of the line before says nothing of this one: scripts that relied on it got another certificate's names,
# and with several certificates at a time there is no line before.
_STALE: Mapping[str, frozenset[str]] = {
    "exit_hook": frozenset({"alias", "altnames", "CHALLENGETYPE", "KEY_ALGO", "PRIVATE_KEY_ROLLOVER"}),
    "generate_csr": frozenset({"altnames"}),
    "unchanged_cert": frozenset({"altnames"}),
}
# With --signcsr scripts are told more than dehydrated tells them.
_OF_A_REQUEST = frozenset({"alias", "CHALLENGETYPE", "KEY_ALGO", "PRIVATE_KEY_ROLLOVER"})


def comparable(step: Step) -> Step:
    """The same without those differences."""
    return replace(
        step,
        out=tuple(line for line in step.out if not _LINES_OF_OURS.fullmatch(line)),
        calls=tuple(
            replace(
                call,
                arguments=tuple(_argument(call.name, word) for word in call.arguments),
                environment=tuple(
                    (name, _value(call, name, value)) for name, value in call.environment if name not in _untold(call)
                ),
            )
            for call in step.calls
        ),
    )


def _argument(name: str, word: str) -> str:
    # What went wrong is said in words of our own.
    return "<message>" if name == "exit_hook" and word else _OWN_KEY.sub(r"privkey-\1.pem", word)


def _value(call: Call, name: str, value: str) -> str:
    # There is a blank behind a single name.
    return value.rstrip() if (call.name, name) == ("deploy_ocsp", "altnames") else value


def _untold(call: Call) -> frozenset[str]:
    of_a_request = _OF_A_REQUEST if ("COMMAND", "sign_csr") in call.environment else frozenset[str]()
    return of_a_request | _STALE.get(call.name, frozenset())


Scenario = Callable[[Side], None]
Stamps = Mapping[tuple[str, int], int]


def dehydrateds(folder: Path, world: World, program: str | None = None) -> Side:
    return Side(folder / "dehydrated", world, [program or dehydrated.program()])


def ours(folder: Path, world: World) -> Side:
    return Side(folder / "certkeeper", world, [sys.executable, "-m", "certkeeper", "dehydrated"])


def both(folder: Path, world: World, scenario: Scenario) -> tuple[list[Step], list[Step]]:
    """The stories of the same scenario: dehydrated's, and ours."""
    sides = dehydrateds(folder, world), ours(folder, world)
    for side in sides:
        scenario(side)
    return [comparable(step) for step in sides[0].story], [comparable(step) for step in sides[1].story]


def tree(base: Path) -> dict[str, str]:
    """What is below a folder: types, modes and link targets, by names with the stamps told apart by their order."""
    found = {}
    stamps: dict[Path, Stamps] = {}
    for path in sorted(base.rglob("*")):
        relative = path.relative_to(base)
        if _OURS_ALONE & set(relative.parts):
            continue
        order = stamps.setdefault(path.parent, _order(path.parent))
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink():
            found[str(relative)] = f"-> {_numbered(_behind(path), order)}"
        elif path.is_dir() and relative.parts[0] == "accounts" and not any(path.rglob("*.*")):
            # dehydrated makes the folder before it knows whether there will be an account.
            continue
        elif path.is_dir():
            found[f"{relative}/"] = f"{mode:o}"
        else:
            empty = " empty" if path.stat().st_size == 0 else ""
            found[str(relative.parent / _numbered(path.name, order))] = f"{mode:o}{empty}"
    return found


def _order(folder: Path) -> Stamps:
    """A response's stamp is a second of its own, at times that of its certificate."""
    stamped = [(_kind(path.name), stamp) for path in folder.iterdir() if (stamp := layout.stamp_of(path.name))]
    kinds = {kind: sorted({stamp for other, stamp in stamped if other == kind}) for kind, _ in stamped}
    return {(kind, stamp): number for kind, found in kinds.items() for number, stamp in enumerate(found, 1)}


def _kind(name: str) -> str:
    return Path(name).suffix.replace(".csr", ".pem")


def _numbered(name: str, order: Stamps) -> str:
    stamp = layout.stamp_of(name)
    if stamp is None:
        return _BACKUP.sub(r"\1<stamp>\2", name)
    return name.replace(str(stamp), f"<{order.get((_kind(name), stamp), 'gone')}>")


def in_order(lines: Sequence[str]) -> tuple[str, ...]:
    """The same with what is said of each name by name: the CA lists authorizations as it likes."""
    blocks: list[list[str]] = []
    for line in lines:
        goes_on = line.startswith((" + Challenge is valid", " + Found valid auth", " + A valid auth"))
        if goes_on and blocks and blocks[-1][0].startswith(_OF_A_NAME):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    grouped = itertools.groupby(
        blocks, lambda block: next((word for word in _OF_A_NAME if block[0].startswith(word)), "")
    )
    return tuple(
        line for word, group in grouped for block in (sorted(group) if word else list(group)) for line in block
    )


def calls_in_order(calls: Iterable[Call]) -> tuple[Call, ...]:
    """The same for hooks: those for single names follow each other, those for many have them all."""
    found = []
    for name, group in itertools.groupby(calls, lambda call: call.name):
        several = [_triples_in_order(call) if name in _ABOUT_NAMES else call for call in group]
        found += sorted(several, key=lambda call: call.arguments) if name in _ABOUT_NAMES else several
    return tuple(found)


def _triples_in_order(call: Call) -> Call:
    words = call.arguments
    triples = sorted(words[at : at + 3] for at in range(0, len(words), 3))
    return replace(call, arguments=tuple(word for triple in triples for word in triple))


def _behind(link: Path) -> str:
    """What a link says; for one through `.live`, the stamped name of what is behind it."""
    target = str(link.readlink())
    live = link.parent / layout.LIVE
    if target == layout.live_target(link.name) and live.is_symlink():
        if link.name == layout.STAPLE and link.exists():
            # It has a stamp of its own.
            return next((path.name for path in link.parent.glob("ocsp-*.der") if path.samefile(link)), target)
        stamp = layout.live_stamp(str(live.readlink()))
        return layout.stamped_name(link.name, stamp) if stamp is not None else target
    return target


def alike(folder: Path, world: World, scenario: Scenario) -> tuple[list[Step], list[Step]]:
    """Both stories, which are the same.

    Told anew where the CA's dice alone made them differ: told to reuse no authorization, Pebble does for 1 in 100.
    """
    for attempt in ("first", "second", "third"):
        theirs, mine = both(folder / attempt, world, scenario)
        found = "\n".join(line for pair in zip(theirs, mine, strict=True) for line in differences(*pair))
        if _reused(theirs) == _reused(mine):
            break
    assert not found, found
    return theirs, mine


def _reused(story: list[Step]) -> int:
    return sum("Found valid authorization" in line for step in story for line in step.out)


def differences(theirs: Step, mine: Step) -> Iterator[str]:
    """How ours is not what dehydrated's is, line by line."""
    # What is wrong is said in words of our own, in the same place.
    silence = {True: ["something on stderr"], False: []}
    looks = [
        (
            [f"exit code {step.code}", *step.out, *silence[bool(step.err)]],
            [f"{call.name} {call.arguments} {call.environment} {call.there}" for call in step.calls],
            [f"{entry} {what}" for entry, what in step.tree.items()],
        )
        for step in (theirs, mine)
    ]
    found = [line for one, other in zip(*looks, strict=True) for line in unified_diff(one, other, lineterm="", n=0)]
    lines = [line for line in found if not line.startswith(("---", "+++", "@@"))]
    if lines:
        yield f"{' '.join(mine.words)}:"
        yield from lines
        yield from (f"  stderr: {line}" for line in mine.err)


def registered(side: Side) -> None:
    side.run("--register", "--accept-terms")


def requested(side: Side, *names: str) -> str:
    """The path of a request for these names that somebody else made."""
    request = side.folder / "request.csr"
    openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/",
        "-addext", f"subjectAltName={','.join(f'DNS:{name}' for name in names)}",
        "-keyout", side.folder / "request.key", "-out", request,
    )  # fmt: skip
    return str(request)
