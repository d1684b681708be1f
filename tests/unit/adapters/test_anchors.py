"""Trust anchors as Debian and unbound keep them, and files that hold none."""

from pathlib import Path

import pytest

from certkeeper.adapters.anchors import BadAnchors, read_anchors
from certkeeper.base.names import DnsName

DS = "20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d"
KEY = (
    "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kv"
    "ArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+e"
    "oZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwN"
    "R1AkUTV74bU="
)


@pytest.mark.parametrize(
    "line",
    [
        f". IN DS {DS}",
        f".\tDS {DS}",
        f". 172800 IN DNSKEY 257 3 8 {KEY} ; keytag 20326",
        f".\t86400\tIN\tDNSKEY\t257 3 8 {KEY} ;{{id = 20326 (ksk), size = 2048b}} ;;state=2 [  VALID  ]",
    ],
)
def test_the_root_key_in_every_form(tmp_path: Path, line: str) -> None:
    file = tmp_path / "root.key"
    file.write_text(f"; autotrust trust anchor file\n;;id: . 1\n\n{line}\n", encoding="ascii")

    assert read_anchors(str(file)) == {DnsName(""): frozenset({DS})}


def test_several_zones(tmp_path: Path) -> None:
    file = tmp_path / "anchors"
    file.write_text(f"example.org. DS 1 13 2 {'ab' * 32}\nexample.org. DS 2 13 2 {'cd' * 32}\n. DS {DS}\n", "ascii")

    found = read_anchors(str(file))
    assert found[DnsName("example.org")] == {f"1 13 2 {'ab' * 32}", f"2 13 2 {'cd' * 32}"}
    assert found[DnsName("")] == {DS}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no trust anchor"),
        ("; nothing\n", "holds no trust anchor"),
        (f". IN DNSKEY 385 3 8 {KEY}\n", "holds no trust anchor"),
        ("example.org. IN A 192.0.2.1\n", ":1: neither a DS nor a DNSKEY record"),
        ("\n. DS 1 13\n", ":2: "),
        (f"a..b DS {DS}\n", ":1: "),
    ],
)
def test_files_that_hold_none(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "anchors"
    file.write_text(text, encoding="ascii")

    with pytest.raises(BadAnchors) as error:
        read_anchors(str(file))
    assert said in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadAnchors, match="is not there"):
        read_anchors(str(tmp_path / "anchors"))
