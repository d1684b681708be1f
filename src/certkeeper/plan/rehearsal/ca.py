"""What is known beforehand of CAs: how long their certificates live, when they suggest a renewal, what they limit."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from certkeeper.acme.renewal_info import Window
from certkeeper.base.value import dataclass
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.rate import OrderRate
from certkeeper.lineage.model import Leaf

_DAY = timedelta(days=1)
UNKNOWN_LIFE = 90 * _DAY
"""Of a certificate at a CA that none is there of."""

# https://letsencrypt.org/docs/profiles/, and what was announced for the default profile.
LIVES_SOURCE = "https://letsencrypt.org/docs/profiles/"
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_CLASSIC = (
    (datetime(2028, 2, 16, tzinfo=UTC), 45 * _DAY),
    (datetime(2027, 2, 10, tzinfo=UTC), 64 * _DAY),
    (_FIRST, 90 * _DAY),
)
_LIVES: Mapping[str, tuple[tuple[datetime, timedelta], ...]] = {
    "": _CLASSIC,
    "classic": _CLASSIC,
    "tlsserver": ((_FIRST, 45 * _DAY),),
    "shortlived": ((_FIRST, timedelta(hours=160)),),
}

# RFC 9773 leaves the window to the CA. This is Boulder's, the software of Let's Encrypt: a fiftieth of the life wide,
# around two thirds of it, or around half of it under ten days.
_SHORT_LIFE = 10 * _DAY
_HALF_WIDTH = 100

LIMITS_SOURCE = "https://letsencrypt.org/docs/rate-limits/"
SAME_NAMES_WITHIN = 120 * _DAY
"""An order for the names of a certificate that is not older counts as a renewal."""


class Limited(StrEnum):
    """What Let's Encrypt limits. A renewal in ARI's window is exempt from all of it, another renewal (an order for the
    same names) from all but the last.
    """

    ORDERS = "new orders per account"
    DOMAIN = "new certificates per registered domain"
    NAMES = "certificates for the same names"


_PRODUCTION = {
    Limited.ORDERS: OrderRate(300, timedelta(hours=3)),
    Limited.DOMAIN: OrderRate(50, 7 * _DAY),
    Limited.NAMES: OrderRate(5, 7 * _DAY),
}
_STAGING = {
    Limited.ORDERS: OrderRate(1500, timedelta(hours=3)),
    Limited.DOMAIN: OrderRate(30_000, timedelta(seconds=1)),
    Limited.NAMES: OrderRate(30_000, 7 * _DAY),
}
LIMITS: Mapping[str, Mapping[Limited, OrderRate]] = {LETSENCRYPT: _PRODUCTION, LETSENCRYPT_TEST: _STAGING}
"""By CA. Other CAs do not tell theirs."""

_SECOND_LEVEL = frozenset(
    {
        "ac",
        "co",
        "com",
        "edu",
        "go",
        "gob",
        "gov",
        "gv",
        "ltd",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "plc",
        "sch",
    }
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One CA as it is played. `lives` are its present certificates' by profile, as far as there are any."""

    ca: str
    suggests: bool
    lives: Mapping[str, timedelta]

    def life(self, profile: str, at: datetime) -> timedelta:
        """How long a certificate of that profile lives that is issued then."""
        if self.ca in LIMITS and profile in _LIVES:
            return next(life for since, life in _LIVES[profile] if since <= at)
        if profile in self.lives:
            return self.lives[profile]
        return max(self.lives.values(), default=UNKNOWN_LIFE)

    def window(self, leaf: Leaf) -> Window | None:
        """When it would suggest a renewal."""
        if not self.suggests:
            return None
        life = leaf.not_after - leaf.not_before
        middle = leaf.not_before + (life / 2 if life < _SHORT_LIFE else life * 2 / 3)
        half = max(life / _HALF_WIDTH, timedelta(seconds=1))
        return Window((middle - half).replace(microsecond=0), (middle + half).replace(microsecond=0))


def registered_domain(name: str) -> str:
    """The part of a name that somebody registered, nearly: no list of public suffixes is at hand. `example.co.uk` and
    its like are known, other suffixes of several labels count as one name.
    """
    labels = name.removeprefix("*.").split(".")
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if deep else -2 :])
