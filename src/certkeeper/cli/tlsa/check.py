"""`certkeeper tlsa check`."""

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from certkeeper.apply.daneports import TlsaLook
from certkeeper.apply.daneservices import DaneService, Unfound, of_domains, of_endpoint, with_addresses
from certkeeper.apply.daneverdict import ServiceVerdict, about_unfound, judge, owner_of, records_of
from certkeeper.apply.verdict import Grade, Margins, Remark, worst
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.compose import Machine, dane_without_page, look_at, open_machine, system_clock
from certkeeper.cli.documents import write_document
from certkeeper.cli.margins import margins
from certkeeper.cli.render import print_error
from certkeeper.cli.tlsa.checked import document, lines
from certkeeper.plan.showing import wishes
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.handshake import Contact, KeyFamily, Look


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found out of everything that was asked for."""

    verdicts: tuple[ServiceVerdict, ...]
    lost: tuple[tuple[Unfound, Remark], ...]

    @property
    def grade(self) -> Grade:
        """Where there are no records at all, nobody's connection is protected by any."""
        grades = [*(item.grade for item in self.verdicts), *(remark.grade for _, remark in self.lost)]
        if not any(item.records for item in self.verdicts):
            grades.append(Grade.WARNING)
        return worst(grades)


def check(options: argparse.Namespace) -> int:
    """Look at services as their clients do; exit codes as monitoring plugins have them."""
    try:
        return _check(options)
    except CertkeeperError as error:
        print_error(error)
        return Grade.UNKNOWN


def _check(options: argparse.Namespace) -> int:
    within, machine = margins(options), _page(options)
    now = system_clock().now()
    domains, services = _asked(options.domains, machine)
    dane = machine.dane() if machine is not None else dane_without_page(now)
    bundle = machine.settings.ca_bundle if machine is not None else None
    found, lost = of_domains(domains, dane.resolving) if domains else ([], [])
    services = with_addresses(list(dict.fromkeys([*services, *found])), dane.resolving)
    looks = dict(dane.tlsa.look([owner for service in services for owner in service.owners], now))
    services = _expecting(services, looks)
    contacts = {service: _contacts(service, looks) for service in services}
    wanted = tuple(dict.fromkeys(contact for some in contacts.values() for contact in some))
    seen = look_at(wanted, patience=options.timeout, ca_bundle=bundle)
    verdicts = [_judged(service, looks, contacts[service], seen, within, now) for service in services]
    checked = Checked(tuple(verdicts), tuple(_once(lost)))
    if options.json:
        write_document("tlsa-check", document(checked.grade, checked.verdicts, checked.lost))
    else:
        for line in lines(checked.grade, checked.verdicts, checked.lost):
            sys.stdout.write(f"{line}\n")
    return checked.grade


def _page(options: argparse.Namespace) -> Machine | None:
    """The page, whose settings say whom to ask; None on a machine that has none, where domains were named.

    Raises:
        CertkeeperError: it is named, or needed, and cannot be read.
    """
    try:
        return open_machine(options.config, evaluator=options.evaluator)
    except CertkeeperError as error:
        if options.config is not None or not options.domains:
            raise
        if "not found" not in str(error):
            sys.stderr.write(f"certkeeper: the settings of this machine do not count: {error}\n")
        return None


def _asked(texts: Sequence[str], machine: Machine | None) -> tuple[list[DnsName], list[DaneService]]:
    """Domains, and services that are named one by one: all endpoints of the page where nothing is named.

    Raises:
        CertkeeperError: a text that is neither.
    """
    domains, endpoints = [], []
    for text in texts:
        if any(sign in text for sign in ":@"):
            endpoints.append(parse_endpoint(text))
        else:
            domains.append(DnsName.parse(text))
    if not texts and machine is not None:
        configuration = machine.configuration
        for spec in configuration.certificates:
            for name in spec.targets:
                endpoints += [wish.endpoint for wish in wishes(spec, configuration.settings.targets[name])]
    services = [of_endpoint(endpoint) for endpoint in dict.fromkeys(endpoints)]
    return list(dict.fromkeys(domains)), [service for service in services if service is not None]


def _expecting(services: Sequence[DaneService], looks: dict[DnsName, TlsaLook]) -> list[DaneService]:
    """Where one of a domain's mail exchangers has records, the others need them, too: senders take any of them."""
    having = {(one.domain, one.kind) for one in services if records_of(looks[owner_of(one, looks)])}
    return [
        replace(one, expected=True) if one.kind == "MX" and (one.domain, one.kind) in having else one
        for one in services
    ]


def _contacts(service: DaneService, looks: dict[DnsName, TlsaLook]) -> tuple[Contact, ...]:
    """Each address, and each kind of key there; nobody is bothered where there are no records."""
    owner = owner_of(service, looks)
    if not records_of(looks[owner]):
        return ()
    families = (KeyFamily.ANY, KeyFamily.RSA, KeyFamily.ECDSA)
    endpoints = [service.endpoint_at(owner, address) for address in service.addresses]
    return tuple(Contact(endpoint, family) for endpoint in endpoints for family in families)


def _judged(
    service: DaneService,
    looks: dict[DnsName, TlsaLook],
    contacts: Collection[Contact],
    seen: Sequence[Look],
    within: Margins,
    now: datetime,
) -> ServiceVerdict:
    owner = owner_of(service, looks)
    own = [look for look in seen if look.target in contacts]
    return judge(service, owner, looks[owner], own, within, now)


def _once(lost: Sequence[Unfound]) -> Iterator[tuple[Unfound, Remark]]:
    """Where nobody answers, that is said once for each domain."""
    told = set()
    for item in lost:
        reason = (item.domain, item.said)
        if reason not in told:
            told.add(reason)
            yield item, about_unfound(item)
