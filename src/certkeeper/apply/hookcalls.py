"""The calls of the operator's scripts, as values: dehydrated's occasions, with its arguments and its environment.

A run with nothing due comes by here, so nothing of what carries orders out is loaded.
"""

from collections.abc import Mapping
from enum import StrEnum

from certkeeper.apply.ports import HookCall
from certkeeper.base.keys import KeyPolicy
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.lineage import layout


class Occasion(StrEnum):
    """What a script is called for: its first argument."""

    UNKNOWN = "this_hookscript_is_broken__dehydrated_is_working_fine__please_ignore_unknown_hooks_in_your_script"
    """No occasion at all: a script has to pass over what it does not know."""
    STARTUP = "startup_hook"
    GENERATE_CSR = "generate_csr"
    DEPLOY_CHALLENGE = "deploy_challenge"
    CLEAN_CHALLENGE = "clean_challenge"
    INVALID_CHALLENGE = "invalid_challenge"
    REQUEST_FAILURE = "request_failure"
    SYNC_CERT = "sync_cert"
    DEPLOY_CERT = "deploy_cert"
    DEPLOY_OCSP = "deploy_ocsp"
    UNCHANGED_CERT = "unchanged_cert"
    EXIT = "exit_hook"


_BEFORE_SIGNING = frozenset({Occasion.UNKNOWN, Occasion.GENERATE_CSR})
"""Nothing is known of the certificate's names yet: generate_csr has the last word on them."""


def page_call(settings: Settings, occasion: Occasion, *arguments: str) -> HookCall:
    """A call of the page's script, about no certificate."""
    return HookCall(settings.hook, occasion, arguments, page_environment(settings), settings.hook_timeout)


def line_call(settings: Settings, spec: CertSpec, occasion: Occasion, *arguments: str) -> HookCall:
    """A call of a certificate's script."""
    return HookCall(spec.hook, occasion, arguments, line_environment(settings, spec, occasion), spec.hook_timeout)


def page_environment(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What every call finds in its environment, under dehydrated's names."""
    return (
        ("WELLKNOWN", settings.wellknown),
        ("BASEDIR", settings.basedir),
        ("CERTDIR", settings.certdir),
        ("ALPNCERTDIR", settings.alpn_certdir),
        ("CONFIG", settings.config_file),
        ("COMMAND", settings.command),
    )


def line_environment(settings: Settings, spec: CertSpec, occasion: Occasion) -> tuple[tuple[str, str], ...]:
    """The same for a call about a certificate."""
    names = () if occasion in _BEFORE_SIGNING else (("altnames", " ".join(str(name) for name in spec.identifiers)),)
    return (
        *page_environment(settings),
        ("WELLKNOWN", spec.wellknown),
        ("CHALLENGETYPE", spec.methods.preferred[0].value),
        ("KEY_ALGO", spec.key.algorithm.value),
        ("PRIVATE_KEY_ROLLOVER", "yes" if spec.key.policy is KeyPolicy.ROLLOVER else "no"),
        ("alias", str(spec.alias)),
        *names,
    )


def live_files(settings: Settings, spec: CertSpec) -> tuple[str, ...]:
    """The first arguments of deploy_cert and unchanged_cert: the first name, and where services read."""
    folder = settings.folder(spec)
    files = (layout.PRIVKEY, layout.CERT, layout.FULLCHAIN, layout.CHAIN)
    return (str(spec.identifiers[0]), *(f"{folder}/{name}" for name in files))


def deploy_cert(settings: Settings, spec: CertSpec, stamp: int) -> HookCall:
    """The certificate's script, or the command in its place, which is handed no arguments."""
    if not spec.deploy_hook:
        made = line_call(settings, spec, Occasion.DEPLOY_CERT)
        return replace(made, script=spec.deployer, command=spec.deploy_command)
    return line_call(settings, spec, Occasion.DEPLOY_CERT, *live_files(settings, spec), str(stamp))


def exit_call(settings: Settings, last: CertSpec | None, *words: str) -> HookCall:
    """The page's script at the end of a run, or the command in its place.

    `last` is a certificate whose environment stays, as dehydrated leaves it.
    """
    if settings.hook:
        made = page_call(settings, Occasion.EXIT, *words)
        environment = line_environment(settings, last, Occasion.EXIT) if last is not None else made.environment
        return replace(made, environment=environment)
    made = page_call(settings, Occasion.EXIT)
    return replace(made, script=" ".join(settings.exit_command), command=settings.exit_command)


def sync_cert(settings: Settings, spec: CertSpec, shown: Mapping[str, str]) -> HookCall:
    """The files of a version that is complete and not live yet, by their places in the certificate's folder."""
    folder = settings.folder(spec)
    files = (layout.PRIVKEY, layout.CERT, layout.FULLCHAIN, layout.CHAIN, layout.CSR)
    return line_call(settings, spec, Occasion.SYNC_CERT, *(f"{folder}/{shown[name]}" for name in files))


def deploy_ocsp(settings: Settings, spec: CertSpec, stamp: int) -> HookCall:
    """The first name, where servers read the response, and the stamp of its file."""
    file = f"{settings.folder(spec)}/{layout.STAPLE}"
    return line_call(settings, spec, Occasion.DEPLOY_OCSP, str(spec.identifiers[0]), file, str(stamp))


def unchanged_cert(settings: Settings, spec: CertSpec) -> HookCall:
    return line_call(settings, spec, Occasion.UNCHANGED_CERT, *live_files(settings, spec))


def generate_csr(settings: Settings, spec: CertSpec) -> HookCall:
    first, *more = (str(name) for name in spec.identifiers)
    # There is a blank behind a single name, and behind several with an alias, as scripts are used to.
    last = " " if more and spec.alias.text != first else ""
    listed = f"{first} {' '.join(more)}{last}"
    return line_call(settings, spec, Occasion.GENERATE_CSR, first, settings.folder(spec), listed)
