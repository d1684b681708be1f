"""What the reader of a page asks for: files, secrets, and lists of files. Whoever drives it does the I/O."""

from collections.abc import Sequence
from enum import StrEnum
from typing import cast

from certkeeper.base.errors import Location
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, Step
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import Secret


class FailureKind(StrEnum):
    """Why there is no text, as far as it makes a difference."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    DIRECTORY = "directory"
    NOT_UTF8 = "not utf-8"
    EXPOSED = "exposed"


class Holds(StrEnum):
    """What a file may decide, and so what comes of it when others can change it."""

    SETTINGS = "settings"
    NAMES = "names"
    PROGRAM = "program"
    """Nothing that is read: it is run."""
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Read(Step):
    """The text of one file (UTF-8, line ends untouched), or a ReadFailure."""

    path: str
    holds: Holds = Holds.SETTINGS


@dataclass(frozen=True, slots=True)
class Settle(Step):
    """That user and that group may change the page, too: a ReadFailure for the first file read so far that root must
    not follow all the same, else None. What is read from then on is judged at once.
    """

    user: str
    group: str


@dataclass(frozen=True, slots=True)
class Exposures(Step):
    """Who can change the files that were read so far, as Exposure values; not root, this user and `trusted`.

    `programs` are looked at, too: paths, names in PATH, or folders for the programs in them.
    """

    trusted: str
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """Somebody who can change a file, by what he may do at `place`: the file itself, or a folder on the way to it."""

    path: str
    holds: Holds
    who: str
    place: str
    fix: str
    running_as: str
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class ReadSecret(Step):
    """The same for a file that holds a secret: a SecretText, or a ReadFailure."""

    path: str


@dataclass(frozen=True, slots=True)
class SecretText:
    """What such a file holds, and whether everybody on the machine may know it."""

    text: Secret
    others_may_read: bool


@dataclass(frozen=True, slots=True)
class Glob(Step):
    """The paths of a directory's entries whose names end so and do not start with a dot, sorted; or a ReadFailure."""

    directory: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Become(Step):
    """Go on as that user, with that group where one is named: Became, or NotBecome."""

    user: str
    group: str


@dataclass(frozen=True, slots=True)
class Became:
    """This process is that user. `environment` is what changed with it."""

    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NotBecome:
    """Why it is not, and which setting asks for what cannot be."""

    setting: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """Why a file or a directory could not be read; `reason` is for people (`permission denied`)."""

    path: str
    kind: FailureKind
    reason: str
    hint: str = ""


def read(path: str, holds: Holds = Holds.SETTINGS) -> Exchange[str | ReadFailure]:
    return cast("str | ReadFailure", (yield Read(path, holds)))


def settle(user: str, group: str) -> Exchange[None]:
    """Go on only with files that nobody else can change.

    Raises:
        ConfigError: root would do what another user wrote.
    """
    found = cast("ReadFailure | None", (yield Settle(user, group)))
    if found is not None:
        raise failure(found)


def exposures(trusted: str, programs: tuple[str, ...] = ()) -> Exchange[tuple[Exposure, ...]]:
    return tuple(cast("Sequence[Exposure]", (yield Exposures(trusted, programs))))


def read_secret(path: str) -> Exchange[SecretText | ReadFailure]:
    return cast("SecretText | ReadFailure", (yield ReadSecret(path)))


def read_or_fail(path: str, hint: str = "", holds: Holds = Holds.SETTINGS) -> Exchange[str]:
    """The text of a file that has to be there.

    Raises:
        ConfigError: it is not, or cannot be read.
    """
    found = yield from read(path, holds)
    if isinstance(found, ReadFailure):
        raise failure(found, hint)
    return found


def read_if_there(path: str) -> Exchange[str | None]:
    """The text of a file; None where there is none, or something that is no file.

    Raises:
        ConfigError: there is one that cannot be read.
    """
    found = yield from read(path)
    if not isinstance(found, ReadFailure):
        return found
    if found.kind in (FailureKind.MISSING, FailureKind.DIRECTORY):
        return None
    raise failure(found)


def listing(directory: str, suffix: str) -> Exchange[tuple[str, ...] | ReadFailure]:
    found = yield Glob(directory, suffix)
    return found if isinstance(found, ReadFailure) else tuple(cast("Sequence[str]", found))


def failure(found: ReadFailure, hint: str = "") -> ConfigError:
    hints = {
        FailureKind.UNREADABLE: "run this as root, or as the user whose files they are",
        FailureKind.NOT_UTF8: "convert it: iconv -f latin1 -t utf-8",
    }
    return ConfigError(
        Location(found.path),
        f"cannot be read: {found.reason}",
        hint=found.hint or hints.get(found.kind, hint) or hint,
    )
