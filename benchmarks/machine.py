"""What the numbers were measured on."""

import os
import platform
import re
import subprocess
from pathlib import Path

from bed import binaries


def _field(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return "unknown"
    return found[1].strip() if found else "unknown"


def _said(command: str, *arguments: str) -> str:
    """The first version number that a program tells."""
    program = binaries.find(command)
    if program is None:
        return "not here"
    ended = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"\d+\.\d[\w.+~-]*", ended.stdout + ended.stderr)
    return found[0] if found else "unknown"


def facts() -> dict[str, str]:
    memory = int(_field("/proc/meminfo", r"^MemTotal: +(\d+)") or 0) / 2**20
    return {
        "processor": f"{_field('/proc/cpuinfo', r'^model name.*: (.*)$')}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{memory:.0f} GiB",
        "system": _field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "Pebble": _said("pebble", "-version"),
        "PowerDNS": _said("pdns_server", "--version"),
    }
