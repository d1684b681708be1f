"""`certkeeper dns persist`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, time, timedelta

from certkeeper.acme.persist import Ability, Standing, issuer_names, persist_owner
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted, UsageError, printable
from certkeeper.base.events import Event, ZoneChanged
from certkeeper.base.names import DnsName, IdentifierType
from certkeeper.cli.authority import at
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.confirm import confirmed
from certkeeper.cli.dns.caa import NoIdentity
from certkeeper.cli.dns.names import provider_of, typed_name
from certkeeper.cli.documents import write_document
from certkeeper.cli.plan import finding_document
from certkeeper.cli.planning import NoAccount
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.findings import Finding
from certkeeper.config.methods import ChallengeType
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import Configuration
from certkeeper.plan.observed import Place
from certkeeper.plan.provision import TTL, Party, Site, removing, whose, widened, writing
from certkeeper.plan.standing import WARNING, ending_finding, verdict_text, write_command
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, ZoneKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.apply.provision import ZoneOrder


class NoNames(UsageError):
    """Nothing says which names are meant, or for how long."""


def persist(options: argparse.Namespace) -> int:
    """Show which records are needed and there, write them, or take them away.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = at(open_machine(options.config, evaluator=options.evaluator), options.ca)
    ca = options.ca or ""
    with closing(machine):
        now = machine.clock.now()
        until = _until(options, now)
        party = _party(machine)
        domains = _domains(machine.configuration, options)
        providers = _providers(machine, domains)
        looked = machine.survey().places({owner: id_ for owner, id_ in providers.items() if id_})
        if looked.errors and (options.write or options.remove):
            raise next(iter(looked.errors.values()))
        places = looked.found
        sites = _sites(machine, party, domains, places, until)
        with suppress(CertkeeperError):
            # Only warnings come of it.
            machine.ends.keep({machine.settings.ca: _ends(party, sites, now)})
        if options.write or options.remove:
            return _change(machine, party, sites, places, options)
    if options.json:
        write_document("dns-persist", _document(party, sites, now, ca))
    else:
        _print(party, sites, now, ca)
    return ExitCode.DONE if all(_allowed(site, party, now) for site in sites) else ExitCode.FAILED


def _until(options: argparse.Namespace, now: datetime) -> int | None:
    """The end of the record that is to be written, in epoch seconds."""
    if (options.until or options.days or options.wildcard) and not options.write:
        raise NoNames("--wildcard, --until and --days are about a record that is written", hint="add --write")
    if options.days is not None:
        return int((now + timedelta(days=options.days)).timestamp())
    if options.until is None:
        return None
    end = datetime.combine(options.until, time(23, 59, 59), UTC)
    if end <= now:
        raise NoNames(f"--until {options.until}: that day is over", hint="name a day to come")
    return int(end.timestamp())


def _party(machine: Machine) -> Party:
    ca = machine.settings.ca
    stored = machine.accounts.read(ca)
    if stored is None or stored.kid is None:
        raise NoAccount(
            f"{ca}: no account there yet, and the record names it",
            hint="certkeeper account register --accept-terms makes one",
        )
    issuer = machine.issuer(ca)
    identities = issuer_names(issuer.identities) if issuer is not None else ()
    if not identities:
        raise NoIdentity(
            f"{ca}: the CA does not say by which name records know it",
            hint="see its documentation; its directory has no caaIdentities",
        )
    return Party(identities, stored.kid)


def _domains(configuration: Configuration, options: argparse.Namespace) -> dict[DnsName, bool]:
    """The names to look at, and whether a wildcard of each is to be proven, too: to the CA that is asked about."""
    page: dict[DnsName, bool] = {}
    standing: dict[DnsName, bool] = {}
    for spec in configuration.certificates:
        for item in spec.identifiers if spec.ca == configuration.settings.ca else ():
            if item.type is IdentifierType.DNS:
                page[item.domain] = page.get(item.domain, False) or item.wildcard
                if ChallengeType.DNS_PERSIST_01 in spec.methods.of(item):
                    standing[item.domain] = standing.get(item.domain, False) or item.wildcard
    if not options.names:
        found = standing or page
    else:
        typed = {typed_name(text): text.startswith("*.") for text in options.names}
        found = {domain: wide or page.get(domain, False) for domain, wide in typed.items()}
    if not found:
        raise NoNames("there is no certificate whose names could be shown", hint="name one: dns persist example.org")
    return {domain: wide or options.wildcard for domain, wide in found.items()}


