"""The services that are built in, with Debian's defaults, and what a description of the operator's makes of them.

A kind says what its service needs where nobody says anything else. Commands are words, run without a shell.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from certkeeper.base.access import NO_ACCESS, Access
from certkeeper.base.errors import Location
from certkeeper.base.value import dataclass
from certkeeper.service.target import DEFAULT_BOUND, Command, Form, Kind, Target, TargetFile

Words: TypeAlias = tuple[str, ...]
Commands: TypeAlias = tuple[Words, ...]


class BadDescription(Exception):
    """What cannot be so, and the key that says it; empty where it is about the table as a whole."""

    def __init__(self, key: str, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.key, self.reason, self.hint = key, reason, hint


@dataclass(frozen=True, slots=True)
class Description:
    """What the operator says of a service; None, or empty, where nothing is said and its kind's word counts.

    `config` is its main configuration file, or Postfix' folder, where that is not Debian's. `instances` are Postfix',
    by their names or their folders. `maps` are Postfix' tables for SNI, which hold the files' contents.
    """

    kind: Kind
    files: tuple[TargetFile, ...] | None = None
    access: Access = NO_ACCESS
    test: Commands | None = None
    refresh: Commands | None = None
    reload: Commands | None = None
    restart: Commands | None = None
    running: Words = ()
    unit: str = ""
    user: str | None = None
    probe: tuple[str, ...] | None = None
    socket: str = ""
    maps: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    config: str = ""
    bound: timedelta = DEFAULT_BOUND
    certificates: tuple[str, ...] = ()
    password_file: str = ""
    where: Location | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a service is asked and told: `test` and `apply` as in a target, `running` ends with 0 where it runs."""

    test: Commands = ()
    apply: Commands = ()
    running: Words = ()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a kind says. `of_config` is the manner where `config` names another main file than Debian's."""

    manner: Manner
    of_config: Callable[[str], Manner]
    unit: str
    probe: tuple[str, ...]
    files: tuple[TargetFile, ...] = ()
    access: Access = NO_ACCESS
    user: str = ""


def _nginx(config: str) -> Manner:
    return Manner((("nginx", "-t", "-q", "-c", config),), (("nginx", "-s", "reload", "-c", config),))


def _apache(config: str) -> Manner:
    return Manner((("apache2", "-t", "-f", config),), (("apache2", "-f", config, "-k", "graceful"),))


def _postfix(config: str) -> Manner:
    call = ("postfix", "-c", config)
    return Manner((("postconf", "-c", config, "-n"), (*call, "check")), ((*call, "reload"),), (*call, "status"))


def _dovecot(config: str) -> Manner:
    call = ("doveadm", "-c", config)
    return Manner((("doveconf", "-n", "-c", config),), ((*call, "reload"),), (*call, "process", "status"))


def _prosody(config: str) -> Manner:
    call = ("prosodyctl", "--config", config)
    return Manner(((*call, "about"),), ((*call, "reload"),), (*call, "status"))


def _haproxy(config: str) -> Manner:
    return Manner((("haproxy", "-c", "-f", config),))


_TABLE_TYPE = re.compile(r"^[a-z]+:")
"""In front of the path of one of Postfix' tables."""
_NOBODY = "certkeeper.invalid"
"""A name that is in no table (RFC 6761)."""
_HTTPS = ("https://{name}",)
RESPONSE = ".ocsp"
"""What haproxy puts behind the name of a certificate's file to find its OCSP response."""

WRITES: dict[Kind, Words] = {
    Kind.NGINX: ("/run",),
    Kind.APACHE: ("/run",),
    # `postfix check` makes the folders that it misses, and writes to its log where that is a file.
    Kind.POSTFIX: ("/run", "/var/lib/postfix", "/var/log", "/var/spool/postfix"),
    Kind.DOVECOT: ("/run",),
    Kind.PROSODY: ("/run", "/var/lib/prosody", "/var/log/prosody"),
    Kind.HAPROXY: ("/run",),
}
"""Where the commands of a kind write beside the certificate's files, with Debian's configuration."""
TRIES_EVERYWHERE = frozenset({Kind.NGINX, Kind.APACHE})
"""Their tests open the logs, which sites have wherever they like, and fail where one cannot be written."""

