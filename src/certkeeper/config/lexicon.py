"""The settings of providers that are reached through dns-lexicon, under the names that it gives them itself."""

from certkeeper.base.errors import printable
from certkeeper.base.patterns import pattern
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.settings import LexiconSettings, Secret
from certkeeper.config.values import Values

_PREFIX = "LEXICON_"
_PROVIDER = pattern(r"[a-z][a-z0-9]*")


def lexicon_settings(values: Values) -> LexiconSettings | None:
    """The provider and its options, LEXICON_<PROVIDER>_<OPTION>; None where none of them is set.

    Raises:
        ConfigError: options without a provider, or a provider that cannot be one.
    """
    given = sorted(name for name in values.assigned if name.startswith(_PREFIX) and values.has(name))
    if not given:
        return None
    if not values.has("LEXICON_PROVIDER"):
        raise ConfigError(
            values.where(given[0]),
            f"LEXICON_PROVIDER is not set, {given[0]} is",
            hint='write LEXICON_PROVIDER="…", a word that lexicon --help lists',
        )
    provider = values.text("LEXICON_PROVIDER").lower()
    if not _PROVIDER.fullmatch(provider):
        raise values.error(
            "LEXICON_PROVIDER",
            f"{printable(provider, 40)!r} is no provider of lexicon's",
            "write one of the words that lexicon --help lists",
        )
    own = f"{_PREFIX}{provider.upper()}_"
    options = {name.removeprefix(own).lower(): values.text(name) for name in given if name.startswith(own)}
    for name in given:
        if not name.startswith(own) and name != "LEXICON_PROVIDER":
            values.find(
                "lexicon-option",
                Severity.WARNING,
                name,
                f"not an option of {provider}",
                "it has no effect",
                f"options of {provider} start with {own}",
            )
    return LexiconSettings(provider, tuple((name, Secret(text)) for name, text in sorted(options.items()) if name))
