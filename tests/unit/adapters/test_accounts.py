import json
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from builders.certificates import new_key, signing_key
from builders.effects import in_child, killed_before
from builders.listing import names
from certkeeper.adapters.accounts import AccountDeactivated, Accounts
from certkeeper.adapters.files import FileTrouble
from certkeeper.base.accounts import StoredAccount, account_folder
from certkeeper.base.keys import KeyAlgorithm, KeyPair
from certkeeper.lineage.model import UnusableKey

CA = "https://acme-v02.api.letsencrypt.org/directory"
KID = "https://acme-v02.api.letsencrypt.org/acme/acct/1"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(str(tmp_path / "accounts"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "accounts" / account_folder(CA)


@pytest.mark.parametrize(
    ("ca", "name"),
    [
        (CA, "aHR0cHM6Ly9hY21lLXYwMi5hcGkubGV0c2VuY3J5cHQub3JnL2RpcmVjdG9yeQo"),
        (
            "https://acme-staging-v02.api.letsencrypt.org/directory",
            "aHR0cHM6Ly9hY21lLXN0YWdpbmctdjAyLmFwaS5sZXRzZW5jcnlwdC5vcmcvZGlyZWN0b3J5Cg",
        ),
        ("https://acme.zerossl.com/v2/DV90", "aHR0cHM6Ly9hY21lLnplcm9zc2wuY29tL3YyL0RWOTAK"),
    ],
)
def test_the_folders_name_is_dehydrateds(ca: str, name: str) -> None:
    assert account_folder(ca) == name


def test_no_folder_and_no_key_are_no_account(accounts: Accounts, folder: Path) -> None:
    assert accounts.read(CA) is None
    folder.mkdir(parents=True)
    assert accounts.read(CA) is None


def test_a_saved_key_has_no_kid_until_the_ca_told_it(accounts: Accounts) -> None:
    key = new_key()
    accounts.save_key(CA, key)
    stored = accounts.read(CA)
    assert stored is not None
    assert (stored.key.key_id, stored.kid) == (key.key_id, None)
    accounts.save(CA, KID, b'{"status":"valid"}')
    stored = accounts.read(CA)
    assert stored is not None
    assert stored.kid == KID


def test_what_is_written_is_what_dehydrated_reads(accounts: Accounts, folder: Path) -> None:
    accounts.save_key(CA, key := new_key())
    accounts.save(CA, KID, b'{"status":"valid"}')
    assert names(folder) == ["account_id.json", "account_key.pem", "registration_info.json"]
    assert (folder / "account_key.pem").read_bytes() == key.pem
    assert (folder / "account_id.json").read_text().strip() == json.dumps({"url": KID}, separators=(",", ":"))
    assert (folder / "registration_info.json").read_bytes() == b'{"status":"valid"}'


@pytest.mark.parametrize("umask", [0o000, 0o077], ids=oct)
def test_everything_is_private(accounts: Accounts, folder: Path, umask: int) -> None:
    def child() -> None:
        os.umask(umask)
        accounts.save_key(CA, new_key())
        accounts.save(CA, KID, b"{}")

    assert in_child(child) == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("algorithm", [KeyAlgorithm.RSA, KeyAlgorithm.P256])
def test_dehydrateds_keys_are_read_in_every_form(
    accounts: Accounts, folder: Path, algorithm: KeyAlgorithm, form: PrivateFormat
) -> None:
    key = new_key(algorithm)
    folder.mkdir(parents=True)
    (folder / "account_key.pem").write_bytes(signing_key(key).private_bytes(Encoding.PEM, form, NoEncryption()))
    stored = accounts.read(CA)
    assert stored is not None
    assert stored.key.key_id == key.key_id


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"url":1}', b'{"url":""}', b'{"url":null}', b"\xff\xfe", b"[" * 100_000, b'{"id":1}'],
)
def test_a_broken_account_id_counts_as_none(accounts: Accounts, folder: Path, content: bytes) -> None:
    accounts.save_key(CA, key := new_key())
    (folder / "account_id.json").write_bytes(content)
    stored = accounts.read(CA)
    assert stored == StoredAccount(stored.key) if stored else False
    assert stored is not None
    assert stored.key.key_id == key.key_id