def _providers(machine: Machine, domains: Mapping[DnsName, bool]) -> dict[DnsName, str]:
    """Who writes each record; empty where nobody of ours does."""
    own = {
        item.domain: spec.provider
        for spec in machine.configuration.certificates
        for item in spec.identifiers
        if item.type is IdentifierType.DNS and spec.provider
    }
    found: dict[DnsName, str] = {}
    for domain in domains:
        owner = persist_owner(domain)
        provider = provider_for(machine.settings, owner, own.get(domain, ""))
        if isinstance(provider, str) and not provider and machine.settings.providers:
            provider = provider_of(owner, machine.settings)
        found[owner] = provider if isinstance(provider, str) else ""
    return found


def _sites(
    machine: Machine,
    party: Party,
    domains: Mapping[DnsName, bool],
    places: Mapping[DnsName, Place],
    until: int | None,
) -> list[Site]:
    looks = machine.standing({persist_owner(domain): places.get(persist_owner(domain)) for domain in domains})
    return [
        Site(
            domain,
            Standing(party.issuers[0], party.account, wildcard=wildcard, until=until),
            looks[persist_owner(domain)],
        )
        for domain, wildcard in domains.items()
    ]


def _allowed(site: Site, party: Party, now: datetime) -> bool:
    return site.verdict(party, int(now.timestamp())).ability is Ability.ALLOWS


def _change(
    machine: Machine,
    party: Party,
    sites: Sequence[Site],
    places: Mapping[DnsName, Place],
    options: argparse.Namespace,
) -> int:
    """Write the records that are needed, or take ours away, once the person says so."""
    orders, told = _orders(sites, places, party, options)
    for line in told:
        sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()
    if not orders:
        sys.stdout.write("nothing to do\n")
        return ExitCode.DONE
    if not confirmed("change that?", yes=options.yes):
        return ExitCode.FAILED
    from certkeeper.apply.provision import Provision  # noqa: PLC0415 - only where something is changed

    troubles = machine.carry(
        lambda executor: Provision(orders, machine.settings, executor=executor, clock=machine.clock, tell=_tell)
    )
    for error in troubles:
        if isinstance(error, Interrupted):
            print_error(
                CertkeeperError(
                    "interrupted: what was written stays", hint="certkeeper dns persist shows what is there now"
                )
            )
            return error.exit_code
        print_error(error)
    return ExitCode.FAILED if troubles else ExitCode.DONE


def _orders(
    sites: Sequence[Site], places: Mapping[DnsName, Place], party: Party, options: argparse.Namespace
) -> "tuple[tuple[ZoneOrder, ...], list[str]]":
    """The changes that are needed, by zone, and each of them in words."""
    from certkeeper.apply.provision import ZoneOrder  # noqa: PLC0415 - only where something is changed

    changes: dict[Zone, list[RecordChange]] = {}
    wanted: dict[Zone, dict[DnsName, frozenset[str]]] = {}
    told: list[str] = []
    for site in sites:
        place = _writable(site, places.get(site.owner))
        if options.remove:
            change = removing(place.owner, site.values, party)
        else:
            standing = widened(site.needed, site.values, party)
            change = writing(place.owner, standing, site.values)
            if not change.remove and all(standing.value in values for values in site.look.served.values()):
                told.append(f"{site.domain}: {place.owner} TXT {standing.value} is there already")
                continue
            wanted.setdefault(place.zone, {})[place.owner] = frozenset({standing.value})
        told += [f"zone {place.zone.name}: remove {change.owner} TXT {rdata}" for rdata in sorted(change.remove)]
        told += [f"zone {place.zone.name}: add {change.owner} TXT {rdata}" for rdata in sorted(change.add)]
        if change.add or change.remove:
            changes.setdefault(place.zone, []).append(change)
    return tuple(ZoneOrder(zone, ChangeSet.of(items), wanted.get(zone, {})) for zone, items in changes.items()), told


