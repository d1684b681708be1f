"""Accounts from before: an old CA's, and the key that an old dehydrated kept in BASEDIR."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from builders.effects import killed_before
from certkeeper.adapters.accounts import AccountDeactivated, Accounts
from certkeeper.adapters.earlier import Earlier
from certkeeper.base.accounts import account_folder
from certkeeper.cli.compose import open_machine
from certkeeper.config.errors import ConfigError

NEW, OLD = "https://acme-v02.example.org/dir", "https://acme-v01.example.org/dir"


def key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )


class Bench:
    """BASEDIR with accounts in it."""

    def __init__(self, base: Path, old_ca: str = OLD) -> None:
        self.base = base
        self.earlier = Earlier(NEW, old_ca, str(base), f"{base}/accounts")
        self.new = base / "accounts" / account_folder(NEW)
        self.old = base / "accounts" / account_folder(OLD)

    def bring(self) -> list[str]:
        return list(Accounts(f"{self.base}/accounts", self.earlier).bring_earlier())

    def known(self) -> bytes | None:
        found = Accounts(f"{self.base}/accounts", self.earlier).read(NEW)
        return found.key.pem if found is not None else None

    def account(self, folder: Path, pem: bytes) -> None:
        folder.mkdir(parents=True)
        (folder / "account_key.pem").write_bytes(pem)

    def legacy(self, pem: bytes) -> Path:
        (self.base / "private_key.json").write_text("{}", encoding="utf-8")
        (self.base / "private_key.pem").write_bytes(pem)
        (self.base / "private_key.pem").chmod(0o600)
        return self.base / "private_key.pem"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.row("C07")
def test_c07_the_old_cas_account_is_reused_through_a_relative_link(bench: Bench) -> None:
    pem = key()
    bench.account(bench.old, pem)
    assert bench.known() == pem
    assert not os.path.lexists(bench.new)
    assert bench.bring() == [f"! Reusing account from {OLD}"]
    assert str(bench.new.readlink()) == account_folder(OLD)
    assert bench.known() == pem
    assert bench.bring() == []


def test_a_link_is_set_only_where_nothing_is_and_somebody_is_to_be_reused(tmp_path: Path) -> None:
    for number, old_ca in enumerate(("", NEW, OLD)):
        bench = Bench(tmp_path / str(number), old_ca)
        bench.base.mkdir()
        assert bench.bring() == []
        assert not (bench.base / "accounts").exists()
    own, other = key(), key()
    bench.account(bench.old, other)
    bench.account(bench.new, own)
    assert bench.bring() == []
    assert bench.known() == own


def test_an_account_that_was_deactivated_is_not_reused_silently(bench: Bench) -> None:
    bench.account(bench.old, key())
    (bench.old / "deactivated").touch()
    with pytest.raises(AccountDeactivated):
        bench.known()


def test_the_key_in_basedir_is_moved_into_the_accounts_folder(bench: Bench) -> None:
    pem = key()
    bench.legacy(pem)
    assert bench.known() == pem
    assert bench.bring() == [
        f"! Moving private_key.pem to {bench.new}/account_key.pem",
        f"! Moving private_key.json to {bench.new}/registration_info.json",
    ]
    assert sorted(item.name for item in bench.base.iterdir()) == ["accounts"]
    assert (bench.new / "account_key.pem").stat().st_mode & 0o777 == 0o600
    assert bench.known() == pem
    assert bench.bring() == []


def test_a_key_that_is_there_is_never_replaced(bench: Bench) -> None:
    own, legacy = key(), key()
    bench.account(bench.new, own)
    path = bench.legacy(legacy)
    assert bench.bring() == [f"! Moving private_key.json to {bench.new}/registration_info.json"]
    assert (bench.known(), path.read_bytes()) == (own, legacy)


def test_a_move_that_was_killed_is_finished(bench: Bench) -> None:
    pem = key()
    path = bench.legacy(pem)
    bench.account(bench.new, pem)
    bench.bring()
    assert not path.exists()
    assert bench.known() == pem


def test_a_key_behind_a_link_is_copied(bench: Bench) -> None:
    pem = key()
    behind = bench.legacy(pem).rename(bench.base / "behind.pem")
    (bench.base / "private_key.pem").symlink_to("behind.pem")
    bench.bring()
    assert bench.known() == pem
    assert (behind.read_bytes(), (bench.base / "private_key.pem").is_symlink()) == (pem, False)


def test_a_deactivated_account_takes_no_key(bench: Bench) -> None:
    path = bench.legacy(key())
    bench.new.mkdir(parents=True)
    (bench.new / "deactivated").touch()
    assert bench.bring() == []
    assert path.exists()


@pytest.mark.parametrize("linked", [False, True])
def test_a_kill_at_any_change_loses_no_key_and_the_next_run_finishes(tmp_path: Path, linked: bool) -> None:  # noqa: FBT001 - a table
    pem = key()
    for number in range(40):
        bench = Bench(tmp_path / str(number))
        bench.base.mkdir()
        if linked:
            bench.account(bench.old, pem)
        else:
            bench.legacy(pem)
        alive = not killed_before(number, bench.bring)
        assert bench.known() == pem
        bench.bring()
        assert bench.known() == pem
        expected = {"account_key.pem"} if linked else {"account_key.pem", "registration_info.json"}
        assert {item.name for item in bench.new.iterdir()} == expected
        assert {item.name for item in bench.base.iterdir()} == {"accounts"}
        if alive:
            return
    pytest.fail("this has more than 40 changes")


@pytest.mark.row("B13")
def test_b13_an_unknown_word_for_a_ca_makes_no_account_folder(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("CA=letsencript\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="CA: 'letsencript' is neither a preset nor a URL"):
        open_machine(str(tmp_path / "config"))
    assert [item.name for item in tmp_path.iterdir()] == ["config"]
