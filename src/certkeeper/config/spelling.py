"""How certkeeper.toml writes settings and their values, and what is said of dehydrated's page, in that form.

Hints are written once, in dehydrated's form: CERT_GROUP="ssl-cert". Of a certkeeper.toml the same is said as
cert_group = "ssl-cert".
"""

import re

from certkeeper.config.kinds import Kind, kind_of
from certkeeper.config.variables import KNOWN, LEGACY_PDNS

SHELLS_OWN = frozenset({"CONFIG_D", "DOMAINS_D", "SOURCE_CONFIG", "ZONES_D"})
"""Settings that name dehydrated's files, or are about them: there is nothing of the kind in our own form."""
# Words of the trade's, too: alone they are the setting only where a sentence is about one.
_WORDS_TOO = frozenset({"API", "ARI", "CA", "TLSA"})
_NUMBER = re.compile(r"0|[1-9][0-9]{0,11}")
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNPRINTABLE = re.compile(r'["\\\x00-\x1f\x7f]')

_NAMES = "|".join(sorted(KNOWN.difference(LEGACY_PDNS, SHELLS_OWN), key=len, reverse=True))
_ALONE = "|".join(sorted(KNOWN.difference(LEGACY_PDNS, SHELLS_OWN, _WORDS_TOO), key=len, reverse=True))
_ALSO_WORDS = "|".join(sorted(_WORDS_TOO))
# Not a variable of the environment, an option, a part of a path, or what is quoted of the page.
_BEFORE = r"(?<![\w/$.{*'\"-])"
_ASSIGNED = re.compile(rf'{_BEFORE}({_NAMES}|LEXICON_[A-Z0-9_]+)=(?:"([^"]*)"|([^\s",;:]+))')
_NAMED = re.compile(rf"{_BEFORE}({_ALONE}|LEXICON_[A-Z0-9_]+)(?![\w=/*-]|: not a (?:setting|table))")
_MEANT = re.compile(
    rf"(?:(?<=\bset )|(?<=\bcorrect )|(?<=\bremove )|^)({_ALSO_WORDS})(?=:| to | must |$)|"
    rf"(?<=: )({_ALSO_WORDS})(?=: )"
)
# What stands in files of their own in dehydrated's form.
_PLACES = (("a file of ZONES_D", 'a table [zone."NAME"]'), ("a file of DOMAINS_D", 'a table [certificate."NAME"]'))


def value(name: str, text: str) -> str:
    """In the setting's own type where that says the same, else as a string."""
    kind = kind_of(name)
    if kind is Kind.TRUTH and text in ("yes", "no"):
        return "true" if text == "yes" else "false"
    if kind is Kind.NUMBER and _NUMBER.fullmatch(text):
        return text
    if kind is Kind.WORDS and text and " ".join(text.split()) == text:
        return f"[{', '.join(quoted(word) for word in text.split())}]"
    return quoted(text)


def quoted(text: str) -> str:
    """A string of TOML's."""
    escaped = _UNPRINTABLE.sub(lambda found: _ESCAPED.get(found[0], f"\\u{ord(found[0]):04x}"), text)
    return f'"{escaped}"'


def as_native(text: str) -> str:
    """What is said of a page in dehydrated's form, for one in our own; said twice it is the same."""
    for theirs, ours in _PLACES:
        text = text.replace(theirs, ours)
    text = _ASSIGNED.sub(_assignment, text)
    return _MEANT.sub(_lower, _NAMED.sub(_lower, text))


def _assignment(found: re.Match[str]) -> str:
    name, text = found[1], found[2] if found[2] is not None else found[3]
    return f"{name.lower()} = {value(name, text)}"


def _lower(found: re.Match[str]) -> str:
    return found[0].lower()
