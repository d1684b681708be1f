"""Tables that describe services: `[target.NAME]` -> Target. Nothing in them is taken for granted.

[target.mumble]
kind = "command"
files = {fullchain = "/etc/mumble/{alias}.crt", privkey = "/etc/mumble/{alias}.key"}
group = "mumble-server"
reload = ["pkill", "-USR1", "murmurd"]
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from certkeeper.base.access import Access
from certkeeper.base.errors import printable
from certkeeper.config.access import BadAccess, parse_mode, parse_name
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import did_you_mean
from certkeeper.config.tables import TargetTable
from certkeeper.config.values import listed
from certkeeper.service.endpoint import BadEndpoint, parse_endpoint
from certkeeper.service.kinds import BUILT_IN, BadDescription, Commands, Description, Words, path_of_table, target
from certkeeper.service.target import DEFAULT_BOUND, Form, Kind, Target, TargetFile

T = TypeVar("T")

NOBODY = "no"
"""The word of DEPLOY that names no service."""
_KEYS = (
    "certificates config files group instances kind maps mode owner password_file probe refresh reload restart running "
    "socket test timeout unit user"
)
KEYS = tuple(_KEYS.split())
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._:\\-]{0,200}")
_INSTANCE = re.compile(r"-|[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")
_SHELL = frozenset({"&&", "||", ";", "|", "&", "<", ">", ">>"})
_OURS = ".certkeeper"
_LONGEST_PATH = 1024
_LONGEST_WAIT = 3600


def read_target(table: TargetTable) -> Target:
    """The service that a table describes.

    Raises:
        ConfigError: at the key that is to blame.
    """
    _check_name(table)
    for key in table.said:
        if key not in KEYS:
            meant = did_you_mean(key, KEYS)
            reason = "not a key of such a table" + (f"; did you mean {meant}?" if meant else "")
            raise _error(table, (key,), reason, f"write {meant}" if meant else f"keys are {listed(KEYS)}")
    try:
        return target(table.name, _description(table))
    except BadDescription as error:
        raise _error(table, (error.key,) if error.key else (), str(error), error.hint) from None


def _check_name(table: TargetTable) -> None:
    if not _NAME.fullmatch(table.name) or table.name == NOBODY:
        reason = "DEPLOY would name no service by it" if table.name == NOBODY else "no name that DEPLOY can hold"
        raise _error(table, (), reason, "rename the table: lower case letters, digits, and . _ - inside")


def _description(table: TargetTable) -> Description:
    kind = _kind(table)
    seconds = _get(table, "timeout", _seconds, DEFAULT_BOUND)
    return Description(
        kind,
        files=_files(table),
        access=Access(
            _get(table, "owner", _user, ""), _get(table, "group", _group, ""), _get(table, "mode", _mode, None)
        ),
        test=_get(table, "test", _commands, None),
        refresh=_get(table, "refresh", _commands, None),
        reload=_get(table, "reload", _commands, None),
        restart=_get(table, "restart", _commands, None),
        running=_get(table, "running", _command, ()),
        unit=_get(table, "unit", _unit, ""),
        user=_get(table, "user", _user_or_none, None),
        probe=_get(table, "probe", _probe, None),
        socket=_get(table, "socket", _path, ""),
        maps=_get(table, "maps", _maps, ()),
        instances=_get(table, "instances", _instances, ()),
        config=_get(table, "config", _path, ""),
        bound=seconds,
        certificates=_get(table, "certificates", _patterns, ()),
        password_file=_get(table, "password_file", _path, ""),
        where=table.where,
    )


def _kind(table: TargetTable) -> Kind:
    kinds = listed(kind.value for kind in Kind)
    if table.name in BUILT_IN:
        if table.said.get("kind", table.name) != table.name:
            raise _error(table, ("kind",), f"{table.name} is built in, as another kind", "give the table another name")
        return Kind(table.name)
    found = table.said.get("kind")
    if found is None:
        meant = did_you_mean(table.name, sorted(BUILT_IN))
        hint = f"write [target.{meant}], or kind = …" if meant else f'write kind = "command", or one of: {kinds}'
        raise _error(table, (), "kind is missing, and the name is none that is built in", hint)
    if not isinstance(found, str) or found not in {kind.value for kind in Kind}:
        raise _error(table, ("kind",), f"{_shown(found)} is not known", f"one of: {kinds}")
    return Kind(found)


class _Bad(Exception):
    """What is wrong with a value, and how a good one is written."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


def _get(table: TargetTable, key: str, parse: Callable[[object], T], default: T) -> T:
    if key not in table.said:
        return default
    try:
        return parse(table.said[key])
    except _Bad as error:
        raise _error(table, (key,), error.reason, f"write {key} = {error.hint}") from None


def _files(table: TargetTable) -> tuple[TargetFile, ...] | None:
    said = table.said.get("files")
    if said is None:
        return None
    example = 'write files = {fullchain = "/srv/{alias}.crt", privkey = "/srv/{alias}.key"}'
    if not isinstance(said, Mapping):
        raise _error(table, ("files",), "has to be a table of forms and paths", example)
    found: list[TargetFile] = []
    for form, value in said.items():
        if form not in {item.value for item in Form}:
            raise _error(
                table,
                ("files", form),
                f"{printable(form, 40)!r} is no form of a file",
                f"forms are {listed(item.value for item in Form)}; those with + in quotation marks",
            )
        try:
            found.append(TargetFile(Form(form), _placed(value)))
        except _Bad as error:
            raise _error(table, ("files", form), error.reason, f"write {error.hint}") from None
    _check_together(table, found)
    return tuple(found)


