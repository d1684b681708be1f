"""What `certkeeper pdns-hook` takes from the page: pdns_api.sh's settings, from the page's files or the environment.

What is dehydrated's own business (CA, certificates, accounts) is not read, so nothing there can be in the way.
"""

from collections.abc import Mapping

from certkeeper.base.errors import Location
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange
from certkeeper.config.evaluating import Evaluator
from certkeeper.config.findings import Finding
from certkeeper.config.hookcommands import HookCommands, hook_commands_of
from certkeeper.config.nameservers import extra_nameservers, ignored_servers, nameservers, vantage_resolvers
from certkeeper.config.page import read_main
from certkeeper.config.powerdns import ZONES_TXT, legacy_findings, propagation
from certkeeper.config.providers import ProviderKind, Register, missing_provider, powerdns_wish
from certkeeper.config.reading import read
from certkeeper.config.settings import Configuration, Settings
from certkeeper.config.shell import Assignment
from certkeeper.config.values import Values, inside
from certkeeper.zone.propagation import Demand

_NAMES = (
    "PDNS_HOST PDNS_KEY PDNS_PORT PDNS_SERVER PDNS_VERSION PDNS_WAIT PDNS_ZONES_TXT PDNS_NO_NOTIFY PDNS_SUFFIX "
    "PDNS_CURL_OPTS CURL_OPTS PDNS_EXIT_HOOK PDNS_DEPLOY_CERT_HOOK"
)
_ENVIRONMENT = Location("the environment")
_ZONES = "zones.txt"
_FOLDERS = ("/etc/dehydrated", "/usr/local/etc/dehydrated")


def hook_commands(config_path: str | None, *, cwd: str, environment: Mapping[str, str]) -> Exchange[HookCommands]:
    """What is run at deploy_cert and exit_hook. Nothing else of the page has to be complete.

    Raises:
        ConfigError: a file cannot be read.
    """
    values, _ = yield from _values(config_path, cwd, environment)
    return hook_commands_of(values)


def hook_page(config_path: str | None, *, cwd: str, environment: Mapping[str, str]) -> Exchange[Configuration]:
    """A page without certificates, whose one provider is PowerDNS.

    Raises:
        ConfigError: a file or a value cannot be read, or host or key is missing.
    """
    values, basedir = yield from _values(config_path, cwd, environment)
    values = yield from _with_zones(values, cwd)
    wish = yield from powerdns_wish(values, environment)
    if wish.settings is None:
        raise missing_provider(values.where(""), "a challenge", ProviderKind.POWERDNS)
    register = Register()
    register.id_of(wish)
    settings = _settings(values, basedir, register)
    # It is called for each name: what changes nothing is worth one line.
    legacy = (replace(item, consequence="", fix="") for item in legacy_findings(values))
    found: tuple[Finding, ...] = (*legacy, *values.findings)
    return Configuration(settings, (), (), tuple(dict.fromkeys(found)))


def _values(config_path: str | None, cwd: str, environment: Mapping[str, str]) -> Exchange[tuple[Values, str]]:
    """The settings, and BASEDIR. The files count before the environment."""
    page = yield from read_main(
        config_path,
        cwd=cwd,
        environment=environment,
        fallback=environment.get("BASEDIR") or cwd,
        evaluator=Evaluator.PARSER,
    )
    known = {name: Assignment(name, environment[name], _ENVIRONMENT) for name in _NAMES.split() if name in environment}
    values = Values({**known, **page.values().assigned}, page.label)
    return values, page.basedir


def _with_zones(values: Values, cwd: str) -> Exchange[Values]:
    """With the first zones.txt of the usual places, where none is named."""
    if values.has(ZONES_TXT):
        return values
    for folder in (*_FOLDERS, cwd):
        path = inside(folder, _ZONES)
        found = yield from read(path)
        if isinstance(found, str):
            named = Assignment(ZONES_TXT, path, Location(path))
            return Values({**values.assigned, ZONES_TXT: named}, values.where("").file)
    return values


def _settings(values: Values, basedir: str, register: Register) -> Settings:
    base = values.path("BASEDIR", basedir)
    return Settings(
        config_file=values.where("").file,
        basedir=base,
        domains_txt="",
        certdir=values.path("CERTDIR", inside(base, "certs")),
        accountdir=values.path("ACCOUNTDIR", inside(base, "accounts")),
        statedir=values.path("STATEDIR", inside(base, "state")),
        # dehydrated holds it while it calls its hook.
        lockfile=None,
        ca="",
        providers=tuple(register.providers.values()),
        nameservers=nameservers(values),
        propagation=propagation(values),
        extra_nameservers=extra_nameservers(values),
        dns_ignore=ignored_servers(values),
        vantage=vantage_resolvers(values),
        demand=values.word("PROPAGATION", Demand.REACHABLE),
    )
