"""What a page of before has: an account of the CA before, and a hook that is a function."""

from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page
from certkeeper.base.accounts import account_folder

pytestmark = pytest.mark.real
OLD = "https://acme-v01.example.net/directory"


@pytest.mark.row("C07", "B20")
def test_b20_c07_an_account_from_before_and_a_function_as_hook(tmp_path: Path, shared_world: World, zone: str) -> None:
    page = Page(tmp_path, shared_world, zone)
    assert page.run().code == 0
    accounts = tmp_path / "accounts"
    own, old = account_folder(shared_world.pebble.directory_url), account_folder(OLD)
    (accounts / own).rename(accounts / old)
    page.configure(OLDCA=OLD, HOOK="tell", DNS_PROVIDER="powerdns")
    with page.config.open("a", encoding="utf-8") as config:
        config.write('tell() { echo "$1 ${2:-} ${alias:-} $PDNS_WAIT" >>"$BASEDIR/calls"; }\n')
    assert "--source-config" in page.run("--force", terms=False).hints[0]
    done = page.run("--force", "--source-config", terms=False)
    assert done.code == 0, done.text
    assert f"! Reusing account from {OLD}" in done.err
    assert str((accounts / own).readlink()) == old
    assert f"deploy_cert {zone} {zone} 20" in (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
