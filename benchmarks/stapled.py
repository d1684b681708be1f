"""The programs of the scenario "responses": one store of stapled certificates, without OCSP_FETCH and with it."""

from typing import ClassVar

from benchmarks.unchanged import CertkeeperUnchanged


class CertkeeperUnstapled(CertkeeperUnchanged):
    name = "certkeeper-no-ocsp"
    settings = ("`certkeeper run`, http-01, no hook; the responses are there, and nobody cares",)


class CertkeeperStapled(CertkeeperUnchanged):
    name = "certkeeper-ocsp"
    settings = ('the same with `OCSP_FETCH="yes"`: an earlier run has proven every response, and none is due',)
    more: ClassVar[dict[str, str]] = {"OCSP_FETCH": "yes"}


STAPLED = (CertkeeperUnstapled, CertkeeperStapled)
