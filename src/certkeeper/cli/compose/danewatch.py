"""TLSA records of a page on this machine: looked at when somebody first needs to know, and published."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from certkeeper.adapters.keys import parse_own
from certkeeper.adapters.probe import Prober
from certkeeper.adapters.tlsamaterial import StoredMaterials
from certkeeper.adapters.tlsastands import StandsFile
from certkeeper.apply.tlsa.gating import VersionsGate, gates_of
from certkeeper.apply.tlsa.publishing import Publishing, ZoneRecords
from certkeeper.apply.tlsa.view import Seat, View, Watch, World
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import Tell
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import replace
from certkeeper.cli.compose.machine import Machine
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import HookSettings, LexiconSettings, PowerDnsSettings, Provider, Rfc2136Settings
from certkeeper.dane.facts import Clocks
from certkeeper.plan.gates import Allowed, Gate
from certkeeper.plan.observed import Wanted
from certkeeper.plan.records import Records
from certkeeper.zone.rrset import ZoneKind

_PATIENCE = 5.0
"""Seconds that a service has for its handshake."""


class NoSuchZone(CertkeeperError):
    """Records are to be published, and nobody who writes DNS for us has the zone."""

    label = "dns-zone"
    fault = Fault.OPERATOR
    local = True


class DaneWatch:
    """Implements the port VersionGate, too. One look serves all that is decided before anything changes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._view: View | None = None
        self._forced: set[Alias] = set()
        dane = machine.dane()
        self.tlsa = dane.tlsa
        self.stands = StandsFile(machine.settings.statedir)
        self._materials = StoredMaterials(machine.store, machine.staples)
        prober = Prober(patience=_PATIENCE)
        self._world = World(dane.tlsa, dane.resolving, prober.look, self._materials)

    def view(self) -> View:
        """What the first look showed."""
        if self._view is None:
            self._view = self.look()
        return self._view

    def look(self) -> View:
        """Look now."""
        machine = self._machine
        records = Records()
        with suppress(CertkeeperError):
            # A journal that cannot be read is told of elsewhere, and waits begin anew.
            records = machine.journal.records()
        view = Watch(machine.configuration, records, machine.lineages(), self._world).look(self._clocks())
        seats = {name: replace(seat, manual=bool(self.by_hand(seat))) for name, seat in view.seats.items()}
        return replace(view, seats=seats)

    def _clocks(self) -> Clocks:
        """Ours, and those of CAs and providers that were asked anything so far."""
        now = self._machine.clock.now()
        return Clocks(now, tuple(self._machine.heard.others(now)))

    def gates(self) -> Mapping[Alias, Gate]:
        """Which key each certificate may have; the next one where a person lets it through."""
        found = self.gates_by(self.view())
        return {**found, **{alias: Gate(Allowed.NEXT) for alias in self._forced}}

    def gates_by(self, view: View) -> Mapping[Alias, Gate]:
        """The same by that look, whatever a person lets through."""
        return gates_of(self._machine.configuration, view)

    def let_through(self, aliases: Collection[Alias]) -> None:
        """A person wants these live, whatever caches hold."""
        self._forced |= set(aliases)

    def key_of(self, alias: Alias, stamp: int) -> KeyPair | None:
        """The key of a version; None where it cannot be read."""
        with suppress(CertkeeperError):
            files = self._machine.store.version(alias, stamp)
            if files is not None and files.privkey:
                return parse_own(files.privkey, f"the key of version {stamp} of {alias}")
        return None

    def check(self, alias: Alias, stamp: int) -> None:
        """As the port's."""
        page = self._machine.configuration
        gate = VersionsGate(page, self.view(), self._materials, frozenset(self._forced), self._clocks())
        gate.check(alias, stamp)

    def publish(self, seats: Collection[Seat], tell: Tell) -> tuple[Mapping[DnsName, CertkeeperError], list[Seat]]:
        """Write what these need, and wait until it is served; what went wrong by zone, and those that a person writes.

        Raises:
            CertkeeperError: STATEDIR cannot be written to, so nothing was started.
        """
        machine = self._machine
        by_provider: dict[str, list[Seat]] = {}
        by_hand: list[Seat] = []
        for seat in seats:
            provider = self._provider(seat)
            if provider is None or self.by_hand(seat):
                by_hand.append(seat)
            else:
                by_provider.setdefault(provider.id, []).append(seat)
        zones = machine.locate(
            {
                id_: Wanted(zones=tuple(dict.fromkeys(seat.memory.zone for seat in own)))
                for id_, own in by_provider.items()
            }
        )
        tasks: dict[DnsName, ZoneRecords] = {}
        errors: dict[DnsName, CertkeeperError] = {}
        for id_, own in by_provider.items():
            found = zones[id_]
            for seat in own:
                zone = found.by_name.get(seat.memory.zone)
                if zone is None:
                    errors[seat.memory.zone] = (
                        found.trouble
                        or found.errors.get(seat.memory.zone)
                        or NoSuchZone(
                            f"zone {seat.memory.zone}: {found.provider} does not have it: no TLSA record is published",
                            hint='name who writes it in ZONES_D, or set TLSA_PUBLISH="manual"',
                        )
                    )
                elif zone.kind in {ZoneKind.BY_HAND, ZoneKind.SCRIPTED}:
                    by_hand.append(seat)
                else:
                    before = tasks.get(zone.name)
                    tasks[zone.name] = ZoneRecords(zone, (*(before.seats if before is not None else ()), seat))
        if tasks:
            errors |= self._carry_out(tuple(tasks.values()), tell)
        return errors, by_hand

    def _carry_out(self, tasks: tuple[ZoneRecords, ...], tell: Tell) -> Mapping[DnsName, CertkeeperError]:
        machine = self._machine
        machine.journal.prepare()
        return machine.carry(
            lambda executor: Publishing(tasks, machine.settings, executor=executor, clock=machine.clock, tell=tell)
        )

    def by_hand(self, seat: Seat) -> str:
        """Why a person writes the place; empty where certkeeper does."""
        provider = self._provider(seat)
        match provider.settings if provider is not None else None:
            case None:
                return f"nobody is named who writes {seat.name}"
            case PowerDnsSettings() | Rfc2136Settings():
                return 'TLSA_PUBLISH="manual"' if seat.manual else ""
            case LexiconSettings():
                # Clients would meet a set with the next key's record, and without that of the live one.
                return "lexicon writes one record after the other, and sets have to change as one"
            case HookSettings():
                return "scripts are told of challenges, and of no other records"
            case _:
                return "a person writes the zone"

    def _provider(self, seat: Seat) -> Provider | None:
        """Who writes the place, by the page."""
        settings = self._machine.settings
        usual = seat.by or next((item.id for item in settings.providers), "")
        found = provider_for(settings, seat.name, usual)
        return settings.provider(found) if isinstance(found, str) else None


def changing(view: View) -> Iterator[Seat]:
    """The places where something is to be written."""
    for seat in view.seats.values():
        if seat.changes:
            yield seat
