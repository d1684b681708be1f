"""What is told of a page, in the page's own form: one process reads one page."""

from certkeeper.config.page import SUFFIX


class _Page:
    """The page that this process reads."""

    file = ""


def page_is(file: str | None) -> None:
    """All that is told from here on is about this page."""
    _Page.file = file or ""


def in_form(text: str, file: str = "") -> str:
    """A message or a hint as it is shown; `file` is the one it is about, where no page could be read yet."""
    if not text or not (_Page.file or file).endswith(SUFFIX):
        return text
    from certkeeper.config.spelling import as_native  # noqa: PLC0415 - dehydrated's page does not need it

    return as_native(text)
