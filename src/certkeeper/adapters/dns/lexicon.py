"""Providers that dns-lexicon knows. It runs in a process of its own.

Its requests have no timeout and can be given none, so a thread that waits for one could not be stopped, and might
write to a zone after the run has given up. A process can be killed. What a provider's module prints, or reads from
the environment of Python's HTTP, stays in there as well.
"""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from urllib.parse import quote, quote_plus

from certkeeper.adapters.dns.apexes import Aliases, Apexes
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, printable
from certkeeper.base.names import DnsName
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import LexiconSettings
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.rrset import Zone

_CHILD = "certkeeper.adapters.dns.lexicon_child"
_START = 60.0
_PER_REQUEST = 10.0
_LONGEST = 600.0
"""Seconds. Each record is a request or two of its own."""
_PLAIN_TXT = re.compile(r'"([^"\\]*)"')
_SHORTEST_SECRET = 4


class LexiconMissing(CertkeeperError):
    """The package is not installed, or an extra of its for that provider."""

    label = "dns-provider"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE
    local = True


class LexiconRefused(CertkeeperError):
    """The provider, or lexicon, said no, in their own words."""

    label = "dns-provider"
    fault = Fault.OPERATOR


class Lexicon:
    """Implements the port Dns for one account at one provider."""

    def __init__(self, settings: LexiconSettings, apexes: Apexes, aliases: Aliases, longest: float = _LONGEST) -> None:
        """`longest` bounds each change and each look, in seconds."""
        self._longest = longest
        self._provider = settings.provider
        self._options = {name: secret.reveal() for name, secret in settings.options}
        self._apexes = apexes
        self._aliases = aliases

    def describe(self) -> str:
        return f"{self._provider}, through lexicon"

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        """Zones by SOA, among them those that the account holds."""
        by_owner = self._apexes.zones(owners)
        domains = sorted({zone.name.text for zone in by_owner.values()})
        if not domains:
            return {}
        held = self._ask({"domains": domains}, requests=len(domains), subject="")
        return {owner: zone for owner, zone in by_owner.items() if zone.name.text in held}

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName]:
        return self._aliases([name for each in names.values() for name in each])

    def change(self, zone: Zone, changes: ChangeSet) -> None:
        """Record by record, after a look at what is there, so that what is done already is no error.

        The provider's own defaults decide about the TTL: many refuse short ones.
        """
        wanted = [
            {
                "owner": change.owner.text,
                "add": [self._plain(zone, rdata, change.type) for rdata in sorted(change.add)],
                "remove": [self._plain(zone, rdata, change.type) for rdata in sorted(change.remove)],
            }
            for change in changes.changes
        ]
        records = sum(1 + len(change.add) + len(change.remove) for change in changes.changes)
        self._ask({"domain": zone.name.text, "changes": wanted}, requests=records, subject=f"zone {zone.name}: ")

    def notify(self, zone: Zone) -> None:
        """Providers do that by themselves."""

    def _plain(self, zone: Zone, rdata: str, type_: str) -> str:
        found = _PLAIN_TXT.fullmatch(rdata)
        if type_ != "TXT" or found is None:
            raise LexiconRefused(
                f"{self.describe()}: zone {zone.name}: {type_} {printable(rdata, 80)} cannot be written: "
                "only TXT records of one plain string can"
            )
        return found[1]

    def _ask(self, question: Mapping[str, object], *, requests: int, subject: str) -> Collection[str]:
        """What the child answers, as a list of words."""
        if importlib.util.find_spec("lexicon") is None:
            raise LexiconMissing(
                f"{self.describe()}: the Python package dns-lexicon is not installed",
                hint=f"{sys.executable} -m pip install 'dns-lexicon>=3.20'",
            )
        seconds = min(self._longest, _START + _PER_REQUEST * requests)
        text = json.dumps({"seconds": seconds, "provider": self._provider, "options": self._options, **question})
        try:
            done = subprocess.run(
                # -P: a module in the working directory is no part of us.
                [sys.executable, "-P", "-m", _CHILD],
                input=text.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
                # An interruption from the terminal is for us: it withdraws, which needs the child.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            # Without its cause, which holds the child's input.
            raise TransportError(
                f"{self.describe()}: {subject}no end within {seconds:.0f} s, and was stopped",
                transient=False,
                hint="the provider's API may be down; the next run tries again",
            ) from None
        except OSError as error:
            raise CertkeeperError(f"{self.describe()}: cannot be started: {(error.strerror or '').lower()}") from error
        return self._answer(done.stdout, subject)

    def _answer(self, output: bytes, subject: str) -> Collection[str]:
        try:
            answer = json.loads(output)
        except ValueError:
            raise CertkeeperError(
                f"{self.describe()}: {subject}the process of lexicon ended without an answer"
            ) from None
        if "done" in answer:
            return [str(word) for word in answer["done"]]
        said = f"{self.describe()}: {subject}{printable(self._without_secrets(str(answer['said'])), 400)}"
        match answer["kind"]:
            case "unavailable":
                raise LexiconMissing(said, hint="LEXICON_PROVIDER is a word that lexicon --help lists")
            case "unreachable":
                raise TransportError(said, hint="is its API up, and does this host's resolver find its name?")
            case "refused":
                raise LexiconRefused(said, hint=f"check the variables LEXICON_{self._provider.upper()}_…")
            case _:
                raise LexiconRefused(said)

    def _without_secrets(self, text: str) -> str:
        """Some APIs take the token in the URL, and their errors name the URL."""
        for secret in sorted(self._options.values(), key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
                    text = text.replace(form, "********")
        return text
