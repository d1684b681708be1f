"""Which file comes next: an exchange that asks for files, is sent their text, and returns the Configuration.

config                        named, or the first of the usual places
CONFIG_D/*.sh                 in order, each on top of what came before
ACCOUNTDIR/<folder>/config    for the CA that counts now, and for each one that a certificate names
DOMAINS_TXT, DOMAINS_TXT.d/*.txt
ZONES_D/<zone>                who writes the zone's records
DOMAINS_D/<alias>, or CERTDIR/<alias>/config, for each line
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange
from certkeeper.config.accounts import TEST_CA, Main, OtherAccounts, account_file, known_to
from certkeeper.config.authority import directory_url, is_stood_in_for, old_authority, v1_findings
from certkeeper.config.binding import BINDING
from certkeeper.config.certificates import Terms, certificate, own_assignments, read_terms
from certkeeper.config.dehydrated import final_variables, read_settings
from certkeeper.config.domainfiles import listed_certificates
from certkeeper.config.domains import DomainLine, DomainList
from certkeeper.config.errors import ConfigError
from certkeeper.config.evaluating import SETTING, Errors, Evaluator, evaluated
from certkeeper.config.exposure import exposed, programs
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.lint import unknown_variables, with_misspelled
from certkeeper.config.methods import unused_methods
from certkeeper.config.opensslcnf import request_findings
from certkeeper.config.page import Page, as_wished, read_main
from certkeeper.config.powerdns import legacy_findings
from certkeeper.config.provided import provided_for
from certkeeper.config.providers import ProviderKind, Register, unused_rules
from certkeeper.config.reading import (
    FailureKind,
    Glob,
    Read,
    ReadFailure,
    listing,
    read_if_there,
)
from certkeeper.config.said import Said, SaidOfCertificate
from certkeeper.config.settings import CertSpec, Configuration, Rejected, Settings, Spread
from certkeeper.config.shell import Assignment, Script
from certkeeper.config.tables import Table
from certkeeper.config.unused import unread_configs, unused_configs
from certkeeper.config.values import Values, folder_of, inside
from certkeeper.config.zones import zone_rules

_NOT_HEARD = (
    "counts only as a line of its own in the main file",
    "the page was not evaluated by bash",
    f'write {SETTING}="yes" there, from the first column on',
)
__all__ = ["FailureKind", "Glob", "Read", "ReadFailure", "load"]


def load(
    config_path: str | None,
    *,
    cwd: str,
    environment: Mapping[str, str],
    asked: DomainList | None = None,
    typed: tuple[Assignment, ...] = (),
    fallback: str | None = None,
    evaluator: Evaluator = Evaluator.PARSER,
) -> Exchange[Configuration]:
    """Read a page. The environment serves expansion; of settings only CONFIG, SSL_CERT_FILE, PDNS_KEY, EAB_KID and
    EAB_HMAC_KEY are taken from it, and where systemd keeps credentials.

    `asked` are the certificates that it is about, in the place of those in domains.txt. `typed` are settings from the
    command line: they count more than the page and what the CA's account has for itself, less than a certificate's own.
    `fallback` is BASEDIR where no file is named and none is found: then defaults count. Without it that is an error.
    `evaluator` is who evaluates the page, unless its main file asks for bash itself.

    Raises:
        ConfigError: with file and line, where the page as a whole cannot be read.
    """
    main = yield from read_main(config_path, cwd=cwd, environment=environment, fallback=fallback, evaluator=evaluator)
    main = yield from as_wished(main)
    main = main.then(_on_top(main, typed))
    if is_stood_in_for(main.values()):
        main = replace(main, history=tuple(item for item in main.history if item.name not in BINDING))
        environment = {name: text for name, text in environment.items() if name not in BINDING}
    yield from _check_basedir(main.values())
    page = yield from _with_account(main)
    page = page.then(_on_top(page, typed))
    try:
        return (yield from _configuration(page, main, environment, asked))
    except ConfigError as error:
        # The findings are lost with the page, and one of them may say why it cannot be read.
        raise with_misspelled(error, page.history) from error


def _configuration(
    page: Page, main: Page, environment: Mapping[str, str], asked: DomainList | None
) -> Exchange[Configuration]:
    """`main` is the page without what the CA's account has for itself."""
    values = page.values()
    settings = read_settings(values, page.file, page.basedir, environment)
    settings = settings if page.native is None else _in_one_file(settings, values)
    terms = yield from read_terms(values, environment)
    domains = asked or (yield from listed_certificates(settings, page.native))
    register = Register()
    register.id_of(terms.wish)
    zones = yield from zone_rules(values, page.variables, environment, register, page.native)
    accounts = OtherAccounts(_shared(main), settings)
    reader = _Certificates(page, settings, terms, environment, register, accounts)
    certificates, rejected, findings = yield from reader.read(domains)
    settings, certificates, unmet, more = yield from _services(settings, certificates, page, reader.said)
    others = tuple(found.settings for found in accounts.found.values())
    settings = replace(
        settings, providers=tuple(register.providers.values()), zone_rules=zones.rules, other_accounts=others
    )
    fatal = terms.methods.through_dns and terms.wish.settings is None
    certificates, unprovided = provided_for(certificates, settings, reader.wished, terms.wish.kind, fatal=fatal)
    rejected = (*rejected, *unmet, *unprovided)
    settings = replace(settings, scripts=_scripts(settings, certificates))
    unused = () if asked is not None else (yield from _unused(page, settings, certificates, rejected))
    found = (
        *page.findings,
        *(yield from exposed(values, programs(settings, certificates, page.shell))),
        *_of_the_page(page, values),
        *domains.findings,
        *findings,
        *(yield from request_findings(values)),
        *zones.findings,
        *unused,
        *unused_rules(zones.rules, _names(domains), zones.places),
        *unused_methods(terms.methods, _identifiers(domains), values.where("CHALLENGETYPE")),
        *more,
    )
    # A certificate's own file is read on top of the page, whose findings come up again each time.
    return Configuration(
        settings,
        certificates,
        (*domains.rejected, *rejected),
        tuple(dict.fromkeys(found)),
        page.drop_ins,
        values.assigned,
        page.shell,
        _said(page, main, accounts, reader.said, zones.own, domains),
    )


