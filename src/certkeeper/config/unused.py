"""Settings that apply to nothing: folders of CERTDIR with a `config` that no line of domains.txt uses.

A typo in domains.txt leaves such a folder behind, and what it says is then not done: the file is read all the same,
so that all that is wrong with it is said at once.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from certkeeper.base.errors import Location
from certkeeper.base.wire import Exchange
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.lint import unused_config_folders
from certkeeper.config.reading import ReadFailure, listing, read
from certkeeper.config.settings import CertSpec, Rejected
from certkeeper.config.shell import evaluate


def unused_configs(
    certdir: str, certificates: Sequence[CertSpec], rejected: Sequence[Rejected], variables: Mapping[str, str]
) -> Exchange[tuple[Finding, ...]]:
    """Findings for such folders, and for what is wrong with the text of their files. Nothing in them is an error."""
    used = {spec.alias.text for spec in certificates} | {item.label for item in rejected}
    entries = yield from listing(certdir, "")
    folders: list[str] = []
    findings: list[Finding] = []
    for entry in () if isinstance(entries, ReadFailure) else entries:
        alias = entry.rpartition("/")[2]
        if alias in used:
            continue
        file = f"{entry}/config"
        text = yield from read(file)
        if isinstance(text, str):
            folders.append(entry)
            with suppress(ConfigError):
                findings += evaluate(text, file, {**variables, "alias": alias}).findings
    return (*unused_config_folders(certificates, folders, rejected), *findings)


def unread_configs(certdir: str, main: str) -> Exchange[tuple[Finding, ...]]:
    """One finding for all such files where the page is a certkeeper.toml, beside which none of them counts."""
    entries = yield from listing(certdir, "")
    found: list[str] = []
    for entry in () if isinstance(entries, ReadFailure) else entries:
        text = yield from read(f"{entry}/config")
        found += [f"{entry}/config"] if isinstance(text, str) else []
    if not found:
        return ()
    return (
        Finding(
            "unread-certificate-config",
            Severity.NOTE,
            "a certificate's file of dehydrated's" + (f", as {len(found) - 1} more in {certdir}" if found[1:] else ""),
            f"{main} counts alone",
            f"write what is for one certificate into its table in {main}",
            Location(found[0]),
        ),
    )