def _writable(site: Site, place: Place | None) -> Place:
    """Where the record goes.

    Raises:
        ZoneError: it cannot be written from here.
    """
    by_hand = f'by hand: {site.owner.absolute} TXT "{site.needed.value}"'
    if site.look.trouble:
        raise ZoneError(f"{site.domain}: what stands at {site.owner} is not known: {site.look.trouble}", hint=by_hand)
    if place is None:
        raise ZoneError(f"no zone at the DNS provider holds {site.domain}", hint=by_hand)
    if place.zone.kind is ZoneKind.SCRIPTED:
        raise ZoneError(f"{site.domain}: a script writes its zone, and scripts know challenges only", hint=by_hand)
    if not place.zone.kind.writable:
        raise ZoneError(
            f"zone {place.zone.name}: a secondary there: changes would be lost",
            hint="point PDNS_HOST at the primary of that zone",
        )
    return place


def _tell(event: Event) -> None:
    text = f"zone {event.zone}: standing records {event.action}" if isinstance(event, ZoneChanged) else event.text
    for line in (text, *event.details):
        sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()


def _ends(party: Party, sites: Sequence[Site], now: datetime) -> dict[DnsName, int | None]:
    """When the records end, for later warnings; what could not be looked at stays as it was."""
    verdicts = {site.owner: site.verdict(party, _epoch(now)) for site in sites if not site.look.trouble}
    return {owner: found.standing.until if found.standing is not None else None for owner, found in verdicts.items()}


def _findings(party: Party, sites: Sequence[Site], now: datetime, ca: str) -> list[Finding]:
    """Records that end soon."""
    found = []
    for site in sites:
        standing = site.verdict(party, int(now.timestamp())).standing
        if standing is not None and standing.until is not None and not standing.outlasts(_epoch(now + WARNING)):
            found.append(ending_finding(site.domain, ca, standing.until, now, wildcard=site.needed.wildcard))
    return found


def _print(party: Party, sites: Sequence[Site], now: datetime, ca: str) -> None:
    for line in finding_lines(_findings(party, sites, now, ca)):
        sys.stdout.write(f"{line}\n")
    for site in sites:
        verdict = site.verdict(party, _epoch(now))
        said = site.look.trouble or verdict_text(site.identifier, verdict)
        sys.stdout.write(f"{site.identifier}: {said}\n")
        sys.stdout.write(f'    needed: {site.owner.absolute} {TTL} IN TXT "{site.needed.value}"\n')
        for value in sorted(site.values):
            lacking = [server for server, values in site.look.served.items() if value not in values]
            missing = f"; missing at {', '.join(lacking)}" if lacking else ""
            sys.stdout.write(f"    there now ({whose(value, party)}{missing}): {printable(value)}\n")
        if verdict.ability is not Ability.ALLOWS:
            sys.stdout.write(f"    to write it: {write_command(site.domain, ca, wildcard=site.needed.wildcard)}\n")


def _document(party: Party, sites: Sequence[Site], now: datetime, ca: str) -> Mapping[str, object]:
    return {
        "identities": list(party.issuers),
        "account": party.account,
        "names": [_site_document(site, party, now) for site in sites],
        "findings": [finding_document(finding) for finding in _findings(party, sites, now, ca)],
    }


def _site_document(site: Site, party: Party, now: datetime) -> Mapping[str, object]:
    verdict = site.verdict(party, _epoch(now))
    until = verdict.standing.until if verdict.standing is not None else None
    return {
        "name": site.domain.text,
        "wildcard": site.needed.wildcard,
        "owner": site.owner.text,
        "needed": site.needed.value,
        "ability": verdict.ability.value,
        "until": until,
        "servers": {server: sorted(values) for server, values in site.look.served.items()},
        "trouble": site.look.trouble,
    }


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