def _scripts(settings: Settings, certificates: Sequence[CertSpec]) -> frozenset[str]:
    return frozenset(hook for hook in (settings.hook, *(spec.hook for spec in certificates)) if hook)


def _identifiers(domains: DomainList) -> frozenset[Identifier]:
    return frozenset(name for line in domains.lines for name in line.identifiers)


_Served: TypeAlias = tuple[Settings, tuple[CertSpec, ...], tuple[Rejected, ...], tuple[Finding, ...]]


def _services(
    settings: Settings, certificates: tuple[CertSpec, ...], page: Page, said: Mapping[str, SaidOfCertificate]
) -> Exchange[_Served]:
    described = page.native is not None and page.native.targets
    if not (described or page.values().has("DEPLOY_CONFIG") or any(spec.targets for spec in certificates)):
        return settings, certificates, (), ()
    from certkeeper.config.deployments import with_targets  # noqa: PLC0415 - most pages deploy nothing

    found = yield from with_targets(settings, certificates, page.values(), page.native, said)
    return found.settings, found.certificates, found.rejected, found.findings


def _in_one_file(settings: Settings, values: Values) -> Settings:
    """The list of certificates is the main file itself, unless it names another one, too."""
    return settings if values.has("DOMAINS_TXT") else replace(settings, domains_txt=settings.config_file)


def _shared(main: Page) -> Main:
    return Main(main.shell, main.evaluator, main.values().assigned, main.label, main.native)


