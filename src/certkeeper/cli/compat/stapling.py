"""OCSP_FETCH in `--cron`: after each certificate, with dehydrated's lines."""

import sys

from certkeeper.apply.result import Result
from certkeeper.base.events import Tell
from certkeeper.cli.compose import Machine
from certkeeper.cli.staples import wanted_of
from certkeeper.cli.stapling import (
    Staples,
    answers_had,
    looked_over,
    put,
    remembered_after,
    revocations_marked,
)
from certkeeper.config.settings import CertSpec
from certkeeper.plan.observed import Observed


class Stapling:
    """One certificate's response: asked for before anything is decided about the certificate, kept after it."""

    def __init__(self, machine: Machine, spec: CertSpec, tell: Tell) -> None:
        self._machine = machine
        self._spec = spec
        self._tell = tell
        self._staples = Staples()

    def ask(self, observed: Observed) -> Observed:
        """The world after the responder was asked: a certificate that was taken back is due in it."""
        machine, wanted = self._machine, wanted_of((self._spec,), observed.lineages)
        staples = answers_had(machine, looked_over(machine, wanted, machine.asked.read()) if wanted else Staples())
        self._staples, observed = revocations_marked(self._machine, staples, observed, self._tell)
        return observed

    def stays(self) -> None:
        """The certificate stays as it is.

        Raises:
            CertkeeperError: there is no response where there should be one.
        """
        staples = self._staples
        if staples.cares and not staples.due and not any(care.error for care in staples.cares):
            sys.stdout.write(" + OCSP stapling file is still valid (skipping update)\n")
            sys.stdout.flush()
        for error in put(self._machine, staples, self._tell).errors:
            raise error

    def replaced(self, result: Result) -> None:
        """Another certificate is live: its response came with it, if there is one."""
        remembered_after(self._machine, self._staples, result)
