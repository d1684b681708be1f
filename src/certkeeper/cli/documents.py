"""What commands print with --json: documents that name their schema, which is in `schemas`, by the same name."""

import json
import sys
from collections.abc import Mapping

VERSIONS = {
    "account": 1,
    "check": 1,
    "config-check": 1,
    "config-show": 1,
    "dns-caa": 1,
    "dns-doctor": 1,
    "dns-persist": 1,
    "doctor": 1,
    "history": 1,
    "ocsp": 1,
    "plan": 1,
    "rehearse": 1,
    "self-check": 1,
    "status": 1,
    "tlsa-check": 1,
    "tlsa-generate": 1,
    "tlsa-status": 1,
    "versions": 1,
    "why": 1,
}
"""A version stays while members are only added; one that goes, or means something else, makes the next one."""


def write_document(name: str, members: Mapping[str, object]) -> None:
    """Print it."""
    document = {"schema": f"certkeeper/{name}", "version": VERSIONS[name], **members}
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
