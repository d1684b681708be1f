"""The programs of the scenario "responses": one store of stapled certificates, without OCSP_FETCH and with it."""

from collections.abc import Iterable
from typing import ClassVar

from benchmarks.forge import Forged
from benchmarks.model import Wanted
from benchmarks.programs import Job
from benchmarks.unchanged import CertkeeperUnchanged

FETCHED = {"OCSP_FETCH": "yes"}


class CertkeeperUnstapled(CertkeeperUnchanged):
    name = "certkeeper-no-ocsp"
    settings = ("`certkeeper run`, http-01, no hook; the responses are there, and nobody cares",)


class CertkeeperStapled(CertkeeperUnchanged):
    name = "certkeeper-ocsp"
    settings = ('the same with `OCSP_FETCH="yes"`: an earlier run has proven every response, and none is due',)
    more: ClassVar[dict[str, str]] = FETCHED


class CertkeeperUnstapledWhole(CertkeeperUnstapled):
    name = "certkeeper-no-ocsp-whole"
    settings = ("as certkeeper-no-ocsp, and nothing is known of the run before, so that every certificate is decided",)

    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        usual = super().forge(certificates)
        forgetting = ("/bin/sh", "-c", 'rm -f "$1"; shift; exec "$@"', "sh", str(self.folder / "state" / "calm"))
        return Job((*forgetting, *usual.command), usual.environment)


class CertkeeperStapledWhole(CertkeeperUnstapledWhole):
    name = "certkeeper-ocsp-whole"
    settings = ('the same with `OCSP_FETCH="yes"`',)
    more: ClassVar[dict[str, str]] = FETCHED


STAPLED = (CertkeeperUnstapled, CertkeeperStapled, CertkeeperUnstapledWhole, CertkeeperStapledWhole)
