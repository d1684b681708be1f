"""Whatever stands in TLSA and TLSA_TYPES is read, or is one error at its line."""

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.shell import Assignment
from certkeeper.config.tlsa import TlsaWish, read_tlsa
from certkeeper.config.values import Values

FILE = "/etc/dehydrated/config"
_PIECES = ["yes", "no", "_25._tcp.", "mail.example.org", ":25", "/udp", ":", "_", "*", "99999", "\u00fc.example:1", " "]
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(_PIECES), max_size=6).map("".join))
TYPES = st.one_of(st.text(max_size=20), st.text("0123+ ", max_size=9))


def read_or_error(values: Values) -> TlsaWish | ConfigError | None:
    try:
        return read_tlsa(values)
    except ConfigError as error:
        return error


@given(TEXTS, TYPES, st.text("0123456789-h", max_size=14), st.sampled_from(["", "zone", "manual", "yes", "no"]))
def test_any_words_are_a_wish_or_one_error(tlsa: str, types: str, ttl: str, publish: str) -> None:
    said = {"TLSA": tlsa, "TLSA_TYPES": types, "TLSA_TTL": ttl, "TLSA_PUBLISH": publish}
    assigned = {
        name: Assignment(name, text, Location(FILE, line)) for line, (name, text) in enumerate(said.items(), 1) if text
    }
    values = Values(assigned, FILE)
    found = read_or_error(values)
    if isinstance(found, ConfigError):
        assert found.where in {item.where for item in assigned.values()}
        assert found.reason.isprintable()
    elif found is None:
        assert tlsa.strip().lower() in {"", "no"}
    else:
        assert found.derived or found.owners
        assert found.types
        assert 0 < found.ttl <= 604800
        assert len(set(found.owners)) == len(found.owners)
