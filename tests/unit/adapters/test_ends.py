from pathlib import Path

import pytest

from certkeeper.adapters.ends import NAME, EndsFile, parse
from certkeeper.base.names import DnsName

CA, ACCOUNT = "https://ca.test/directory", "https://ca.test/account/1"
OURS = {CA: ACCOUNT}
ONE, TWO = DnsName("_validation-persist.example.org"), DnsName("_validation-persist.example.net")


def test_ends_are_remembered_for_the_account_beside_those_of_other_names(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    EndsFile(state, OURS).keep({CA: {ONE: 5}})
    EndsFile(state, OURS).keep({CA: {TWO: 9}})
    assert EndsFile(state, OURS).read() == {CA: {ONE: 5, TWO: 9}}
    assert EndsFile(state, {CA: "https://ca.test/account/2"}).read() == {}
    assert (tmp_path / "state" / NAME).stat().st_mode & 0o777 == 0o600


def test_each_ca_has_ends_of_its_own_and_those_of_accounts_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    state, both = str(tmp_path / "state"), {**OURS, "https://b.test/": "https://b.test/account/1"}
    EndsFile(state, both).keep({CA: {ONE: 5}})
    EndsFile(state, both).keep({"https://b.test/": {ONE: 7}})
    assert EndsFile(state, both).read() == {CA: {ONE: 5}, "https://b.test/": {ONE: 7}}
    EndsFile(state, OURS).keep({CA: {ONE: 6}, "https://c.test/": {ONE: 1}})
    assert EndsFile(state, both).read() == {CA: {ONE: 6}}


def test_a_record_without_an_end_is_forgotten(tmp_path: Path) -> None:
    file = EndsFile(str(tmp_path / "state"), OURS)
    file.keep({CA: {ONE: 5, TWO: 9}})
    file.keep({CA: {ONE: None}})
    assert file.read() == {CA: {TWO: 9}}


@pytest.mark.parametrize("accounts", [OURS, {}])
def test_nothing_to_remember_writes_nothing(tmp_path: Path, accounts: dict[str, str]) -> None:
    EndsFile(str(tmp_path / "state"), accounts).keep({CA: {ONE: None if accounts else 5}})
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"version":2,"ends":{}}',
        b'{"version":1,"account":"https://ca.test/account/1","ends":{"a":5}}',
        b'{"version":1,"ends":{"https://ca.test/account/1":{"a":"b"}}}',
        b'{"version":1,"ends":{"https://ca.test/account/1":{"a b":1}}}',
        b'{"version":1,"ends":{"https://ca.test/account/1":[1]}}',
        b'{"version":1,"ends":[1]}',
    ],
)
def test_a_file_of_no_use_counts_as_none(content: bytes) -> None:
    assert parse(content) == {}
