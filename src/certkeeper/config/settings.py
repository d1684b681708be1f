"""What the operator asked for, as values. Made once per run, never changed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeAlias

from certkeeper.base.access import NO_ACCESS, Access
from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.keys import KeySpec
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.base.value import dataclass, field, replace
from certkeeper.config.findings import Finding
from certkeeper.config.methods import Methods
from certkeeper.config.policies import Cleanup as Cleanup  # noqa: PLC0414 - as below
from certkeeper.config.policies import OnNameFailure as OnNameFailure  # noqa: PLC0414 - as below
from certkeeper.config.policies import Purpose as Purpose  # noqa: PLC0414 - as below
from certkeeper.config.policies import RenewPolicy as RenewPolicy  # noqa: PLC0414 - as below
from certkeeper.config.policies import Spread as Spread  # noqa: PLC0414 - as below
from certkeeper.config.rate import OrderRate
from certkeeper.config.said import Said
from certkeeper.config.secret import Secret as Secret  # noqa: PLC0414 - a part of what is exported here
from certkeeper.config.servers import Dnssec
from certkeeper.config.servers import IgnoredServer as IgnoredServer  # noqa: PLC0414 - as above
from certkeeper.config.servers import NameserverOverride as NameserverOverride  # noqa: PLC0414 - as above
from certkeeper.config.servers import ServerAddress as ServerAddress  # noqa: PLC0414 - as above
from certkeeper.config.shell import Assignment, Shell
from certkeeper.config.telling import NOBODY, Telling
from certkeeper.config.transport import Transport
from certkeeper.lineage.chainwish import ChainWish
from certkeeper.lineage.request import ReceivedCsr
from certkeeper.lineage.retention import Retention
from certkeeper.zone.propagation import Demand

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Most runs deploy nothing, and publish no TLSA record.
    from certkeeper.config.tlsa import TlsaWish
    from certkeeper.service.endpoint import Endpoint
    from certkeeper.service.target import Target

_NO_SHELL = Shell({})
DEFAULT_PROPAGATION = timedelta(seconds=300)
DEFAULT_SCRIPT_PROPAGATION = timedelta(seconds=60)
DEFAULT_KEY = KeySpec()
DEFAULT_RETENTION = Retention()
DEFAULT_METHODS = Methods()
DEFAULT_TRANSPORT = Transport()
DEFAULT_WELLKNOWN = "/var/www/dehydrated"
DEFAULT_HOOK_TIMEOUT = timedelta(seconds=600)


@dataclass(frozen=True, slots=True)
class PowerDnsSettings:
    """One PowerDNS HTTP API.

    `url` is scheme, host and port, with a path prefix where a proxy adds one; or `unix:` and the path of a socket.
    `ca_bundle` is a PEM file of the roots that it is trusted by, None means the system's. `client_cert` and
    `client_key` are PEM files, for a server that wants to see a certificate of ours. `version` is the API's, None where
    it is to be found out; `zones` are all that count, none where the server is asked which ones there are.
    """

    url: str
    api_key: Secret
    server: str | None = None
    notify: bool = True
    ca_bundle: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    transport: Transport = DEFAULT_TRANSPORT
    version: int | None = None
    zones: tuple[DnsName, ...] = ()

    @property
    def socket(self) -> str | None:
        """The unix socket's path, where it is one."""
        return self.url.removeprefix("unix:") if self.url.startswith("unix:") else None


@dataclass(frozen=True, slots=True)
class Rfc2136Settings:
    """One name server and a TSIG key of its. `algorithm` is a word of RFC 8945 §6, `secret` is base64."""

    server: ServerAddress
    key_name: str
    algorithm: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class LexiconSettings:
    """A provider by lexicon's name, and its options by lexicon's names: `auth_token`."""

    provider: str
    options: tuple[tuple[str, Secret], ...] = ()


