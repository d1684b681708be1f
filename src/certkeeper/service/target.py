"""A deployment target: what one service needs of a certificate, and how the service takes it."""

import re
from datetime import timedelta
from enum import StrEnum

from certkeeper.base.access import NO_ACCESS, Access
from certkeeper.base.errors import Location
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import dataclass

DEFAULT_BOUND = timedelta(seconds=60)
_PLACEHOLDER = re.compile(r"\{(?:alias|name)\}")


class Kind(StrEnum):
    """The services that are known, and those that are described by commands only."""

    NGINX = "nginx"
    APACHE = "apache2"
    POSTFIX = "postfix"
    DOVECOT = "dovecot"
    PROSODY = "prosody"
    HAPROXY = "haproxy"
    COMMAND = "command"


class Form(StrEnum):
    """What a file holds, by the words that the page uses."""

    PRIVKEY = "privkey"
    CERT = "cert"
    CHAIN = "chain"
    FULLCHAIN = "fullchain"
    KEY_FULLCHAIN = "key+fullchain"
    """Postfix' `smtpd_tls_chain_files` wants the key first."""
    FULLCHAIN_KEY = "fullchain+key"
    PKCS12 = "pkcs12"
    OCSP = "ocsp"
    """The OCSP response in DER: HAProxy's `.ocsp` beside the certificate's file. No file where there is no response."""

    @property
    def secret(self) -> bool:
        """It holds the private key."""
        return self not in {Form.CERT, Form.CHAIN, Form.FULLCHAIN, Form.OCSP}


@dataclass(frozen=True, slots=True)
class Command:
    """Words that are run without a shell, and how long that may take.

    `ends` are the statuses with which it says yes. `table` is one of Postfix' tables that it reads: it leaves out a
    line that it cannot use, warns of it, and ends as if nothing were wrong.
    """

    words: tuple[str, ...]
    bound: timedelta = DEFAULT_BOUND
    ends: tuple[int, ...] = (0,)
    table: str = ""


@dataclass(frozen=True, slots=True)
class TargetFile:
    """One file of a certificate for a service. `{alias}` in `path` is the certificate's, `{name}` its first name."""

    form: Form
    path: str

    def of(self, alias: Alias, first: Identifier) -> str:
        """Where it is for one certificate. Of a wildcard the name is that of the domain."""
        meant = {"{alias}": alias.text, "{name}": first.value.removeprefix("*.")}
        return _PLACEHOLDER.sub(lambda found: meant[found[0]], self.path)


@dataclass(frozen=True, slots=True)
class Target:
    """One service of this machine.

    `files` are copies that are made for it; where there are none it reads certificates where they are, through
    `.live`. `access` is who may read those copies. `test` is the check of its configuration, `refresh` is what has to
    be done between new files and the reload (`postmap -F`), `apply` is what makes it take the files: a reload, or a
    restart where `restarts` says so. `running` ends with 0 where it runs. `unit` is systemd's, through which it is
    reloaded where systemd runs. `user` is who has to be able to read the files, empty where root reads them.
    `probe` are endpoints with `{name}` for each name of the certificate that a host can have. `socket` is haproxy's
    for administration, empty where certificates come with a reload. `certificates` are the aliases that may have it,
    as patterns with `*` and `?`; none where all may. `password_file` holds what PKCS#12 is locked with, empty where
    it is not. `where` is where it was described, None for what is built in.
    """

    name: str
    kind: Kind
    files: tuple[TargetFile, ...] = ()
    access: Access = NO_ACCESS
    test: tuple[Command, ...] = ()
    refresh: tuple[Command, ...] = ()
    apply: tuple[Command, ...] = ()
    running: Command | None = None
    restarts: bool = False
    unit: str = ""
    user: str = ""
    probe: tuple[str, ...] = ()
    socket: str = ""
    certificates: tuple[str, ...] = ()
    password_file: str = ""
    where: Location | None = None

    @property
    def in_place(self) -> bool:
        """It reads what `.live` leads to, so that going back means another version for every reader."""
        return not self.files

    @property
    def reads_responses(self) -> bool:
        """It reads OCSP responses from files, where they are or from copies. apache2 asks for them itself."""
        if self.in_place:
            return self.kind in {Kind.NGINX, Kind.HAPROXY, Kind.COMMAND}
        return any(file.form is Form.OCSP for file in self.files)

    @property
    def programs(self) -> tuple[str, ...]:
        """What is run for it, by path or name."""
        running = (self.running,) if self.running is not None else ()
        commands = (*self.test, *self.refresh, *self.apply, *running)
        return tuple(dict.fromkeys(command.words[0] for command in commands))

    def takes(self, alias: Alias) -> bool:
        """Whether a certificate of that alias may be deployed to it."""
        patterns = (re.escape(item).replace(r"\*", ".*").replace(r"\?", ".") for item in self.certificates)
        return not self.certificates or any(re.fullmatch(pattern, alias.text) for pattern in patterns)
