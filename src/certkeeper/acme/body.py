"""Reading a CA's JSON without trusting its shape."""

import json
from collections.abc import Mapping

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.wire import Response

_OUT_OF_ORDER = "the CA, or something between it and this host, is out of order: run again later"


class MalformedBody(CertkeeperError):
    """A CA's answer that is not what RFC 8555 says it is."""

    label = "ca-answer"
    fault = Fault.REMOTE

    def __init__(self, message: str, *, hint: str = _OUT_OF_ORDER) -> None:
        super().__init__(message, hint=hint)


def members(response: Response, what: str) -> Mapping[str, object]:
    """The JSON object in a response.

    Raises:
        MalformedBody: no JSON, or no object.
    """
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        shown = printable(response.body[:200].decode("utf-8", "replace"), 120)
        raise MalformedBody(f"{what}: the answer is not JSON: {shown!r}") from error
    if not isinstance(document, dict):
        raise MalformedBody(f"{what}: the answer is no JSON object")
    return document


def member_text(document: Mapping[str, object], name: str) -> str:
    """A member that should be a text; empty where it is missing or something else."""
    value = document.get(name)
    return value if isinstance(value, str) else ""


def member_texts(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    """A member that should be a list of texts; what is no text in it is left out."""
    value = document.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def member_objects(document: Mapping[str, object], name: str) -> tuple[Mapping[str, object], ...]:
    """A member that should be a list of objects; what is no object in it is left out."""
    value = document.get(name)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
