"""Whether each certificate's names have somebody who writes their records, or another way to be proven."""

from collections.abc import Mapping, Sequence

from certkeeper.base.errors import Location
from certkeeper.base.value import replace
from certkeeper.config.errors import ConfigError
from certkeeper.config.page import NO_FILE
from certkeeper.config.providers import ProviderKind, missing_provider
from certkeeper.config.settings import CertSpec, Rejected, Settings


def provided_for(
    certificates: Sequence[CertSpec],
    settings: Settings,
    wished: Mapping[str, tuple[str, ProviderKind]],
    kind: ProviderKind,
    *,
    fatal: bool,
) -> tuple[tuple[CertSpec, ...], tuple[Rejected, ...]]:
    """Those that can be proven, and those that their own file took the way to prove them from.

    Raises:
        ConfigError: it is the page's fault (always, where that is `fatal`).
    """
    kept: list[CertSpec] = []
    rejected: list[Rejected] = []
    for spec in certificates:
        file, its_kind = wished.get(spec.alias.text, ("", kind))
        try:
            kept.append(_provided(spec, settings, file or settings.config_file or NO_FILE, its_kind))
        except ConfigError as error:
            if fatal or not file:
                raise
            rejected.append(Rejected(spec.alias.text, error, spec.where))
    return tuple(kept), tuple(rejected)


def _provided(spec: CertSpec, settings: Settings, file: str, kind: ProviderKind) -> CertSpec:
    """Every name that records of a run prove has somebody who writes them, or a zone's file that says why not.

    Raises:
        ConfigError: too little is known of the provider, and there is no other way to prove a name.
    """
    if spec.provider:
        return spec
    methods = spec.methods
    for name in spec.identifiers:
        order = methods.of(name)
        if not any(method.published for method in order) or settings.rule(name.domain) is not None:
            continue
        others = tuple(method for method in order if not method.published)
        if not others:
            raise missing_provider(Location(file), spec.alias.text, kind)
        methods = methods.choosing(name, others)
    return replace(spec, methods=methods)
