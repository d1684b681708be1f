"""The first certkeeper.toml of a machine: from what was found and answered to a text with comments."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import dataclass, replace
from certkeeper.config.native import CONFIG_VERSION, VERSION
from certkeeper.config.spelling import quoted, value
from certkeeper.service.kinds import BUILT_IN, built_in
from certkeeper.service.sites import Site, public
from certkeeper.service.target import Kind

HTTP = "none"
"""In the place of a DNS provider: names are proven by http-01."""
# What reads the folder of a certificate where it is, and the lines that make it do so.
_IN_PLACE = {
    Kind.NGINX: ("ssl_certificate {folder}/fullchain.pem;", "ssl_certificate_key {folder}/privkey.pem;"),
    Kind.APACHE: ("SSLCertificateFile {folder}/fullchain.pem", "SSLCertificateKeyFile {folder}/privkey.pem"),
    Kind.DOVECOT: (
        "ssl_cert = <{folder}/fullchain.pem",
        "ssl_key = <{folder}/privkey.pem",
        "(from Dovecot 2.4 on: ssl_server_cert_file and ssl_server_key_file, without <)",
    ),
    Kind.POSTFIX: ("smtpd_tls_chain_files = /etc/postfix/certs/{alias}.pem",),
    Kind.HAPROXY: ("bind :443 ssl crt /etc/haproxy/certs/",),
}
_MAIL = (Kind.POSTFIX.value, Kind.DOVECOT.value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate of the new page. `places` are the lines of configuration that name it."""

    alias: str
    names: tuple[Identifier, ...]
    services: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prover:
    """How names are proven: a provider's name or HTTP; settings of its own, by name, as dehydrated's form has them."""

    provider: str
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FirstPage:
    """All that the file is made of. `deploy` are services for all certificates, where somebody said which ones;
    `left_out` are names that were found and are not asked for, with the reason.
    """

    basedir: str
    ca: str
    contact: str
    prover: Prover
    certificates: tuple[Wanted, ...]
    deploy: tuple[str, ...] = ()
    left_out: tuple[tuple[Identifier, str], ...] = ()


def grouped(sites: Sequence[Site], services: Collection[str], hostname: str) -> tuple[Wanted, ...]:
    """One certificate for each set of names that services serve together; sets that share a name are one.

    Mail servers that name no host are taken to be this machine under its own name.
    """
    host = public(hostname)
    nameless = [kind for kind in _MAIL if kind in services and not any(site.service == kind for site in sites)]
    mail = next((site.names[0] for site in sites if site.service == Kind.POSTFIX.value), host)
    found: list[Wanted] = []
    parts: list[tuple[tuple[Identifier, ...], tuple[str, ...], tuple[str, ...]]] = [
        (site.names, (site.service,), (str(site.where),)) for site in sites
    ]
    if nameless and mail is not None:
        parts.append(((mail,), tuple(nameless), ()))
    for names, kinds, places in parts:
        shared = [item for item in found if set(item.names) & set(names)]
        every = tuple(dict.fromkeys([*(name for item in shared for name in item.names), *names]))
        joined = Wanted(
            _alias(every),
            every,
            tuple(dict.fromkeys([*(kind for item in shared for kind in item.services), *kinds])),
            tuple(dict.fromkeys([*(place for item in shared for place in item.places), *places])),
        )
        at = found.index(shared[0]) if shared else len(found)
        found = [item for item in found if item not in shared]
        found.insert(at, joined)
    return tuple(found)


def without(certificates: Iterable[Wanted], names: Collection[Identifier]) -> tuple[Wanted, ...]:
    """The same without these names, and without certificates that have no other."""
    kept = (replace(item, names=tuple(name for name in item.names if name not in names)) for item in certificates)
    return tuple(replace(item, alias=_alias(item.names)) for item in kept if item.names)


def _alias(names: Sequence[Identifier]) -> str:
    """A folder's name: the first name that is one."""
    plain = next((name for name in names if not name.wildcard), None)
    return Alias.parse(str(plain) if plain is not None else names[0].domain.text).text


def first_page(page: FirstPage, program: str, today: date) -> str:
    """The file's text; it holds no secret."""
    lines = [
        f"# Written by {program} on {today.isoformat()}. It is yours: nothing ever changes it.",
        "# After a change: certkeeper config check, then certkeeper plan. All settings: certkeeper.toml(5).",
        f"{CONFIG_VERSION} = {VERSION}",
        "",
        "# Accounts, keys, certificates and the journal of what is under way.",
        _line("BASEDIR", page.basedir),
        "",
        "# Who issues: letsencrypt, zerossl, buypass, google, or the URL of an ACME directory.",
        _line("CA", page.ca),
        *_contact(page.contact),
        "",
        *_proving(page.prover),
        "",
        *_offers(page),
    ]
    if page.deploy:
        lines += ["", "# Services that take every certificate, and are looked at afterwards.", _deploy(page.deploy)]
    for name, reason in page.left_out:
        lines += ["", f"# {name} is served here and not asked for: {reason}"]
    for item in page.certificates:
        lines += ["", *_certificate(page, item)]
    return "".join(f"{line}\n" for line in lines)


def _line(name: str, text: str) -> str:
    return f"{name.lower()} = {value(name, text)}"


def _contact(contact: str) -> Iterator[str]:
    yield "# Where the CA may write to; it may be left out."
    yield _line("CONTACT_EMAIL", contact) if contact else '#contact_email = "hostmaster@example.org"'


def _proving(prover: Prover) -> Iterator[str]:
    if prover.provider == HTTP:
        yield "# How names are proven: by a file that the CA fetches from port 80 of each name. No wildcards this way."
        yield _line("CHALLENGETYPE", "http-01")
    else:
        yield "# How names are proven: by records in DNS, which are taken away again."
        yield _line("CHALLENGETYPE", "dns-01")
        yield _line("DNS_PROVIDER", prover.provider)
    for name, text in prover.settings:
        yield _line(name, text)


def _offers(page: FirstPage) -> Iterator[str]:
    """What many want, and nobody gets without a word."""
    yield "# Tell somebody when a run fails, and when all is well again."
    yield '#alert_mail = "root"'
    yield "# Who may read keys beside root: services such as Prosody, by a group that they are in."
    yield '#cert_group = "ssl-cert"'
    if page.prover.provider != HTTP:
        yield "# TLSA records (DANE) that follow the keys, for zones that are signed: see certkeeper-dane(7)."
        yield '#tlsa = ["yes"]'


def _deploy(services: Sequence[str]) -> str:
    return f"deploy = [{', '.join(quoted(name) for name in services)}]"


def _certificate(page: FirstPage, item: Wanted) -> Iterator[str]:
    folder = f"{page.basedir}/certs/{item.alias}"
    if item.places:
        yield f"# Named at {', '.join(item.places)}."
    for service in item.services or page.deploy:
        yield from _told(service, folder, item.alias)
    yield f"[certificate.{quoted(item.alias)}]"
    yield f"names = [{', '.join(quoted(str(name)) for name in item.names)}]"
    if item.services and not page.deploy:
        yield _deploy(item.services)


def _told(service: str, folder: str, alias: str) -> Iterator[str]:
    """What the service's own configuration has to say."""
    if service not in BUILT_IN:
        return
    kind = Kind(service)
    if kind in _IN_PLACE:
        yield f"# {service} has to name it:"
        for line in _IN_PLACE[kind]:
            yield f"#     {line.format(folder=folder, alias=alias)}"
    else:
        paths = ", ".join(file.path.format(alias=alias, name=alias) for file in built_in(service).files)
        yield f"# {service} gets copies: {paths}"
