"""`--env` and `--version`."""

import platform
import ssl
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from certkeeper import __version__
from certkeeper.base.accounts import account_folder
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.cli.compat.sitting import Sitting
from certkeeper.cli.compat.words import Typed
from certkeeper.config.domains import DomainList
from certkeeper.config.settings import Configuration
from certkeeper.config.variables import DEFAULTS

SPOKEN = "0.7.2"
"""The version of dehydrated whose words these are."""
_IN_QUOTES = str.maketrans({char: f"\\{char}" for char in '\\"$`'})


def env(sitting: Sitting) -> int:
    """Print settings as `declare` lines, which a shell can evaluate."""
    sys.stdout.write("# dehydrated configuration\n")
    machine = sitting.open(DomainList())
    for name, value in _shown(machine.configuration).items():
        sys.stdout.write(f"declare -- {name}={_quoted(value)}\n")
    return ExitCode.DONE


def version(typed: Typed) -> int:
    """Say what this is. The page is only mentioned: one that cannot be read does not matter here."""
    with suppress(CertkeeperError):
        Sitting(typed, "").open(DomainList())
    sys.stdout.write(
        f"certkeeper {__version__}, with the commands of dehydrated\n\n"
        f"Dehydrated version: {SPOKEN} (as spoken by certkeeper {__version__})\n"
        "GIT-Revision: unknown\n\n"
        f"OS: {_system()}\n"
        "Used software:\n"
        f" python: {platform.python_version()}\n"
        f" openssl: {ssl.OPENSSL_VERSION}\n"
    )
    return ExitCode.DONE


def _shown(configuration: Configuration) -> Mapping[str, str]:
    """The variables that dehydrated shows. None of them is secret."""
    settings, assigned = configuration.settings, configuration.assigned

    def text(name: str) -> str:
        found = assigned.get(name)
        return found.value if found is not None else DEFAULTS[name]

    account = f"{settings.accountdir}/{account_folder(settings.ca)}"
    return {
        "CA": settings.ca,
        "CERTDIR": settings.certdir,
        "ALPNCERTDIR": settings.alpn_certdir,
        "CHALLENGETYPE": text("CHALLENGETYPE"),
        "DOMAINS_D": text("DOMAINS_D"),
        "DOMAINS_TXT": settings.domains_txt,
        "HOOK": text("HOOK"),
        "HOOK_CHAIN": text("HOOK_CHAIN"),
        "RENEW_DAYS": text("RENEW_DAYS"),
        "ACCOUNT_KEY": f"{account}/account_key.pem",
        "ACCOUNT_KEY_JSON": f"{account}/registration_info.json",
        "ACCOUNT_ID_JSON": f"{account}/account_id.json",
        "KEYSIZE": text("KEYSIZE"),
        "WELLKNOWN": settings.wellknown,
        "PRIVATE_KEY_RENEW": text("PRIVATE_KEY_RENEW"),
        "OPENSSL_CNF": text("OPENSSL_CNF") or _openssl_cnf(),
        "CONTACT_EMAIL": settings.contact_email,
        "LOCKFILE": settings.lockfile or "",
    }


def _openssl_cnf() -> str:
    """Where this OpenSSL looks for its configuration; nothing of it is read."""
    return str(Path(ssl.get_default_verify_paths().openssl_capath).with_name("openssl.cnf"))


def _quoted(value: str) -> str:
    """As bash prints a value. Control characters need its other quotes."""
    if value.isprintable():
        return f'"{value.translate(_IN_QUOTES)}"'
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in escaped) + "'"


def _system() -> str:
    with suppress(OSError):
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    return platform.platform(terse=True)