KINDS = {
    Kind.NGINX: Defaults(
        Manner((("nginx", "-t", "-q"),), (("nginx", "-s", "reload"),), ("service", "nginx", "status")),
        _nginx,
        "nginx",
        _HTTPS,
    ),
    Kind.APACHE: Defaults(
        # apache2ctl knows the variables that Debian's configuration is written with.
        Manner((("apache2ctl", "-t"),), (("apache2ctl", "graceful"),), ("service", "apache2", "status")),
        _apache,
        "apache2",
        _HTTPS,
    ),
    Kind.POSTFIX: Defaults(
        # Where main.cf cannot be read, `postfix check` says so to the log alone.
        Manner((("postconf", "-n"), ("postfix", "check")), (("postfix", "reload"),), ("postfix", "status")),
        _postfix,
        "postfix",
        ("smtp://{name}", "submission://{name}", "smtps://{name}"),
        (TargetFile(Form.KEY_FULLCHAIN, "/etc/postfix/certs/{alias}.pem"),),
    ),
    Kind.DOVECOT: Defaults(
        Manner((("doveconf", "-n"),), (("doveadm", "reload"),), ("doveadm", "process", "status")),
        _dovecot,
        "dovecot",
        ("imap://{name}", "imaps://{name}", "pop3://{name}", "pop3s://{name}", "sieve://{name}"),
    ),
    Kind.PROSODY: Defaults(
        # It says whether the configuration can be read. `prosodyctl check` also fails for advice, and for each host
        # that has no certificate, which would keep a certificate back that has nothing to do with it.
        Manner((("prosodyctl", "about"),), (("prosodyctl", "reload"),), ("prosodyctl", "status")),
        _prosody,
        "prosody",
        ("xmpp-client://{name}", "xmpp-server://{name}", "xmpps-client://{name}", "xmpps-server://{name}"),
        (
            TargetFile(Form.FULLCHAIN, "/etc/prosody/certs/{name}.crt"),
            TargetFile(Form.PRIVKEY, "/etc/prosody/certs/{name}.key"),
        ),
        Access(group="prosody"),
        "prosody",
    ),
    Kind.HAPROXY: Defaults(
        Manner(
            (("haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg"),),
            (("service", "haproxy", "reload"),),
            ("service", "haproxy", "status"),
        ),
        _haproxy,
        "haproxy",
        _HTTPS,
        (
            TargetFile(Form.FULLCHAIN_KEY, "/etc/haproxy/certs/{alias}.pem"),
            TargetFile(Form.OCSP, f"/etc/haproxy/certs/{{alias}}.pem{RESPONSE}"),
        ),
    ),
}
"""All kinds but `command`, of which nothing is known."""

BUILT_IN = frozenset(kind.value for kind in KINDS)
"""The names that need no description."""

_GROUP_READS = 0o040
_ONLY = {
    "socket": (Kind.HAPROXY, "is haproxy's; other services take new files with a reload"),
    "maps": (Kind.POSTFIX, "are Postfix' tables for SNI; write what has to be done into refresh"),
    "instances": (Kind.POSTFIX, "are Postfix'; describe each process of another service as a target of its own"),
}


def built_in(name: str) -> Target:
    """The target of that name as it is where nobody describes it; `name` is one of BUILT_IN."""
    return target(name, Description(Kind(name)))


def is_as_built_in(found: Target) -> bool:
    """Only programs that are known are run for it, as they are for the service that is built in."""
    usual = _words(built_in(found.kind.value)) if found.kind in KINDS else frozenset()
    tables = {command.words for command in (*found.test, *found.refresh) if command.table}
    return _words(found) - tables <= usual


def _words(found: Target) -> frozenset[Words]:
    running = (found.running,) if found.running is not None else ()
    return frozenset(command.words for command in (*found.test, *found.refresh, *found.apply, *running))


def target(name: str, said: Description) -> Target:
    """What its kind says, with the operator's word in its place where there is one.

    Raises:
        BadDescription: what is said cannot be.
    """
    _check(said)
    defaults = KINDS.get(said.kind)
    manner = _manner(said, defaults)
    files = _with_responses(said) if said.files is not None else defaults.files if defaults else ()
    unit = said.unit or (defaults.unit if defaults and not _own(said) else "")
    probe, user = (defaults.probe, defaults.user) if defaults else ((), "")
    found = Target(
        name,
        said.kind,
        files,
        _access(said.access, defaults.access if defaults and files else NO_ACCESS),
        test=(*_commands(said.test, manner.test, said.bound), *_tried_maps(said)),
        refresh=(*_maps(said), *_commands(said.refresh, (), said.bound)),
        apply=_commands(said.restart if said.restart is not None else said.reload, manner.apply, said.bound),
        running=Command(words, said.bound) if (words := said.running or manner.running) else None,
        restarts=said.restart is not None,
        unit=unit,
        user=user if said.user is None else said.user,
        probe=probe if said.probe is None else said.probe,
        socket=said.socket,
        certificates=said.certificates,
        password_file=said.password_file,
        where=said.where,
    )
    _check_whole(found, said)
    return found


