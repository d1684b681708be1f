"""What is written down beside a version's files: which CA it is from, and what was asked of it. JSON."""

import json

from certkeeper.lineage.model import Origin


def render(origin: Origin) -> bytes:
    """The file's content."""
    members = {"ca": origin.ca, "profile": origin.profile, "must_staple": origin.must_staple, "test": origin.test}
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
    return Origin(ca, profile, found.get("must_staple") is True, found.get("test") is True)
