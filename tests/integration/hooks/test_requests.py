"""Certificate requests that a script prints."""

from pathlib import Path

import pytest

from builders.page import certkeeper
from certkeeper.base.names import Identifier
from certkeeper.lineage.leaf import parse_leaf
from integration.hooks.logged import BEGUN, OPENED, MakePage, key_of, requesting, told

pytestmark = pytest.mark.real


@pytest.mark.row("H08")
def test_a_request_of_the_scripts_is_signed_and_no_key_is_made(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = requesting(tmp_path, f"www.{zone}", zone, f"more.{zone}")
    page = told(make_page, script, zone, KEY_ALGO="rsa")
    done = page.run()
    assert done.code == 0, done.text
    assert f"gave the certificate request, for {zone} www.{zone} more.{zone}" in done.out
    folder = page.certs / zone
    assert parse_leaf((folder / "cert.pem").read_bytes()).identifiers == {
        Identifier.parse(name) for name in (zone, f"www.{zone}", f"more.{zone}")
    }
    assert key_of("x509", folder / "cert.pem") == key_of("req", tmp_path / "theirs.csr")
    assert key_of("req", folder / "cert.csr") == key_of("req", tmp_path / "theirs.csr")
    assert [path.name for path in folder.rglob("*privkey*")] == []
    script.forget()
    orders = page.world.pebble.counts()[("POST", "/order-plz")]
    again = page.run()
    assert again.code == 0, again.text
    assert script.names() == [*BEGUN, *OPENED, "unchanged_cert", "exit_hook"]
    assert page.world.pebble.counts()[("POST", "/order-plz")] == orders
    assert certkeeper("heal", "--config", page.config, cwd=page.folder).code == 0
    assert (folder / ".live").readlink() == Path(f".versions/{max(page.stamps(zone))}")


@pytest.mark.row("H08")
@pytest.mark.long
def test_keys_that_are_there_stay_when_a_request_is_signed(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    script = requesting(tmp_path, zone)
    (theirs := tmp_path / "theirs.csr").rename(aside := tmp_path / "aside.csr")
    page = told(make_page, script, zone)
    assert page.run().code == 0
    folder = page.certs / zone
    ours = (folder / "privkey.pem").read_bytes()
    aside.rename(theirs)
    assert page.run("--force").code == 0
    assert key_of("x509", folder / "cert.pem") == key_of("req", theirs)
    # Where dehydrated would have left it.
    assert (folder / "privkey.pem").read_bytes() == ours
    assert (folder / "privkey.pem").readlink().name.startswith("privkey-")
    assert "nothing due" in page.run().out
    # An operator's file in its place is nobody's to touch, and a script that prints nothing any more gets a new key.
    (folder / "privkey.pem").unlink()
    (folder / "privkey.pem").write_bytes(b"somebody's\n")
    assert page.run("--force").code == 0
    assert (folder / "privkey.pem").read_bytes() == b"somebody's\n"
    (folder / "privkey.pem").unlink()
    theirs.unlink()
    assert page.run().code == 0
    assert key_of("x509", folder / "cert.pem") == key_of("req", folder / "cert.csr")
    assert not (folder / "privkey.pem").exists()
    assert page.run("--force").code == 0
    assert key_of("x509", folder / "cert.pem") == key_of("pkey", folder / "privkey.pem")
