"""What is written down beside a version's files: which CA it is from, and what was asked of it. JSON."""

import json
from collections.abc import Iterator

from certkeeper.base.errors import printable
from certkeeper.base.names import Identifier, InvalidName
from certkeeper.lineage.model import Dropped, Origin


def render(origin: Origin) -> bytes:
    """The file's content."""
    members: dict[str, object] = {
        "ca": origin.ca,
        "profile": origin.profile,
        "must_staple": origin.must_staple,
        "test": origin.test,
    }
    if origin.key_elsewhere:
        members["key_elsewhere"] = True
    if origin.dropped:
        members["dropped"] = [
            {"name": str(item.name), "inputs": item.inputs, "why": item.why} for item in origin.dropped
        ]
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def parse(content: bytes) -> Origin | None:
    """What such a file says; None where a part of it is not as it should be: then the origin is unknown."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    ca, profile = found.get("ca"), found.get("profile")
    if not (isinstance(ca, str) and isinstance(profile, str) and ca and ca.isprintable() and profile.isprintable()):
        return None
    dropped = tuple(_dropped(found.get("dropped")))
    must_staple, test, elsewhere = (found.get(name) is True for name in ("must_staple", "test", "key_elsewhere"))
    return Origin(ca, profile, must_staple, test, dropped, elsewhere)


def _dropped(found: object) -> Iterator[Dropped]:
    """Those that can be read; of any other it is not known that it was left out on purpose, and it is tried again."""
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            name, inputs, why = item.get("name"), item.get("inputs"), item.get("why")
            if isinstance(name, str) and isinstance(inputs, str) and isinstance(why, str):
                try:
                    yield Dropped(Identifier.parse(name), inputs, printable(why))
                except InvalidName:
                    continue
