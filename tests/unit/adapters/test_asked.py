import json
from datetime import timedelta
from pathlib import Path

import pytest

from builders.certificates import NOW
from certkeeper.adapters.asked import NAME, AskedFile, parse, render
from certkeeper.base.names import Alias
from certkeeper.ocsp.freshness import Asked

ONE = Asked("a" * 64, NOW, NOW + timedelta(hours=1), 3, "http", "status 500", owes=True)
TWO = Asked("b" * 64, NOW, NOW)


def test_tries_are_remembered(tmp_path: Path) -> None:
    file = AskedFile(str(tmp_path / "state"))
    assert file.read() == {}
    file.write({Alias("b.test"): TWO, Alias("a.test"): ONE})
    assert file.read() == {Alias("a.test"): ONE, Alias("b.test"): TWO}
    assert (tmp_path / "state" / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"version":2,"certificates":{}}', b'{"version":1}'])
def test_what_is_of_no_use_counts_as_none(content: bytes) -> None:
    assert parse(content) == {}


@pytest.mark.parametrize(("name", "value"), [("retry_at", "soon"), ("at", 1 << 80), ("failures", None)])
def test_so_does_a_file_with_one_odd_entry(name: str, value: object) -> None:
    document = json.loads(render({Alias("a.test"): ONE}))
    document["certificates"]["a.test"][name] = value
    assert parse(json.dumps(document).encode()) == {}
