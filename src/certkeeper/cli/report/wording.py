"""What may be said on a page that anybody can read: no path of this machine, and no secret."""

import re

from certkeeper.base.errors import printable
from certkeeper.cli.pageform import in_form

_PATH = re.compile(r"(?<![\w/.:~-])(?:~|(?<=:)|)/(?:[^\s/:;,'\"<>()]+/)+|(?<=:)/(?:[^\s/:;,'\"<>()]+/)+")
_LONGEST = 600


def said(message: str) -> str:
    """A message of this program's, of a CA's or of a server's, with the names of files, and not where they are."""
    return _PATH.sub("…/", printable(in_form(message), _LONGEST))


def sentence(message: str) -> str:
    """The same, beginning as a sentence does."""
    words = said(message)
    return words[:1].upper() + words[1:] if words[:1].isalpha() and words.split(" ", 1)[0].isalpha() else words
