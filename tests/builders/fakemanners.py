"""How a CA in memory behaves: what it refuses, loses, delays and says."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the CA says in place of an answer; `until` becomes its Retry-After."""

    type: str
    detail: str
    status: int = 429
    until: datetime | None = None

    def error(self) -> "Refused":
        return Refused(self.type, self.detail, self.status, self.until)


class Refused(Exception):
    def __init__(
        self, type_: str, detail: str, status: int = 400, until: datetime | None = None, location: str = ""
    ) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.status = status
        self.until = until
        self.location = location


@dataclass(slots=True)
class Manners:
    """How the CA behaves; the defaults are those of a good day.

    `refuses`: names that it never finds proven. `stuck`: orders whose first name is here never leave `processing`.
    `validation` and `signing` take that many seconds. `reuses` authorizations that are valid. `bad_nonces` is the
    share of good nonces that it refuses. `down`: nobody answers. `binds` accounts to `customers`, whose HMAC keys these
    are by their key ids; `binds_first`: it does not even look for an account without a binding.
    `drops_registration`: new accounts are lost on the way. `busy_until`: accounts are rate limited until then.
    `changed_terms` are header fields that come with a userActionRequired, whose document has `new_terms`, too.
    `loses_answers_to` requests whose path begins so, the first `most_lost` of them: it does what they ask.
    `refuses_key_change` with that status.
    `suggests` is the window for renewing each certificate. `refuses_replacement` is the type of its refusal of an
    order that replaces, `refusal` what it says then. `refuses_at` are refusals by the first word of a path, and
    `refuses_orders_of` by a name of the order. `delivers` what it sends in place of a chain. `clock_ahead` is how
    far its clock is ahead of ours; without it, it does not tell the time. Its certificates name the responder
    `ocsp_url`. `refuses_staple`: it refuses requests for must-staple, as Let's Encrypt does.
    """

    refuses: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    validation: float = 0.0
    signing: float = 0.01
    reuses: bool = False
    bad_nonces: float = 0.0
    down: bool = False
    binds: bool = False
    binds_first: bool = False
    customers: dict[str, bytes] = field(default_factory=dict)
    drops_registration: bool = False
    busy_until: datetime | None = None
    suggests: tuple[datetime, datetime] | None = None
    refuses_replacement: str = ""
    refusal: str = "it was replaced before"
    refuses_at: dict[str, Refusal] = field(default_factory=dict)
    refuses_orders_of: dict[str, Refusal] = field(default_factory=dict)
    delivers: Callable[[bytes], bytes] = bytes
    clock_ahead: timedelta | None = None
    changed_terms: Sequence[tuple[str, str]] = ()
    new_terms: Mapping[str, str] = field(default_factory=dict)
    loses_answers_to: str = ""
    most_lost: int = 1000
    refuses_key_change: int = 0
    keeps_contact: bool = True
    ocsp_url: str = ""
    refuses_staple: bool = False
    reasons: Container[int] = frozenset({0, 1, 4, 5})
