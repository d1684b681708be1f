from pathlib import Path

import pytest

from certkeeper.adapters.ends import NAME, EndsFile, parse
from certkeeper.base.names import DnsName

ACCOUNT = "https://ca.test/account/1"
ONE, TWO = DnsName("_validation-persist.example.org"), DnsName("_validation-persist.example.net")


def test_ends_are_remembered_for_the_account_beside_those_of_other_names(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    EndsFile(state, ACCOUNT).keep({ONE: 5})
    EndsFile(state, ACCOUNT).keep({TWO: 9})
    assert EndsFile(state, ACCOUNT).read() == {ONE: 5, TWO: 9}
    assert EndsFile(state, "https://ca.test/account/2").read() == {}
    assert (tmp_path / "state" / NAME).stat().st_mode & 0o777 == 0o600


def test_a_record_without_an_end_is_forgotten(tmp_path: Path) -> None:
    file = EndsFile(str(tmp_path / "state"), ACCOUNT)
    file.keep({ONE: 5, TWO: 9})
    file.keep({ONE: None})
    assert file.read() == {TWO: 9}


@pytest.mark.parametrize("account", [ACCOUNT, ""])
def test_nothing_to_remember_writes_nothing(tmp_path: Path, account: str) -> None:
    EndsFile(str(tmp_path / "state"), account).keep({ONE: None} if account else {ONE: 5})
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"version":2,"account":"https://ca.test/account/1","ends":{}}',
        b'{"version":1,"account":"https://ca.test/account/1","ends":{"a":"b"}}',
        b'{"version":1,"account":"https://ca.test/account/1","ends":{"a b":1}}',
        b'{"version":1,"account":"https://ca.test/account/1","ends":[1]}',
    ],
)
def test_a_file_of_no_use_counts_as_none(content: bytes) -> None:
    assert parse(content, ACCOUNT) == {}