def _unused(
    page: Page, settings: Settings, certificates: Sequence[CertSpec], rejected: Sequence[Rejected]
) -> Exchange[tuple[Finding, ...]]:
    """Files of certificates that count for nothing."""
    if page.native is not None:
        return (yield from unread_configs(settings.certdir, page.file))
    if page.values().has("DOMAINS_D"):
        return ()
    return (yield from unused_configs(settings.certdir, certificates, rejected, page.variables))


def _said(
    page: Page,
    main: Page,
    others: OtherAccounts,
    certificates: Mapping[str, SaidOfCertificate],
    zones: Mapping[str, tuple[Assignment, ...]],
    domains: DomainList,
) -> Said:
    ca = directory_url(main.values())
    own = {found.name: found for found in page.history[len(main.history) :]}
    accounts = {ca: tuple(own.values()), **others.own}
    unread = tuple(item.error for item in domains.rejected)
    return Said(main.values().assigned, ca, accounts, certificates, zones, unread)


def _of_the_page(page: Page, values: Values) -> tuple[Finding, ...]:
    """Findings about its assignments."""
    if page.evaluator is Evaluator.PARSER and values.truth(SETTING, default=False):
        values.find("source-config", Severity.WARNING, SETTING, *_NOT_HEARD)
    return (
        *v1_findings(page.history),
        *unknown_variables(page.history),
        *legacy_findings(values),
        *values.findings,
    )


def _check_basedir(values: Values) -> Exchange[None]:
    if not values.has("BASEDIR"):
        # The folder of a file that was read.
        return
    base = values.path("BASEDIR", "")
    found = yield from listing(base, "")
    if isinstance(found, ReadFailure) and found.kind is FailureKind.MISSING:
        raise values.error("BASEDIR", f"{base}: {found.reason}", "make the folder, or correct the path")


def _with_account(page: Page) -> Exchange[Page]:
    values = page.values()
    ca = directory_url(values)
    base = values.path("BASEDIR", page.basedir)
    accounts = values.path("ACCOUNTDIR", inside(base, "accounts"))
    if page.native is not None:
        return page.then(_on_top(page, page.native.of_account(ca)))
    own = account_file(accounts, ca)
    text = yield from read_if_there(own)
    if text is None and (old := old_authority(values, ca)):
        # The folder becomes a link to the old CA's as soon as a run has the lock.
        folder = yield from listing(folder_of(own), "")
        if isinstance(folder, ReadFailure) and folder.kind is FailureKind.MISSING:
            own = account_file(accounts, old)
            text = yield from read_if_there(own)
    if text is None:
        return page
    script = yield from evaluated(text, own, known_to(page.shell, base, accounts, ca), page.evaluator)
    return page.then(script)


def _on_top(page: Page, more: tuple[Assignment, ...]) -> Script:
    variables = {**page.variables, **{item.name: item.value for item in more}}
    return Script(more, replace(page.shell, variables=variables))


