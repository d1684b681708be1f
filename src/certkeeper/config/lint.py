"""Lints of the page as a whole: names that resemble a known one, and folders without effect."""

import re
from collections.abc import Iterable, Iterator, Sequence

from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity, did_you_mean
from certkeeper.config.settings import CertSpec, Rejected
from certkeeper.config.shell import Assignment
from certkeeper.config.variables import KNOWN, LEGACY_PDNS

_SHORTEST_VARIABLE = 4


def unknown_variables(history: Sequence[Assignment]) -> tuple[Finding, ...]:
    """Findings for assigned names that resemble a known one; others may be meant for hooks."""
    return tuple(
        Finding(
            "unknown-variable",
            Severity.WARNING,
            f"{found.name}: not a known variable; did you mean {meant}?",
            "it has no effect",
            f"write {meant}",
            found.where,
        )
        for found, meant in _misspelled(history)
    )


def with_misspelled(error: ConfigError, history: Sequence[Assignment]) -> ConfigError:
    """The error, with a hint at the names that resemble a known one: alone where the error is about the known one.

    Where something is not set, any of them may be why; to another error they are nothing.
    """
    lines = [(meant, f"{found.where}: did you mean {meant} by {found.name}?") for found, meant in _misspelled(history)]
    about = [line for meant, line in lines if re.search(rf"\b{meant}\b", error.reason)]
    others = [line for _, line in lines if line not in about] if "not set" in error.reason else []
    hint = " ".join(about) or "; ".join(part for part in (error.hint, " ".join(others)) if part)
    return type(error)(error.where, error.reason, hint=hint)


def _misspelled(history: Sequence[Assignment]) -> Iterator[tuple[Assignment, str]]:
    """Where each name stands first, and what it resembles."""
    candidates = sorted(name for name in KNOWN.difference(LEGACY_PDNS) if len(name) >= _SHORTEST_VARIABLE)
    first = {found.name: found for found in reversed(history) if found.name not in KNOWN}
    for name, found in sorted(first.items(), key=lambda item: item[1].where):
        meant = name.upper() if name.upper() in KNOWN else None
        if not meant and len(name) >= _SHORTEST_VARIABLE:
            meant = did_you_mean(name, candidates, limit=1)
        if meant:
            yield found, meant


def unused_config_folders(
    certificates: Iterable[CertSpec], folders_with_config: Iterable[str], rejected: Iterable[Rejected] = ()
) -> tuple[Finding, ...]:
    """Findings for folders of CERTDIR that hold a `config` while no line of domains.txt uses their name as alias.

    Folders are paths (`/etc/dehydrated/certs/mail.example.net`); rejected certificates keep theirs.
    """
    places: dict[str, Location | None] = {}
    names: dict[str, Location | None] = {}
    for spec in certificates:
        places[spec.alias.text] = spec.where
        for identifier in spec.identifiers:
            names.setdefault(identifier.value, spec.where)
    for certificate in rejected:
        places.setdefault(certificate.label, None)
    findings = []
    for folder in folders_with_config:
        alias = folder.rstrip("/").rpartition("/")[2]
        if alias not in places:
            findings.append(_unused(folder.rstrip("/"), alias, {**names, **places}))
    return tuple(findings)


def _unused(folder: str, alias: str, known: dict[str, Location | None]) -> Finding:
    meant = did_you_mean(alias, known)
    message = f"{alias}: no line of domains.txt makes this certificate"
    fix = "add a line for it, or remove the file"
    if meant:
        where = known[meant]
        message += f"; did you mean {meant}{f' ({where})' if where else ''}?"
        fix = f"correct {meant} in domains.txt, or rename the folder"
    return Finding(
        "unused-certificate-config",
        Severity.WARNING,
        message,
        "its settings apply to nothing",
        fix,
        Location(f"{folder}/config"),
    )
