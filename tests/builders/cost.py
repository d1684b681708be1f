"""What a run costs, counted: nothing in it depends on how quick the machine is."""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from builders.page import DEADLINE, Done, Page, environment

_WATCHED = """
import sys
from certkeeper.cli.main import program
code = program(sys.argv[2:])
with open(sys.argv[1], "w") as out:
    out.write(" ".join(sys.modules))
raise SystemExit(code)
"""
_OPENED = re.compile(r"open(?:at)?\(.*, (O_\S+?)[,)].* = \d+<([^>]+)>$", re.MULTILINE)
"""With strace -y, which says what was opened, whatever it was opened by."""
_STARTED = re.compile(r"^(?:\d+ +)?(?:clone3?|v?fork)\((?!.*CLONE_THREAD).*= \d+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run may cost; what is counted is said at `Cost`."""

    opened: int
    modules: int
    processes: int
    ca: int
    patches: int
    others: int
    """Requests to PowerDNS's API that change nothing, or tell secondaries."""

    def exceeded(self, cost: "Cost") -> dict[str, tuple[int, int]]:
        """What was too much, and the most that it may be."""
        was, most = asdict(cost.all_of_it), asdict(self)
        return {name: (was[name], most[name]) for name in most if was[name] > most[name]}


@dataclass(frozen=True, slots=True)
class Cost:
    done: Done
    opened: Counter[str]
    """Files of the page, without folders: how often each was opened."""
    processes: int
    """That it started, beside its own."""
    modules: frozenset[str]
    ca: Counter[str]
    """Requests to the CA, by path."""
    patches: int
    api: int
    """All requests to PowerDNS's API."""

    @property
    def own_modules(self) -> int:
        return sum(name.partition(".")[0] == "certkeeper" for name in self.modules)

    @property
    def heavy(self) -> set[str]:
        return {"asyncio", "cryptography", "dns", "rich", "sqlite3", "urllib3"} & self.modules

    def opened_below(self, folder: Path) -> int:
        return sum(number for path, number in self.opened.items() if path.startswith(f"{folder}/"))

    @property
    def all_of_it(self) -> "Budget":
        return Budget(
            self.opened.total(),
            self.own_modules,
            self.processes,
            self.ca.total(),
            self.patches,
            self.api - self.patches,
        )


def cost_of(page: Page, *words: str) -> Cost:
    """Of one run. Whatever was asked of the servers before is forgotten."""
    page.world.pebble.forget()
    page.world.primary.recorder.forget()
    place = Path(tempfile.mkdtemp(dir=page.folder.parent))
    log, modules = place / "strace", place / "modules"
    # A file for each thread, so that no line is cut in two by another thread's.
    trace = ("strace", "-ff", "-qq", "-y", "--seccomp-bpf", "-e", "trace=open,openat,clone,clone3,fork,vfork")
    command = [sys.executable, "-c", _WATCHED, str(modules), "run", "--config", str(page.config), *words]
    ended = subprocess.run(
        [*trace, "-e", "signal=none", "-o", str(log), *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=page.folder,
        env=environment(),
        timeout=DEADLINE,
    )
    done = Done(ended.returncode, ended.stdout, ended.stderr)
    said = "".join(path.read_text(encoding="utf-8", errors="replace") for path in place.glob("strace.*"))
    opened = Counter(
        path
        for how, path in _OPENED.findall(said)
        if path.startswith(f"{page.folder}/") and "O_DIRECTORY" not in how and not Path(path).is_dir()
    )
    asked = page.world.primary.recorder.requests()
    return Cost(
        done,
        opened,
        len(_STARTED.findall(said)),
        frozenset(modules.read_text(encoding="ascii").split()),
        Counter(path for _, path in page.world.pebble.requests()),
        sum(request.method == "PATCH" for request in asked),
        len(asked),
    )
