"""A certificate that is played: what a run would find in its folder, and when it is worth to look at it again."""

from datetime import datetime, timedelta

from certkeeper.acme.renewal_info import Window
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec, Purpose
from certkeeper.lineage.model import KeyPlace, Leaf, Lineage, Origin
from certkeeper.plan.actions import LineagePlan, Order
from certkeeper.plan.advice import Advice, Suggestion, id_of
from certkeeper.plan.rehearsal.ca import Behaviour

_NO_QUESTION = timedelta(days=36500)
_KEY = "played"


class Played:
    """One certificate. `run` is the number of the run that looks at it next, None where none does."""

    __slots__ = ("advice", "ca", "lineage", "run", "spec")

    def __init__(self, spec: CertSpec, lineage: Lineage, advice: Advice | None, ca: Behaviour) -> None:
        self.spec = spec
        self.lineage = lineage
        self.ca = ca
        self.run: int | None = None
        self.advice = advice if advice is not None and advice.suggestion is not None else self._advice()

    @property
    def alias(self) -> Alias:
        return self.spec.alias

    @property
    def leaf(self) -> Leaf | None:
        return self.lineage.leaf

    def in_window(self, now: datetime) -> bool:
        """The CA named the certificate that is replaced, and the time is the one that it suggested."""
        suggestion = self.advice.suggestion if self.advice is not None else None
        return suggestion is not None and suggestion.window.start <= now < suggestion.window.end

    def issued(self, item: LineagePlan, order: Order, now: datetime) -> timedelta:
        """A new one is live. Returns how long it lives."""
        life = self.ca.life(order.profile, now)
        self.lineage = _renewed(self.lineage, item, order, now, life)
        self.advice = self._advice()
        return life

    def revoked(self, now: datetime) -> bool:
        """The CA wants it replaced at once; whether anybody learns of that."""
        if self.leaf is None or not self.ca.suggests:
            return False
        past = Window(now - timedelta(days=2), now - timedelta(days=1))
        cert_id = id_of(self.leaf)
        self.advice = Advice(
            self.spec.ca, cert_id, now + _NO_QUESTION, Suggestion(past, past.choose(str(self.alias)), hurried=True)
        )
        return True

    def _advice(self) -> Advice | None:
        """What the CA would say of the present one."""
        window = self.ca.window(self.leaf) if self.leaf is not None else None
        if window is None or self.leaf is None:
            return None
        suggestion = Suggestion(window, window.choose(str(self.alias)))
        return Advice(self.spec.ca, id_of(self.leaf), self.leaf.not_after + _NO_QUESTION, suggestion)


def _renewed(before: Lineage, item: LineagePlan, order: Order, now: datetime, life: timedelta) -> Lineage:
    spec, old = item.spec, before.leaf
    elsewhere = spec.request is not None
    key_id = spec.request.key_id if spec.request is not None else _KEY
    leaf = Leaf(
        key_id=key_id,
        identifiers=frozenset(order.identifiers),
        not_before=now,
        not_after=now + life,
        serial=f"{int(now.timestamp()):x}",
        issuer=old.issuer if old is not None else _KEY,
        ocsp_url=old.ocsp_url if old is not None else None,
        must_staple=order.must_staple,
        authority_key_id=(old.authority_key_id if old is not None else "") or "00",
        key_kind=str(spec.key),
    )
    test = spec.purpose is not Purpose.SERVE
    origin = Origin(spec.ca, order.profile, order.must_staple, test, item.dropped, elsewhere)
    place = before.key_place if before.key_place is KeyPlace.PLAIN else KeyPlace.LINK
    plain = Lineage(before.alias, leaf, key_place=place, key_id=None if elsewhere else key_id, origin=origin)
    return replace(plain, stamp=int(now.timestamp()))
