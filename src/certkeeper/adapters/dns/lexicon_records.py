"""Records as lexicon's providers list them, each in its own way."""

import re
from collections.abc import Iterable, Mapping

from certkeeper.zone.rrset import canonical_txt, txt_rdata

_QUOTED_STRINGS = re.compile(r'\s*"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")*\s*', re.DOTALL)


def standing_at(owner: str, domain: str, listed: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """The TXT records of exactly that owner: canonical rdata to the content as it was listed.

    Not every provider filters, and some list names without the domain.
    """
    relative = owner.removesuffix(domain).removesuffix(".")
    names = {owner, relative or "@"}
    return {
        canonical_content(str(record.get("content", ""))): str(record.get("content", ""))
        for record in listed
        if record.get("type") == "TXT" and str(record.get("name", "")).rstrip(".").lower() in names
    }


def canonical_content(content: str) -> str:
    """TXT content with quotes, without, or without the outer ones of several strings."""
    for text in (content, f'"{content}"'):
        if _QUOTED_STRINGS.fullmatch(text):
            return canonical_txt(text)
    return txt_rdata(content)