class _Certificates:
    """Reads what each line of domains.txt has for itself, on top of the page."""

    def __init__(
        self,
        page: Page,
        settings: Settings,
        terms: Terms,
        environment: Mapping[str, str],
        register: Register,
        accounts: OtherAccounts,
    ) -> None:
        self._page = page
        self._settings = settings
        self._terms = terms
        self._environment = environment
        self._register = register
        self._accounts = accounts
        self._inherited = final_variables(page.variables, settings)
        self._values = page.values()
        self._native = page.native
        self._spread = Spread()
        self._findings: list[Finding] = []
        self.said: dict[str, SaidOfCertificate] = {}
        self.wished: dict[str, tuple[str, ProviderKind]] = {}
        """By alias, of those with a file of their own: that file, and who is to write records after it."""

    def read(
        self, domains: DomainList
    ) -> Exchange[tuple[tuple[CertSpec, ...], tuple[Rejected, ...], tuple[Finding, ...]]]:
        values = self._values
        folder = values.path("DOMAINS_D", "") if values.has("DOMAINS_D") else None
        certificates: list[CertSpec] = []
        rejected: list[Rejected] = []
        self._spread = Spread.over(len(domains.lines))
        self._terms = self._spread_out(self._terms)
        for line in domains.lines:
            alias = line.alias.text
            file = inside(folder, alias) if folder else inside(self._settings.certdir, f"{alias}/config")
            found: CertSpec | Rejected
            own: str | Table | None
            try:
                if self._native is not None:
                    file, own = self._native.file, self._native.certificates.get(alias)
                else:
                    own = yield from read_if_there(file)
                found = yield from self._certificate(line, file, own)
            except ConfigError as error:
                found = Rejected(alias, error)
            if isinstance(found, Rejected):
                rejected.append(replace(found, where=line.where))
            else:
                certificates.append(found)
        return tuple(certificates), tuple(rejected), tuple(self._findings)

    def _certificate(self, line: DomainLine, file: str, said: str | Table | None) -> Exchange[CertSpec | Rejected]:
        if said is None or (isinstance(said, Table) and not said.assignments):
            self.said[line.alias.text] = SaidOfCertificate(line.identifiers, line.where)
            return certificate(line, self._terms, self._register.id_of(self._terms.wish))
        own = yield from self._own_values(line, file, said)
        terms = yield from read_terms(own, self._environment)
        requests = yield from request_findings(own)
        self._findings += (*own.findings, *requests)
        self.wished[line.alias.text] = (file, terms.wish.kind)
        return certificate(line, self._spread_out(terms), self._register.id_of(terms.wish))

    def _spread_out(self, terms: Terms) -> Terms:
        return replace(terms, renew=replace(terms.renew, spread=self._spread))

    def _own_values(self, line: DomainLine, file: str, own_text: str | Table) -> Exchange[Values]:
        """The page's assignments with those of the certificate's own file, or table, on top."""
        names = [str(name) for name in line.identifiers]
        own = {
            "alias": line.alias.text,
            "domain": names[0],
            "morenames": " ".join(names[1:]),
            "certdir": inside(self._inherited["CERTDIR"], line.alias.text),
        }
        before = {**self._inherited, **own}
        shell = replace(self._page.shell, variables=before)
        if isinstance(own_text, Table):
            script = Script(own_text.assignments, shell)
        else:
            script = yield from evaluated(own_text, file, shell, self._page.evaluator, Errors.IGNORED)
        changes, found = own_assignments(script, before)
        own_test_ca = next((item for item in reversed(script.assignments) if item.name == TEST_CA), None)
        kept = {**changes, **({TEST_CA: own_test_ca} if own_test_ca is not None else {})}
        self.said[line.alias.text] = SaidOfCertificate(line.identifiers, line.where, tuple(kept.values()), file)
        self._findings += (*found, *v1_findings(script.assignments))
        assigned = {**self._values.assigned, **changes}
        ca = self._ca_of(assigned, file)
        if ca is not None and ca != self._settings.ca:
            yield from self._accounts.read(ca)
        # What could not even be read, nobody can show or convert.
        self.said[line.alias.text] = SaidOfCertificate(line.identifiers, line.where, tuple(kept.values()), file)
        ca = directory_url(Values(assigned, file))
        if ca != self._settings.ca:
            account = yield from self._accounts.at(ca)
            self._findings += account.findings
            # The page's word is about the page's CA. An own one that is the same word was left out above.
            said = own_test_ca or account.test_ca
            assigned = {name: item for name, item in assigned.items() if name != TEST_CA}
            assigned |= {TEST_CA: said} if said is not None else {}
        return Values(assigned, file)

    @staticmethod
    def _ca_of(assigned: Mapping[str, Assignment], file: str) -> str | None:
        """None where CA is no CA."""
        try:
            return directory_url(Values(assigned, file))
        except ConfigError:
            return None


def _names(domains: DomainList) -> Iterator[DnsName]:
    for line in domains.lines:
        yield from (name.domain for name in line.identifiers if name.type is IdentifierType.DNS)
