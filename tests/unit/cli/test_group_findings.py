"""Users of services that are not in the group that reads the key, and processes that are from before they were."""

import os
import pwd
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from builders.plans import settings, spec
from certkeeper.base.access import Access
from certkeeper.base.value import replace
from certkeeper.cli.compose import group_findings
from certkeeper.config.findings import Finding
from certkeeper.config.settings import Configuration
from certkeeper.service.target import Form, Kind, Target, TargetFile

USER, OWN, OTHER = "games", "games", "daemon"
"""No other test has processes of that user's."""
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts another user's process")


def found(group: str, owner: str = "", unit: str = "mumble") -> list[Finding]:
    file = TargetFile(Form.PRIVKEY, "/etc/mumble/{alias}.key")
    target = Target("mumble", Kind.COMMAND, (file,), Access(owner, group), user=USER, unit=unit)
    page = replace(settings(), targets={"mumble": target})
    return list(group_findings(Configuration(page, (replace(spec("a.org"), targets=("mumble",)),))))


@contextmanager
def process(gid: int) -> Iterator[int]:
    """One of that user's, in that group alone."""
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        try:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setuid(pwd.getpwnam(USER).pw_uid)
            os.write(writing, b"there")
            signal.pause()
        finally:
            os._exit(1)
    try:
        assert os.read(reading, 10) == b"there"
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
        os.close(writing)


def test_who_is_not_in_the_group_is_told_how_to_get_there() -> None:
    (finding,) = found(OTHER)
    assert finding.code == "service-not-in-group"
    assert finding.message == f"{USER}: not in the group {OTHER}, which is to read the key"
    assert finding.fix == f"adduser {USER} {OTHER} && systemctl restart mumble (a reload keeps the old groups)"
    assert found(OTHER, unit="")[0].fix.startswith(f"adduser {USER} {OTHER}, and restart the service")
    # He reads what is his own.
    assert found(OTHER, owner=USER) == []


@root
def test_a_process_from_before_has_to_be_restarted() -> None:
    user = pwd.getpwnam(USER)
    with process(user.pw_gid):
        assert found(OWN) == []
    with process(1) as pid:
        (finding,) = found(OWN)
        assert (finding.code, finding.fix) == ("old-groups", "systemctl restart mumble")
        assert f"process {pid} (" in finding.message
        assert "a reload keeps the old groups" in finding.consequence
        assert found(OWN, unit="")[0].fix == f"restart it: ps -fp {pid}"
    assert found(OWN) == []
