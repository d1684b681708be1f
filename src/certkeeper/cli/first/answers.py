"""What the new page is to be: from what was typed, what was found, and what a person says."""

import argparse
import os
import sys
from pathlib import Path

from certkeeper.base.errors import CertkeeperError, UsageError
from certkeeper.base.names import Identifier
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.compose.discovering import Discovered, names_in_zones
from certkeeper.cli.first.asking import Asking, named_on
from certkeeper.config.authority import read_authority
from certkeeper.config.firstpage import HTTP, FirstPage, Prover, Wanted, grouped, without
from certkeeper.config.page import NATIVE, NATIVE_BASEDIR
from certkeeper.config.secret import Secret

_KEY_NAME = "pdns.key"
_WEB_SERVERS = {"nginx", "apache2", "haproxy"}
_WELLKNOWN = "/var/www/dehydrated"


class Unanswered(UsageError):
    """Something has to be said, and was not."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The page, and a key with the path of the new file that is to hold it."""

    page: FirstPage
    key: tuple[str, Secret] | None = None


def answer(options: argparse.Namespace, found: Discovered, out: str, asking: Asking) -> Answers:
    """The answers.

    Raises:
        CertkeeperError: what was typed cannot be, or something is missing that nobody can be asked for.
    """
    ca = asking.text("CA", options.ca, "letsencrypt", read_authority)
    contact = asking.text("address that the CA may write to, or nothing", options.contact, "")
    prover, key = _prover(options, found, asking, out)
    certificates, left_out = _certificates(options, found, prover, key)
    certificates = asking.certificates(certificates)
    deploy = tuple(options.deploy.split()) if options.deploy is not None else ()
    named = options.deploy is None and any(item.services for item in certificates)
    if not named or not asking.agreed("put certificates into these services, and look whether they show them?"):
        certificates = tuple(replace(item, services=()) for item in certificates)
    basedir = NATIVE_BASEDIR if out == NATIVE else str(Path(out).parent)
    page = FirstPage(basedir, ca, contact, prover, certificates, deploy, left_out)
    return Answers(page, None if key is None or key[0] is None else (key[0], key[1]))


def _prover(
    options: argparse.Namespace, found: Discovered, asking: Asking, out: str
) -> tuple[Prover, tuple[str | None, Secret] | None]:
    """How names are proven; PowerDNS's key where it is known, with the path of the file that it has to be put into."""
    usable = found.powerdns is not None and (not found.powerdns.trouble or options.dns_key_file)
    provider = asking.choice("DNS", options.dns, "powerdns" if usable else HTTP, ("powerdns", "rfc2136", HTTP))
    if provider == HTTP:
        if _WEB_SERVERS & {*found.services}:
            return Prover(HTTP, (("WELLKNOWN", _WELLKNOWN),)), None
        return Prover(HTTP, (("HTTP_LISTEN", ":80"),)), None
    if provider == "rfc2136":
        server = asking.needed("name server that takes updates", options.dns_server, "", "--dns-server HOST")
        file = asking.needed("file with the TSIG key, as tsig-keygen writes it", options.dns_key_file, "", _KEY_FLAG)
        return Prover(provider, (("RFC2136_SERVER", server), ("RFC2136_KEY_FILE", str(Path(file).absolute())))), None
    conf = found.powerdns
    default = conf.host if conf is not None else "127.0.0.1"
    server = asking.text("host or URL of PowerDNS's API", options.dns_server, default)
    settings = [("PDNS_HOST", server)]
    if conf is not None and server == conf.host and not server.startswith("unix:"):
        settings.append(("PDNS_PORT", str(conf.port)))
    beside = str(Path(out).with_name(_KEY_NAME))
    known = conf.key if conf is not None and server == conf.host else None
    if options.dns_key_file is None and known is not None and not os.path.lexists(beside):
        return Prover(provider, (*settings, ("PDNS_KEY_FILE", beside))), (beside, known)
    default_file = beside if os.path.lexists(beside) else ""
    file = asking.needed("file that holds the API's key", options.dns_key_file, default_file, _KEY_FLAG)
    prover = Prover(provider, (*settings, ("PDNS_KEY_FILE", str(Path(file).absolute()))))
    return prover, (None, known) if known is not None else None


_KEY_FLAG = "--dns-key-file FILE"


def _certificates(
    options: argparse.Namespace, found: Discovered, prover: Prover, key: tuple[str | None, Secret] | None
) -> tuple[tuple[Wanted, ...], tuple[tuple[Identifier, str], ...]]:
    """Those that were typed, else those that services here have names for, and which names of them cannot be proven."""
    certificates = grouped(found.sites, found.services, found.hostname)
    if options.domains:
        return named_on(options.domains, "--domains", certificates), ()
    names = tuple(dict.fromkeys(name for item in certificates for name in item.names))
    left: dict[Identifier, str] = {}
    if prover.provider == HTTP:
        left = {name: "a wildcard is proven through DNS alone" for name in names if name.wildcard}
    elif prover.provider == "powerdns" and found.powerdns is not None and key is not None and names:
        try:
            held = names_in_zones(found.powerdns, key[1], {name.domain for name in names})
        except CertkeeperError as error:
            sys.stdout.write(f"which zones PowerDNS has is not known: {error}\n")
        else:
            left = {name: "no zone of PowerDNS's holds it" for name in names if name.domain not in held}
    certificates = without(certificates, left.keys())
    if not certificates:
        raise Unanswered(
            "no name is known that a certificate could be for",
            hint='name them: --domains "example.org www.example.org"',
        )
    return certificates, tuple(left.items())
