"""The calls of scripts that belong to no order: at a run's start, for each certificate, and at its end."""

from collections.abc import Callable

from certkeeper.apply.hookcalls import Occasion, exit_call, generate_csr, line_call, page_call, unchanged_cert
from certkeeper.apply.ports import HookCall, Hooks
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import HookCalled, RequestTaken, Tell
from certkeeper.base.patterns import pattern
from certkeeper.base.value import replace
from certkeeper.config.methods import impossible
from certkeeper.config.settings import CertSpec, Configuration, OnNameFailure, Purpose, Settings

_REQUEST = pattern("-----BEGIN (NEW )?CERTIFICATE REQUEST-----")
_MUST_STAPLE = "TLSFeature"


class RequestUnusable(CertkeeperError):
    """A script's request that cannot be signed as it is."""

    label = "hook-failed"
    fault = Fault.OPERATOR
    local = True


def csr_spec(spec: CertSpec, said: str) -> CertSpec:
    """The certificate as the request asks for it that the script printed; `said` is all that it printed.

    What else the page says of its key does not count: whoever made the request keeps that.

    Raises:
        RequestUnusable: it is no sound request, or a name of it cannot be proven by the methods of the page.
    """
    from certkeeper.lineage.csr import BadCsr, read_csr  # noqa: PLC0415 - few scripts print a request

    what = f"hook {spec.hook} {Occasion.GENERATE_CSR}: the certificate request"
    try:
        request = read_csr(said.encode())
    except BadCsr as error:
        raise RequestUnusable(f"{what} {error}", hint=error.hint) from error
    # The first name is what scripts are told.
    first = [name for name in request.identifiers if name == spec.identifiers[0]]
    names = tuple(dict.fromkeys((*first, *request.identifiers)))
    for name in names:
        if not spec.methods.of(name):
            reason, hint = impossible(spec.methods, name)
            raise RequestUnusable(f"{what} names {reason}", hint=hint)
    return replace(
        spec,
        identifiers=names,
        request=request,
        must_staple=_MUST_STAPLE in request.others,
        wished_key="",
        # The request is signed as it is.
        on_name_failure=OnNameFailure.BLOCK,
    )


class Hooking:
    """One run's. `settings.hook` is the page's script, `deploy_hook` a certificate's: neither is called where empty.

    `settings.exit_command` is run at the end where there is no script. `hooks` gives the port where one is called.
    """

    def __init__(self, settings: Settings, hooks: Callable[[], Hooks], tell: Tell) -> None:
        self._settings = settings
        self._hooks = hooks
        self._tell = tell
        # A command in the script's place is not tried out.
        self._sound = not settings.hook
        self._ended = False
        self._last: CertSpec | None = None

    def begin(self) -> None:
        """Try the script out with a call that it cannot know, and tell it that a run starts.

        Raises:
            CertkeeperError: it failed, which ends the run.
        """
        if self._settings.hook:
            self._call(page_call(self._settings, Occasion.UNKNOWN))
            self._sound = True
            self._call(page_call(self._settings, Occasion.STARTUP))

    def remember(self, spec: CertSpec) -> None:
        """What the end is told of besides: the last certificate, as long as dehydrated's scripts know it then."""
        self._last = spec

    def line(self, spec: CertSpec) -> CertSpec:
        """Before anything is decided about the certificate. Where the script prints a certificate request, what comes
        back is the certificate that this asks for.

        Raises:
            CertkeeperError: the script failed, or its request is of no use, which ends this certificate's part of the
                run.
        """
        if not spec.deploy_hook:
            return spec
        self._call(line_call(self._settings, spec, Occasion.UNKNOWN), spec)
        said = self._hooks().call(generate_csr(self._settings, spec))
        if not _REQUEST.search(said):
            return spec
        spec = csr_spec(spec, said)
        self._tell(RequestTaken(str(spec.alias), spec.hook, tuple(str(name) for name in spec.identifiers)))
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
        if self._ended or not (self._settings.hook or self._settings.exit_command):
            return None
        self._ended = True
        words = () if fatal is None else (str(fatal),)
        try:
            self._call(exit_call(self._settings, self._last, *words))
        except CertkeeperError as error:
            return error if self._sound or fatal is None else None
        return None

    def _call(self, call: HookCall, spec: CertSpec | None = None) -> None:
        said = self._hooks().call(call)
        if said.strip():
            # Every run makes these calls: one that says nothing is not worth a line.
            self._tell(HookCalled(str(spec.alias) if spec is not None else "run", call.script, call.name, said))


def told_of_run(configuration: Configuration) -> Settings:
    """The settings of a run of these certificates; nobody is told where all of them are rehearsals."""
    specs = configuration.certificates
    if specs and all(spec.purpose is Purpose.REHEARSE for spec in specs):
        return replace(configuration.settings, hook="", exit_command=())
    return configuration.settings
