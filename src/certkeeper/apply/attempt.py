"""One lineage's part of a run, and what is left of it when it fails."""

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.order import OrderTimeout
from certkeeper.acme.problem import Problem
from certkeeper.acme.session import NoncesRefused, Session
from certkeeper.apply.challenges import Waves
from certkeeper.apply.limits import Limits
from certkeeper.apply.manner import USUAL, Manner
from certkeeper.apply.served import Served
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Noted, Tell
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import dataclass, field, replace
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import Settings
from certkeeper.lineage.model import Draft
from certkeeper.lineage.request import ReceivedCsr
from certkeeper.plan.actions import LineagePlan, Order
from certkeeper.plan.records import OrderIntent
from certkeeper.zone.apex import ZoneError


@dataclass(frozen=True, slots=True)
class Issuance:
    """What all lineages of a run share that are from the same CA."""

    session: Session
    waves: Waves
    served: Served
    tell: Tell
    settings: Settings
    limits: Limits
    manner: Manner = USUAL
    user_agent: str = ""


@dataclass(slots=True)
class Attempt:
    """`intent` is the order that is open and written down, `draft` the version in the making. `given_back` are the
    names that the CA took as proven, and that are proven anew. `plain`: the CA refused must-staple.
    """

    item: LineagePlan
    shared: Issuance
    draft: Draft | None = None
    intent: OrderIntent | None = None
    given_back: set[Identifier] = field(default_factory=set)
    plain: bool = False

    @property
    def alias(self) -> Alias:
        return self.item.alias

    def note(self, message: str) -> None:
        self.shared.tell(Noted(str(self.alias), message))

    def new_intent(self, wanted: Order, url: str, stamp: int, present: KeyPair | ReceivedCsr | None) -> OrderIntent:
        """What to write down of an order that was just opened."""
        return OrderIntent(
            alias=self.item.spec.entry,
            url=url,
            ca=self.item.spec.ca,
            identifiers=wanted.identifiers,
            profile=wanted.profile,
            must_staple=wanted.must_staple,
            key=present.key_id if present is not None else str(self.item.spec.key),
            stamp=stamp,
        )

    def moved(self, intent: OrderIntent, stamp: int) -> OrderIntent:
        """The same order for another version, since the one in the making is gone."""
        return replace(intent, stamp=stamp)


GIVEN_UP = 3
"""Failures in a row after which an order is left to the CA: one that is stuck there would be waited for for ever."""


def may_go_on(error: CertkeeperError, failures: int) -> bool:
    """May the order still become a certificate, after that many failures? Then the next run goes on with it."""
    if failures >= GIVEN_UP and not error.local:
        return False
    if isinstance(error, Problem):
        return error.in_passing or not error.documented
    return error.local or isinstance(error, TransportError | OrderTimeout | NoncesRefused | ZoneError | MalformedBody)
