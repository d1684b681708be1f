"""Where the programs are that the bed runs, and what happens when one is missing."""

import os
import shutil
from pathlib import Path

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")

HINTS = {
    "pdns_server": "install the Debian packages pdns-server and pdns-backend-sqlite3",
    "pdns_control": "install the Debian package pdns-server",
    "pdnsutil": "install the Debian package pdns-server",
    "named": "install the Debian package bind9",
    "tsig-keygen": "install the Debian package bind9",
    "ip": "install the Debian package iproute2",
    "mariadbd": "install the Debian packages mariadb-server-core and pdns-backend-mysql",
    "pebble": "scripts/test downloads it; CERTKEEPER_PEBBLE names one of your own (2.10 or newer)",
}


class MissingBinaryError(RuntimeError):
    """Outside pytest; inside, a missing program skips the test, or fails it in CI."""


def cache_folder() -> Path:
    """The folder that scripts/lib/pebble.sh fills."""
    own = os.environ.get("CERTKEEPER_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "certkeeper-bed"


def find(name: str) -> str | None:
    """The program's path; $CERTKEEPER_<NAME> goes first."""
    own = os.environ.get(f"CERTKEEPER_{name.upper()}")
    if own:
        return shutil.which(own)
    if name in {"pebble", "pebble-challtestsrv"}:  # one on the PATH may be too old, and does not tell its version
        return shutil.which(cache_folder() / "pebble/usr/bin" / name)
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *SBIN)))


def require(name: str) -> str:
    return find(name) or missing(f"{name} is not here", HINTS.get(name, f"install the Debian package {name}"))


def missing(what: str, hint: str) -> str:
    """Never returns: a skip on a laptop, a failure in CI, an exception outside pytest."""
    text = f"{what}\nhint: {hint}"
    if "PYTEST_CURRENT_TEST" not in os.environ:
        raise MissingBinaryError(text)
    import pytest  # noqa: PLC0415 (demos use the bed without pytest)

    if os.environ.get("CI"):
        pytest.fail(text, pytrace=False)
    pytest.skip(text)
