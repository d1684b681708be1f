"""Which certificates a command is about."""

from collections.abc import Sequence

from certkeeper.base.errors import UsageError
from certkeeper.base.names import Identifier, InvalidName
from certkeeper.base.value import replace
from certkeeper.config.findings import did_you_mean
from certkeeper.config.settings import CertSpec, Configuration


class NoSuchCertificate(UsageError):
    """A NAME on the command line that no line of domains.txt has."""


def select(configuration: Configuration, names: Sequence[str]) -> Configuration:
    """The configuration with only the certificates that the names mean; all of them where there is no name.

    Raises:
        NoSuchCertificate: a name that means none.
    """
    if not names:
        return configuration
    known = {text for spec in configuration.certificates for text in _names_of(spec)}
    known |= {rejected.label for rejected in configuration.rejected}
    wanted = [name.lower() if name.lower() in known else _normal(name) for name in names]
    for name in wanted:
        if name not in known:
            close = did_you_mean(name, sorted(known))
            raise NoSuchCertificate(
                f"{name}: no certificate of that alias or name in {configuration.settings.domains_txt}",
                hint=f"did you mean {close}?" if close else "certkeeper status lists them",
            )
    return replace(
        configuration,
        certificates=tuple(spec for spec in configuration.certificates if _names_of(spec) & set(wanted)),
        rejected=tuple(item for item in configuration.rejected if item.label in wanted),
    )


def _normal(name: str) -> str:
    """The name as domains.txt has it after reading: lower case, A-labels, no final dot."""
    try:
        return str(Identifier.parse(name))
    except InvalidName:
        return name.lower()


def _names_of(spec: CertSpec) -> set[str]:
    return {str(spec.alias), *(str(identifier) for identifier in spec.identifiers)}


def is_whole(page: Configuration, selected: Configuration) -> bool:
    """Whether these are all certificates of the page."""
    return selected.certificates == page.certificates
