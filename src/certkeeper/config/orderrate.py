"""ORDER_RATE: how many orders a CA is asked for in what time."""

from datetime import timedelta

from certkeeper.base.errors import printable
from certkeeper.base.patterns import pattern
from certkeeper.config.authority import ORDER_RATES
from certkeeper.config.rate import OrderRate
from certkeeper.config.settings import Settings
from certkeeper.config.values import Values

_RATE = pattern(r"([1-9][0-9]{0,5})\s*/\s*([1-9][0-9]{0,3})?\s*(s|min|h|d)")
_UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def order_rate(values: Values) -> OrderRate | None:
    """What the operator wants; None where that is left to us.

    Raises:
        ConfigError: neither a rate nor "no".
    """
    text = values.text("ORDER_RATE").strip()
    if not text:
        return None
    if text.lower() == "no":
        return OrderRate()
    found = _RATE.fullmatch(text)
    if found is None:
        raise values.error(
            "ORDER_RATE",
            f"{printable(text, 40)!r} is no number of orders in a time",
            'write ORDER_RATE="300/3h", or "no" for no bound; units are s, min, h and d',
        )
    return OrderRate(int(found[1]), int(found[2] or 1) * _UNITS[found[3]])


def order_rate_at(ca: str, settings: Settings) -> OrderRate:
    """The rate for the CA with that directory URL: the operator's, else the CA's own where it is known."""
    if settings.order_rate is not None:
        return settings.order_rate
    return OrderRate(*ORDER_RATES[ca]) if ca in ORDER_RATES else OrderRate()