def test_a_deactivated_account_names_the_marker(accounts: Accounts, folder: Path) -> None:
    accounts.save_key(CA, new_key())
    (folder / "deactivated").write_bytes(b"")
    with pytest.raises(AccountDeactivated, match="deactivated: this account has been deactivated") as caught:
        accounts.read(CA)
    assert str(caught.value).startswith(f"{folder}/deactivated: ")


def test_a_broken_key_is_named(accounts: Accounts, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "account_key.pem").write_bytes(b"")
    with pytest.raises(UnusableKey, match=r"account_key\.pem: empty"):
        accounts.read(CA)


def test_another_key_is_never_overwritten(accounts: Accounts, folder: Path) -> None:
    accounts.save_key(CA, key := new_key())
    accounts.save_key(CA, key)
    with pytest.raises(FileTrouble, match="there is another account key"):
        accounts.save_key(CA, new_key())
    assert (folder / "account_key.pem").read_bytes() == key.pem


def test_a_refused_key_of_ours_is_removed(accounts: Accounts, folder: Path) -> None:
    accounts.save_key(CA, new_key())
    accounts.remove_unregistered(CA)
    assert accounts.read(CA) is None
    assert names(folder) == []
    accounts.remove_unregistered(CA)


def test_nobody_elses_key_is_removed(accounts: Accounts, folder: Path, tmp_path: Path) -> None:
    accounts.save_key(CA, key := new_key())
    Accounts(str(tmp_path / "accounts")).remove_unregistered(CA)
    again = Accounts(str(tmp_path / "accounts"))
    again.save_key(CA, key)
    again.remove_unregistered(CA)
    assert (folder / "account_key.pem").exists()


def test_a_registered_key_is_not_removed(accounts: Accounts, folder: Path) -> None:
    accounts.save_key(CA, new_key())
    accounts.save(CA, KID, b"{}")
    accounts.remove_unregistered(CA)
    assert (folder / "account_key.pem").exists()


def test_an_older_folder_that_dehydrated_linked_to_is_used(accounts: Accounts, folder: Path) -> None:
    older = folder.parent / "older"
    older.mkdir(parents=True)
    folder.symlink_to("older")
    accounts.save_key(CA, new_key())
    assert names(older) == ["account_key.pem"]
    assert folder.is_symlink()


def test_a_kill_leaves_no_account_or_a_whole_one(tmp_path: Path) -> None:
    key = new_key()
    for number in range(50):
        place = tmp_path / str(number)

        def register(place: Path = place) -> None:
            accounts = Accounts(str(place))
            accounts.save_key(CA, key)
            accounts.save(CA, KID, b"{}")

        alive = not killed_before(number, register)
        stored = Accounts(str(place)).read(CA)
        assert stored is None or (stored.key.key_id == key.key_id and stored.kid in {None, KID})
        register()
        assert names(place / account_folder(CA)) == [
            "account_id.json",
            "account_key.pem",
            "registration_info.json",
        ]
        if alive:
            return
    pytest.fail("a registration has more than 50 changes")


def registered(accounts: Accounts) -> KeyPair:
    accounts.save_key(CA, key := new_key())
    accounts.save(CA, KID, b'{"status":"valid"}')
    return key


def test_a_pending_key_is_beside_the_present_one_until_it_takes_its_place(accounts: Accounts, folder: Path) -> None:
    key, new = registered(accounts), new_key()
    accounts.save_pending_key(CA, new)
    stored = accounts.read(CA)
    assert stored is not None
    assert stored.pending is not None
    assert (stored.key.key_id, stored.pending.key_id, stored.kid) == (key.key_id, new.key_id, KID)
    assert (folder / "account_key.pem").read_bytes() == key.pem
    assert stat.S_IMODE((folder / "account_key.pending.pem").stat().st_mode) == 0o600
    accounts.adopt_pending_key(CA)
    stored = accounts.read(CA)
    assert stored is not None
    assert (stored.key.key_id, stored.pending, stored.kid) == (new.key_id, None, KID)
    assert names(folder) == ["account_id.json", "account_key.pem", "registration_info.json"]


