"""Reads the operator's page: gives config.load the files that it asks for."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, cast

from certkeeper.adapters.descriptors import out_of_descriptors
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.domains import DomainList
from certkeeper.config.evaluating import Evaluate, Evaluator
from certkeeper.config.load import load
from certkeeper.config.reading import Become, FailureKind, Glob, Read, ReadFailure, ReadSecret, SecretText
from certkeeper.config.settings import Configuration, Secret
from certkeeper.config.shell import Assignment

_T = TypeVar("_T")
_MAX_FILE = 16 * 1024 * 1024
"""Octets. A list of 100,000 certificates is a tenth of that; /dev/zero never ends."""


def read_page(
    config: str | None,
    cwd: str,
    environment: Mapping[str, str],
    asked: DomainList | None = None,
    typed: tuple[Assignment, ...] = (),
    fallback: str | None = None,
    evaluator: Evaluator = Evaluator.PARSER,
) -> Configuration:
    """Read a whole page from this machine's files; the rest is as for `load`.

    Raises:
        ConfigError: with file and line.
        OutOfDescriptors: not even that can be read.
    """
    exchange = load(
        config,
        cwd=cwd,
        environment=environment,
        asked=asked,
        typed=typed,
        fallback=fallback,
        evaluator=evaluator,
    )
    return answered(exchange)


def answered(exchange: Exchange[_T]) -> _T:
    """What comes of reading, once this machine's files have been looked at. Raises as `read_page` does."""
    try:
        step = next(exchange)
        while True:
            step = exchange.send(_perform(step))
    except StopIteration as stop:
        return cast("_T", stop.value)


def _perform(step: Step) -> object:
    match step:
        case Read(path):
            return _read(path)
        case ReadSecret(path):
            return _read_secret(path)
        case Glob(directory, suffix):
            return _glob(directory, suffix)
        case Become():
            from certkeeper.adapters.users import become  # noqa: PLC0415 - few pages need it

            return become(step)
        case Evaluate():
            from certkeeper.adapters.bash import evaluate  # noqa: PLC0415 - few pages need it

            return evaluate(step)
        case _:
            raise TypeError(step)


def _read(path: str) -> str | ReadFailure:
    found = _read_secret(path)
    return found if isinstance(found, ReadFailure) else found.text.reveal()


def _read_secret(path: str) -> SecretText | ReadFailure:
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MAX_FILE + 1)
    except (OSError, ValueError) as error:
        return _failure(path, error)
    if len(content) > _MAX_FILE:
        return ReadFailure(path, FailureKind.UNREADABLE, f"larger than {_MAX_FILE} octets")
    try:
        return SecretText(Secret(content.decode()), bool(mode & stat.S_IROTH))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return ReadFailure(path, FailureKind.NOT_UTF8, f"line {line} is not UTF-8")


def _glob(directory: str, suffix: str) -> tuple[str, ...] | ReadFailure:
    try:
        entries = [entry for entry in Path(directory).iterdir() if entry.name.endswith(suffix)]
    except (OSError, ValueError) as error:
        return _failure(directory, error)
    return tuple(sorted(f"{directory}/{entry.name}" for entry in entries if not entry.name.startswith(".")))


def _failure(path: str, error: OSError | ValueError) -> ReadFailure:
    if not isinstance(error, OSError):
        return ReadFailure(path, FailureKind.UNREADABLE, "not a path")
    # ENOTDIR: a parent is a plain file, so nothing of that name is there either.
    kinds = {
        errno.ENOENT: FailureKind.MISSING,
        errno.ENOTDIR: FailureKind.MISSING,
        errno.EISDIR: FailureKind.DIRECTORY,
    }
    if (starved := out_of_descriptors(f"{path}: cannot read", error)) is not None:
        raise starved from error
    reason = (error.strerror or "unreadable").lower()
    return ReadFailure(path, kinds.get(error.errno or 0, FailureKind.UNREADABLE), reason)