def _with_responses(said: Description) -> tuple[TargetFile, ...]:
    """The files that are described. haproxy finds a response by its name alone, so nobody has to say that."""
    files = said.files or ()
    if said.kind is not Kind.HAPROXY or any(file.form is Form.OCSP for file in files):
        return files
    paths = [file.path for file in files if file.form in {Form.FULLCHAIN_KEY, Form.KEY_FULLCHAIN}]
    return (*files, *(TargetFile(Form.OCSP, f"{path}{RESPONSE}") for path in paths))


def _access(said: Access, default: Access) -> Access:
    mode = default.mode if said.mode is None else said.mode
    return Access(said.owner or default.owner, said.group or default.group, mode)


def _own(said: Description) -> bool:
    """It is another process than the one of Debian's unit, or is told in another way."""
    return bool(said.config or said.instances) or said.reload is not None or said.restart is not None


def _manner(said: Description, defaults: Defaults | None) -> Manner:
    if defaults is None:
        return Manner()
    if said.instances:
        calls = [_instance(item) for item in said.instances]
        return Manner(
            tuple(words for item in said.instances for words in (_read_by(item), (*_instance(item), "check"))),
            tuple((*call, "reload") for call in calls),
            (*calls[0], "status"),
        )
    return defaults.of_config(said.config) if said.config else defaults.manner


def _instance(name: str) -> Words:
    return ("postfix", "-c", name) if name.startswith("/") else ("postmulti", "-i", name, "-p")


def _read_by(name: str) -> Words:
    """The command that says what is wrong with an instance's main.cf."""
    return ("postconf", "-c", name, "-n") if name.startswith("/") else ("postmulti", "-i", name, "-x", "postconf", "-n")


def _maps(said: Description) -> tuple[Command, ...]:
    return tuple(Command((*_postmap(said), item), said.bound, table=path_of_table(item)) for item in said.maps)


def _tried_maps(said: Description) -> tuple[Command, ...]:
    """The same tables, read and not made: in one that lacks an entry, a name would get another's certificate."""
    call = (*_postmap(said), "-q", _NOBODY)
    # It ends with 1 where it finds nothing.
    return tuple(
        Command((*call, f"texthash:{path}"), said.bound, ends=(0, 1), table=path)
        for path in map(path_of_table, said.maps)
    )


def _postmap(said: Description) -> Words:
    return ("postmap", *(("-c", said.config) if said.config else ()), "-F")


def path_of_table(text: str) -> str:
    """Of `hash:/etc/postfix/sni`, or of the path alone."""
    return _TABLE_TYPE.sub("", text, count=1)


def _commands(said: Commands | None, default: Commands, bound: timedelta) -> tuple[Command, ...]:
    return tuple(Command(words, bound) for words in (said if said is not None else default))


def _check(said: Description) -> None:
    """What the description says against itself."""
    for key, (kind, why) in _ONLY.items():
        if getattr(said, key) and said.kind is not kind:
            raise BadDescription(key, why, f"remove {key}")
    if said.reload is not None and said.restart is not None:
        raise BadDescription("restart", "stands beside reload, and one of them has to do", "remove one of them")
    if said.config and said.instances:
        raise BadDescription("instances", "stand beside config, which is one instance's", "remove one of them")
    if said.config and said.kind is Kind.COMMAND:
        raise BadDescription("config", "nobody knows what a command does with it", "write it into the commands")
    forms = {file.form for file in said.files or ()}
    if said.password_file and Form.PKCS12 not in forms:
        raise BadDescription("password_file", "locks PKCS#12, and there is none", 'write files = {pkcs12 = "/…"}')


def _check_whole(found: Target, said: Description) -> None:
    """What is missing, or counts for nothing, now that the kind has had its say."""
    if found.in_place and said.access.asked:
        key = "owner" if said.access.owner else "group" if said.access.group else "mode"
        raise BadDescription(
            key,
            "counts for copies, and this service reads certificates where they are",
            "set CERT_OWNER, CERT_GROUP or KEY_MODE for the certificate, or write files = {…}",
        )
    if (found.access.mode or 0) & _GROUP_READS and not found.access.group:
        raise BadDescription("mode", "lets a group read the key, and group does not say which", 'write group = "…"')
    told = found.apply or found.unit or found.socket
    if not told and said.reload is None and said.restart is None:
        raise BadDescription(
            "", "nothing makes the service take new files", 'write unit = "…", or reload = ["…"], or restart = ["…"]'
        )
    if said.config and not (found.unit or found.running or found.socket):
        raise BadDescription(
            "config",
            "whether that process runs is not known, and none that was stopped may be started",
            'write unit = "…", or running = ["start-stop-daemon", "--status", "--pidfile", "/run/….pid"]',
        )
