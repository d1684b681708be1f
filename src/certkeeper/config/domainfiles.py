"""The list of certificates: domains.txt with its drop-ins, or the tables of a certkeeper.toml, or both."""

from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange
from certkeeper.config.domains import DomainList, parse_domains
from certkeeper.config.errors import ConfigError
from certkeeper.config.page import SUFFIX
from certkeeper.config.reading import FailureKind, Holds, ReadFailure, listing, read, read_or_fail
from certkeeper.config.reading import failure as read_error
from certkeeper.config.settings import Rejected, Settings
from certkeeper.config.tables import Native, Table


def listed_certificates(settings: Settings, native: Native | None) -> Exchange[DomainList]:
    """All of them, in the order of their lines; tables of a certkeeper.toml come before a list beside it.

    Raises:
        ConfigError: a file of the list cannot be read.
    """
    path = settings.domains_txt
    if native is not None and path == native.file:
        found = parse_domains((), native.lines())
    else:
        files = yield from _files(path)
        found = parse_domains(files, native.lines() if native is not None else ())
    known = {line.alias.text for line in found.lines}
    missing = native.nameless() if native is not None else ()
    rejected = tuple(Rejected(alias, _no_names(table, path)) for alias, table in missing if alias not in known)
    return replace(found, rejected=(*found.rejected, *rejected))


def listed_beside(settings: Settings) -> Exchange[DomainList]:
    """The list of a page that was opened for other certificates; empty where there is none.

    Raises:
        ConfigError: a file of the list cannot be read.
    """
    native, main = None, settings.config_file
    if main.endswith(SUFFIX):
        from certkeeper.config.native import parse_native  # noqa: PLC0415 - tomllib, which few pages need

        text = yield from read(main)
        if isinstance(text, ReadFailure):
            # It was root's alone to read, and this is not root any more.
            return DomainList()
        native = parse_native(main, text)
    if native is None or settings.domains_txt != main:
        found = yield from read(settings.domains_txt, Holds.NAMES)
        if isinstance(found, ReadFailure) and found.kind is FailureKind.MISSING:
            return DomainList()
    return (yield from listed_certificates(settings, native))


def _no_names(table: Table, path: str) -> ConfigError:
    elsewhere = f", and no line of {path} makes this certificate" if path != table.where.file else ""
    return ConfigError(table.where, f"the table has no names{elsewhere}", hint='write names = ["example.org"] into it')


def _files(path: str) -> Exchange[list[tuple[str, str]]]:
    hint = "put a line there for each certificate: example.org www.example.org"
    text = yield from read_or_fail(path, hint, Holds.NAMES)
    files = [(path, text)]
    drop_ins = yield from listing(f"{path}.d", ".txt")
    if isinstance(drop_ins, ReadFailure):
        if drop_ins.kind is FailureKind.UNREADABLE:
            raise read_error(drop_ins)
        drop_ins = ()
    for file in drop_ins:
        more = yield from read_or_fail(file, holds=Holds.NAMES)
        files.append((file, more))
    return files
