"""Whatever stands in a table of a service gives a target, or an error at a line with a hint."""

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.tables import TargetTable
from certkeeper.config.targets import KEYS, read_target
from certkeeper.service.target import Target

WORDS = st.one_of(st.text(max_size=8), st.sampled_from(["/x/{alias}", "/x/{name}", "nginx", "command", "0640", "-"]))
VALUES = st.recursive(
    st.one_of(WORDS, st.integers(), st.booleans(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=2)),
    max_leaves=5,
)
TABLES = st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)), VALUES, max_size=4)


@given(name=st.one_of(st.sampled_from(["nginx", "postfix", "prosody", "x"]), st.text(max_size=5)), said=TABLES)
def test_a_table_is_a_service_or_an_error(name: str, said: dict[str, object]) -> None:
    where = Location("/etc/certkeeper/deploy.toml", 3)
    found = outcome(TargetTable(name, where, said))
    if isinstance(found, ConfigError):
        assert (found.where, bool(found.hint)) == (where, True)
        assert found.reason.startswith("target ")
    else:
        assert all(file.path.startswith("/") and ".." not in file.path.split("/") for file in found.files)


def outcome(table: TargetTable) -> Target | ConfigError:
    try:
        return read_target(table)
    except ConfigError as error:
        return error
