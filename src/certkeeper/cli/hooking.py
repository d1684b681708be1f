"""The calls of scripts that belong to no order: at a run's start, for each certificate, and at its end."""

import re
from dataclasses import replace

from certkeeper.apply.hooks import Occasion, generate_csr, line_call, page_call, unchanged_cert
from certkeeper.apply.ports import HookCall, Hooks
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import HookCalled, Tell
from certkeeper.config.settings import CertSpec, Configuration, Purpose, Settings

_REQUEST = re.compile("-----BEGIN (NEW )?CERTIFICATE REQUEST-----")


class NotOurs(CertkeeperError):
    """A request for a key that a script keeps."""

    fault = Fault.OPERATOR
    local = True


class Hooking:
    """One run's. `settings.hook` is the page's script, `deploy_hook` a certificate's: neither is called where empty."""

    def __init__(self, settings: Settings, hooks: Hooks, tell: Tell) -> None:
        self._settings = settings
        self._hooks = hooks
        self._tell = tell
        self._sound = False
        self._ended = False

    def begin(self) -> None:
        """Try the script out with a call that it cannot know, and tell it that a run starts.

        Raises:
            CertkeeperError: it failed, which ends the run.
        """
        if self._settings.hook:
            self._call(page_call(self._settings, Occasion.UNKNOWN))
            self._sound = True
            self._call(page_call(self._settings, Occasion.STARTUP))

    def line(self, spec: CertSpec) -> CertSpec:
        """Before anything is decided about the certificate.

        Raises:
            CertkeeperError: the script failed, which ends this certificate's part of the run.
        """
        if not spec.deploy_hook:
            return spec
        self._call(line_call(self._settings, spec, Occasion.UNKNOWN), spec)
        if _REQUEST.search(self._hooks.call(generate_csr(self._settings, spec))):
            # A certificate for a key of ours is not what the script wants.
            raise NotOurs(
                f"hook {spec.hook} {Occasion.GENERATE_CSR}: printed a certificate request, which is not used",
                hint="have it signed by itself, certkeeper sign FILE, or let the hook print nothing",
            )
        return spec

    def unchanged(self, spec: CertSpec) -> None:
        """The certificate stays as it is.

        Raises:
            CertkeeperError: as before.
        """
        if spec.deploy_hook:
            self._call(unchanged_cert(self._settings, spec), spec)

    def end(self, fatal: CertkeeperError | None = None) -> CertkeeperError | None:
        """Tell the script that the run is over, once, whoever comes here first; why it failed, where that is news.

        `fatal` is what ended the run early, None where it came to its end.
        """
        if self._ended or not self._settings.hook:
            return None
        self._ended = True
        words = () if fatal is None else (str(fatal),)
        try:
            self._call(page_call(self._settings, Occasion.EXIT, *words))
        except CertkeeperError as error:
            return error if self._sound or fatal is None else None
        return None

    def _call(self, call: HookCall, spec: CertSpec | None = None) -> None:
        said = self._hooks.call(call)
        if said.strip():
            # Every run makes these calls: one that says nothing is not worth a line.
            self._tell(HookCalled(str(spec.alias) if spec is not None else "run", call.script, call.name, said))


def told_of_run(configuration: Configuration) -> Settings:
    """The settings of a run of these certificates; nobody is told where all of them are rehearsals."""
    specs = configuration.certificates
    if specs and all(spec.purpose is Purpose.REHEARSE for spec in specs):
        return replace(configuration.settings, hook="")
    return configuration.settings