@dataclass(frozen=True, slots=True)
class HookSettings:
    """A script of the operator's that answers dns-01 as dehydrated's hooks do. `chain`: one call for all records."""

    script: str
    chain: bool = False
    timeout: timedelta = DEFAULT_HOOK_TIMEOUT


@dataclass(frozen=True, slots=True)
class ManualSettings:
    """A person writes the records; they are told which."""


ProviderSettings: TypeAlias = PowerDnsSettings | Rfc2136Settings | LexiconSettings | HookSettings | ManualSettings


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to write DNS. `id` is how plans, messages and the journal call it, and never holds a secret.

    `suffix` is where names lead by a CNAME that the operator set up once and for all (PDNS_SUFFIX).
    """

    id: str
    settings: ProviderSettings
    suffix: DnsName | None = None


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """Who writes a zone and all that is below it. `error` is why nobody can, where its file cannot be read."""

    suffix: DnsName
    provider: str
    error: CertkeeperError | None = None


@dataclass(frozen=True, slots=True)
class CertSpec:
    """What the operator wants for one lineage. `where` is its line in domains.txt.

    `ca` is the URL of its CA's directory. `identifiers` are in the line's order, without repetitions; the first names
    the lineage if no alias does.
    Timeouts are bounds on waiting for the CA, None means our own default. `hook` is the script that is told of what
    happens to the certificate, empty where there is none. `provider` is who writes its challenge records, unless a
    zone has a rule.
    `staple_required`: with `must_staple`, nothing is ordered without.
    `profile` is required of the CA; `preferred_profile` counts where that is empty and the CA offers it.
    `preferred_chain` is the common name of an issuer in the chain to take, empty for the CA's default, and
    `chain_required` says that no other one is taken. `wished_key` is
    the kind of key that a file of the page asks for in so many words (`rsa`, `rsa-2048`, `secp384r1`), else empty.
    `hook_chain`: that script is told of all challenges by one call; `hook_timeout` is how long a call may take.
    `access` is who may read its files.
    `methods` are the ways in which each name may be proven, `wellknown` is the folder for http-01. `keep_going`: where
    dehydrated's commands fail with it, they go on with the next one; our own always do. `ocsp_fetch`: runs keep
    its OCSP response fresh; `ocsp_days` is how old that may be before another one is asked for. `request` is
    what the script wants signed, whose key it keeps. `deploy_command` are the words of a command that is run where
    there is no script.
    `targets` are the names of the services that take it (DEPLOY). `probe` are the endpoints that have to show it, in
    the place of its targets' own; None where those count, empty where nobody looks. `tlsa` are the TLSA records that
    follow its key, None where there are to be none; a test CA's certificate has none, whatever the page says.
    """

    alias: Alias
    identifiers: tuple[Identifier, ...]
    where: Location
    ca: str
    key: KeySpec = DEFAULT_KEY
    renew: RenewPolicy = RenewPolicy()
    must_staple: bool = False
    staple_required: bool = False
    profile: str = ""
    preferred_profile: str = ""
    preferred_chain: str = ""
    validation_timeout: timedelta | None = None
    order_timeout: timedelta | None = None
    hook: str = ""
    keep: Retention = DEFAULT_RETENTION
    provider: str = ""
    methods: Methods = DEFAULT_METHODS
    wellknown: str = DEFAULT_WELLKNOWN
    purpose: Purpose = Purpose.SERVE
    wished_key: str = ""
    on_name_failure: OnNameFailure = OnNameFailure.BLOCK
    hook_chain: bool = False
    hook_timeout: timedelta = DEFAULT_HOOK_TIMEOUT
    keep_going: bool = False
    ocsp_fetch: bool = False
    ocsp_days: int = 5
    access: Access = NO_ACCESS
    chain_required: bool = False
    request: ReceivedCsr | None = None
    deploy_command: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    probe: "tuple[Endpoint, ...] | None" = None
    tlsa: "TlsaWish | None" = None

    @property
    def chain(self) -> ChainWish:
        return ChainWish(self.preferred_chain, self.chain_required)

    @property
    def deploy_hook(self) -> str:
        """The script that is told of a new certificate; nobody is told of a rehearsal."""
        return "" if self.purpose is Purpose.REHEARSE else self.hook

    @property
    def deployer(self) -> str:
        """What is called once a new certificate is live, as people read it: the script, or the command."""
        return "" if self.purpose is Purpose.REHEARSE else self.hook or " ".join(self.deploy_command)

    @property
    def entry(self) -> Alias:
        """How the journal calls it: what it holds of the certificate that services read is not a rehearsal's."""
        return Alias(f"{self.alias} (test)") if self.purpose is Purpose.REHEARSE else self.alias