def _check_together(table: TargetTable, files: list[TargetFile]) -> None:
    """All are switched by one link, so they are in one folder, each under a name of its own."""
    folders = {file.path.rpartition("/")[0] for file in files}
    if len(folders) > 1:
        reason = f"are in {len(folders)} folders, and all have to be in one, so that they change in one moment"
        raise _error(table, ("files",), reason, "describe a target for each folder")
    if len({file.path for file in files}) < len(files):
        raise _error(table, ("files",), "name a path twice", "give each form a file of its own")


def _placed(value: object) -> str:
    path = _path(value)
    for placeholder in _PLACEHOLDER.findall(path):
        if placeholder not in ("{alias}", "{name}"):
            raise _Bad(
                f"{printable(placeholder, 40)!r} stands for nothing",
                "{alias} for the certificate's alias, {name} for its first name",
            )
    if path.rpartition("/")[2].startswith(_OURS) or f"/{_OURS}/" in path:
        raise _Bad(f"{_OURS} is where versions of such files are", "another path")
    return path


def _path(value: object) -> str:
    text = _text(value)
    parts = text.split("/")
    if not text.startswith("/") or len(parts[-1]) == 0:
        raise _Bad(f"{printable(text, 80)!r} is no absolute path of a file", '"/…"')
    if {".", "..", ""} & {*parts[1:]} or not text.isprintable() or len(text) > _LONGEST_PATH:
        raise _Bad(f"{printable(text, 80)!r} is no plain path", "it without .., ., // and control characters")
    return text


def _commands(value: object) -> Commands:
    """A list of words, or of such lists; none at all where nothing has to be done."""
    if isinstance(value, list) and value and all(isinstance(item, list) for item in value):
        return tuple(_command(item) for item in value)
    return (_command(value),) if value != [] else ()


def _command(value: object) -> Words:
    words = _words(value, '["systemctl", "reload", "…"]')
    if not words or not all(word.isprintable() for word in words) or not words[0]:
        raise _Bad("has an empty command, or control characters in one", '["systemctl", "reload", "…"]')
    if "/" in words[0] and not words[0].startswith("/"):
        raise _Bad(f"{printable(words[0], 80)!r} depends on the folder that we are in", '["/…"]')
    if strange := next((word for word in words if word in _SHELL), None):
        raise _Bad(
            f"{strange!r} means nothing here, since no shell reads it",
            'a list of commands, [["…"], ["…"]], or name a script',
        )
    if len(words) == 1 and " " in words[0]:
        meant = ", ".join(f'"{word}"' for word in words[0].split())
        raise _Bad(f"{printable(words[0], 80)!r} is one word", f"[{meant}]")
    return words


def _maps(value: object) -> tuple[str, ...]:
    found = _words(value, '["hash:/etc/postfix/sni"]')
    for item in found:
        _path(path_of_table(item))
    return found


def _instances(value: object) -> tuple[str, ...]:
    found = _words(value, '["-", "postfix-out"]')
    for item in found:
        if item.startswith("/"):
            _path(item)
        elif not _INSTANCE.fullmatch(item):
            raise _Bad(f"{printable(item, 80)!r} is neither an instance's name nor its folder", '["-", "postfix-out"]')
    if not found:
        raise _Bad("names no instance", '["-"], or remove it')
    return found


def _patterns(value: object) -> tuple[str, ...]:
    found = _words(value, '["*.example.org"]')
    if not found or not all(found):
        raise _Bad("names no certificate", '["*"], or remove it')
    return tuple(item.lower() for item in found)


def _probe(value: object) -> tuple[str, ...]:
    found = _words(value, '["smtp://{name}"], or [] where nobody is to look')
    for item in found:
        try:
            parse_endpoint(item.replace("{name}", "name.example.org"))
        except BadEndpoint as error:
            raise _Bad(str(error), f'["smtp://{{name}}"] ({error.hint})') from None
    return found


def _unit(value: object) -> str:
    text = _text(value)
    if not _UNIT.fullmatch(text):
        raise _Bad(f"{printable(text, 80)!r} is no unit of systemd's", '"nginx", or "nginx.service"')
    return text


def _user(value: object) -> str:
    return _named(value, "user")


def _group(value: object) -> str:
    return _named(value, "group")


def _user_or_none(value: object) -> str | None:
    return "" if value == "root" else _user(value)


def _named(value: object, kind: str) -> str:
    try:
        return parse_name(_text(value), kind)
    except BadAccess as error:
        raise _Bad(str(error), f"the {kind}'s name") from None


def _mode(value: object) -> int | None:
    if not isinstance(value, str):
        raise _Bad("has to be a string of octal digits", '"0640", or "0600"')
    try:
        return parse_mode(value)
    except BadAccess as error:
        raise _Bad(str(error), '"0640", or "0600"') from None


def _seconds(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LONGEST_WAIT:
        raise _Bad(f"{_shown(value)} is no number of seconds from 1 to {_LONGEST_WAIT}", "60")
    return timedelta(seconds=value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Bad("has to be a string", '"…"')
    return value


def _words(value: object, example: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Bad("has to be a list of strings", example)
    return tuple(value)


def _shown(value: object) -> str:
    return repr(printable(value, 40)) if isinstance(value, str) else f"a {type(value).__name__}"


def _error(table: TargetTable, keys: tuple[str, ...], reason: str, hint: str) -> ConfigError:
    told = "".join(f"{printable(key, 80)}: " for key in keys[:1])
    return ConfigError(table.at(*keys), f"target {printable(table.name, 80)}: {told}{reason}", hint=hint)