def test_a_pending_key_is_never_overwritten_and_can_be_dropped(accounts: Accounts, folder: Path) -> None:
    key, new = registered(accounts), new_key()
    accounts.save_pending_key(CA, new)
    with pytest.raises(FileTrouble, match="is there already"):
        accounts.save_pending_key(CA, new_key())
    assert (folder / "account_key.pending.pem").read_bytes() == new.pem
    accounts.drop_pending_key(CA)
    assert (folder / "account_key.pem").read_bytes() == key.pem
    assert names(folder) == ["account_id.json", "account_key.pem", "registration_info.json"]


def test_a_broken_pending_key_is_named(accounts: Accounts, folder: Path) -> None:
    registered(accounts)
    (folder / "account_key.pending.pem").write_bytes(b"")
    with pytest.raises(UnusableKey, match=r"account_key\.pending\.pem: empty"):
        accounts.read(CA)


def test_a_kill_during_a_change_of_keys_leaves_whole_keys(tmp_path: Path) -> None:
    for number in range(50):
        accounts = Accounts(str(tmp_path / str(number)))
        key, new = registered(accounts), new_key()

        def change(accounts: Accounts = accounts, new: KeyPair = new) -> None:
            accounts.save_pending_key(CA, new)
            accounts.adopt_pending_key(CA)

        alive = not killed_before(number, change)
        stored = accounts.read(CA)
        assert stored is not None
        pending = stored.pending.key_id if stored.pending is not None else None
        assert (stored.key.key_id, pending) in {(key.key_id, None), (key.key_id, new.key_id), (new.key_id, None)}
        assert stored.kid == KID
        if alive:
            return
    pytest.fail("a change of keys has more than 50 changes")


def test_a_registration_that_is_replaced_stays_as_dehydrated_keeps_it(accounts: Accounts, folder: Path) -> None:
    registered(accounts)
    accounts.keep_registration(CA, b'{"status":"valid"}', 1700000000)
    assert len(names(folder)) == 3
    accounts.keep_registration(CA, b'{"contact":[]}', 1700000000)
    accounts.keep_registration(CA, b'{"contact":["mailto:a@example.org"]}', 1700000000)
    assert (folder / "registration_info.json").read_bytes() == b'{"contact":["mailto:a@example.org"]}'
    assert (folder / "registration_info-1700000000.json").read_bytes() == b'{"status":"valid"}'
    assert (folder / "registration_info-1700000001.json").read_bytes() == b'{"contact":[]}'


def test_a_retired_account_says_so_and_loses_nothing(accounts: Accounts, folder: Path) -> None:
    key = registered(accounts)
    accounts.retire(CA, 1700000000)
    accounts.retire(CA, 1700000001)
    assert (folder / "account_key-1700000000.pem").read_bytes() == key.pem
    assert names(folder) == [
        "account_id-1700000000.json",
        "account_key-1700000000.pem",
        "deactivated",
        "registration_info-1700000000.json",
    ]
    with pytest.raises(AccountDeactivated) as caught:
        accounts.read(CA)
    assert f"rm {folder}/deactivated" in caught.value.hint
    (folder / "deactivated").unlink()
    assert accounts.read(CA) is None
    registered(accounts)
    accounts.retire(CA, 1700000000)
    assert (folder / "account_key-1700000001.pem").exists()


def test_a_kill_while_an_account_is_retired_loses_no_key(tmp_path: Path) -> None:
    for number in range(50):
        accounts = Accounts(str(tmp_path / str(number)))
        key = registered(accounts)
        folder = Path(accounts.folder(CA))

        def retire(accounts: Accounts = accounts) -> None:
            accounts.retire(CA, 1700000000)

        alive = not killed_before(number, retire)
        assert any(path.read_bytes() == key.pem for path in folder.glob("account_key*.pem"))
        retire()
        assert "account_key.pem" not in names(folder)
        if alive:
            return
    pytest.fail("retiring has more than 50 changes")