@dataclass(frozen=True, slots=True)
class Rejected:
    """A certificate that the page asks for but that cannot be read; the others go on. `where` is its line."""

    label: str
    error: CertkeeperError
    where: Location | None = None


@dataclass(frozen=True, slots=True)
class ExternalAccount:
    """The operator as the CA's customer (RFC 8555 §7.3.4). `hmac_key` is base64url, with padding or without.

    `by_mail`: the CA gave it out for CONTACT_EMAIL just now; the page has none.
    """

    kid: str
    hmac_key: Secret
    by_mail: bool = False


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What counts for a new account at the CA with that directory URL."""

    ca: str
    contact_email: str = ""
    account_key: KeySpec = DEFAULT_KEY
    external_account: ExternalAccount | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The run's settings. Paths are as the operator wrote them, without a final slash.

    `ca_bundle` is a PEM file of the roots that the CA's API is trusted by; None means the system's. `transport` is how
    CAs are reached.
    `propagation` bounds the wait for the name servers (WAIT, PDNS_WAIT), `script_propagation` where a script writes
    the records, whose word counts in the end; `demand` says whose word it takes otherwise.
    `vantage` are resolvers that have to see the records, too. `providers` are all that a certificate or a zone of the
    page names; `zone_rules` has the longer suffixes first. `caa_check`: CAA that forbids stops a certificate before
    its order. `alpn_certdir` is where files for tls-alpn-01 go; `http_listen` and `tls_alpn_listen` are where a run
    answers by itself. `ca` is the page's; `contact_email`, `account_key` and `external_account`, whom a new account is
    bound to, count there, and `other_accounts` are those of other CAs that certificates name. `ari`: the CA is asked
    when it wants certificates renewed. `order_rate` counts at each CA; None: the CA's own counts.
    `run_limit` is how many orders a run opens, 0 means that there is no bound.
    `hook` is the page's script, empty where there is none, and `command` is dehydrated's word for what is being done,
    which scripts are told. `old_ca` is the CA whose account is used where `ca` has none. `config_file` is empty where
    none was found and defaults count. `keep_going` is the page's word, see CertSpec. `exit_command` are the words of a
    command that is run at the end where there is no script. `targets` are the services that certificates name
    and those that are described, by their names. `deploy_config` is the file of root's that describes some, empty where
    there is none or nobody needs it. `scripts` are the page's and those of its certificates. `user` is DEHYDRATED_USER,
    empty where the page names none. `tlsa_margin` is waited for after caches must have forgotten TLSA records.
    `rehearsal`: the page as a test CA plays it, for which nobody is told anything.
    """

    config_file: str
    basedir: str
    domains_txt: str
    certdir: str
    accountdir: str
    statedir: str
    lockfile: str | None
    ca: str
    ca_bundle: str | None = None
    transport: Transport = DEFAULT_TRANSPORT
    contact_email: str = ""
    account_key: KeySpec = DEFAULT_KEY
    external_account: ExternalAccount | None = None
    providers: tuple[Provider, ...] = ()
    zone_rules: tuple[ZoneRule, ...] = ()
    nameservers: tuple[NameserverOverride, ...] = ()
    propagation: timedelta = DEFAULT_PROPAGATION
    script_propagation: timedelta = DEFAULT_SCRIPT_PROPAGATION
    caa_check: bool = True
    ari: bool = True
    extra_nameservers: tuple[NameserverOverride, ...] = ()
    dns_ignore: tuple[IgnoredServer, ...] = ()
    vantage: tuple[ServerAddress, ...] = ()
    dnssec: Dnssec = field(default_factory=Dnssec)
    demand: Demand = Demand.REACHABLE
    order_rate: OrderRate | None = None
    run_limit: int = 0
    alpn_certdir: str = ""
    http_listen: tuple[ServerAddress, ...] = ()
    tls_alpn_listen: tuple[ServerAddress, ...] = ()
    other_accounts: tuple[AccountSettings, ...] = ()
    test_certdir: str = ""
    telling: Telling = NOBODY
    wellknown: str = DEFAULT_WELLKNOWN
    hook: str = ""
    hook_timeout: timedelta = DEFAULT_HOOK_TIMEOUT
    command: str = "sign_domains"
    exit_command: tuple[str, ...] = ()
    cleanup: Cleanup = Cleanup.NO
    keep_going: bool = False
    old_ca: str = ""
    scripts: frozenset[str] = frozenset()
    targets: "Mapping[str, Target]" = field(default_factory=dict)
    deploy_config: str = ""
    user: str = ""
    tlsa_margin: timedelta = timedelta(hours=1)
    rehearsal: bool = False

    @property
    def left_to_root(self) -> bool:
        """Services are root's, and whoever keeps this page is not: `certkeeper deploy` puts certificates into them."""
        return self.user not in {"", "root"}

    def at(self, ca: str) -> "Settings":
        """The same for an account at that CA."""
        if ca == self.ca:
            return self
        without = AccountSettings(ca, self.contact_email, self.account_key)
        found = next((item for item in self.other_accounts if item.ca == ca), without)
        return replace(
            self,
            ca=ca,
            contact_email=found.contact_email,
            account_key=found.account_key,
            external_account=found.external_account,
        )

    def folder(self, spec: CertSpec) -> str:
        """Where the certificate is."""
        return f"{self.test_certdir if spec.purpose is Purpose.REHEARSE else self.certdir}/{spec.alias}"

    def provider(self, id_: str) -> Provider | None:
        return next((item for item in self.providers if item.id == id_), None)

    def rule(self, name: DnsName) -> ZoneRule | None:
        """The rule of the closest zone that the name is in."""
        return next((item for item in self.zone_rules if name.is_within(item.suffix)), None)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A page that was read: settings, certificates in the order of domains.txt, and what is wrong with the page.

    `drop_ins` are the files of CONFIG_D, in order. `assigned` is where each variable of the page got its value, without
    what certificates have for themselves; the values may be secrets. `shell` is what its files leave to scripts. `said`
    has all that stands in the page, by where it counts.
    """

    settings: Settings
    certificates: tuple[CertSpec, ...]
    rejected: tuple[Rejected, ...] = ()
    findings: tuple[Finding, ...] = ()
    drop_ins: tuple[str, ...] = ()
    assigned: Mapping[str, Assignment] = field(default_factory=dict, repr=False)
    shell: Shell = _NO_SHELL
    said: Said = field(default_factory=Said, repr=False, compare=False)

    @property
    def cas(self) -> tuple[str, ...]:
        """The CAs of its certificates, each once."""
        return tuple(dict.fromkeys(spec.ca for spec in self.certificates))

    def with_stand_ins(self) -> "Configuration":
        """The same where test CAs' certificates go to where services read."""
        stand_ins = tuple(
            replace(spec, purpose=Purpose.STAND_IN) if spec.purpose is Purpose.REHEARSE else spec
            for spec in self.certificates
        )
        return replace(self, certificates=stand_ins)
