"""What is in a folder, whoever wrote it."""

import os
from pathlib import Path

import pytest

from builders.certificates import new_key, version_files
from certkeeper.adapters.store import Store
from certkeeper.lineage.model import KeyPlace, Lineage, UnusableKey
from contract.store.folders import ALIAS, NOW_STAMP, dehydrated_folder, issue, link, plain_folder, private_file


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ALIAS.text


def test_a_missing_folder_is_an_empty_lineage(store: Store) -> None:
    assert store.lineage(ALIAS) == Lineage(ALIAS)


def test_an_empty_folder_is_an_empty_lineage(store: Store, folder: Path) -> None:
    folder.mkdir()
    assert store.lineage(ALIAS) == Lineage(ALIAS)


def test_a_folder_of_dehydrateds_is_read_through_its_links(store: Store, folder: Path) -> None:
    key = new_key()
    dehydrated_folder(folder, version_files(key))
    lineage = store.lineage(ALIAS)
    assert lineage.leaf is not None
    assert lineage.leaf.key_id == lineage.key_id == key.key_id
    assert (lineage.key_place, lineage.stamp, lineage.torn) == (KeyPlace.LINK, None, False)
    assert (lineage.trouble, lineage.key_trouble) == ("", "")


def test_plain_files_are_read(store: Store, folder: Path) -> None:
    key = new_key()
    plain_folder(folder, version_files(key))
    lineage = store.lineage(ALIAS)
    assert lineage.leaf is not None
    assert (lineage.key_id, lineage.key_place, lineage.stamp) == (key.key_id, KeyPlace.PLAIN, None)


def test_a_folder_of_ours_tells_its_stamp(store: Store) -> None:
    key = new_key()
    stamp = issue(store, key)
    lineage = store.lineage(ALIAS)
    assert (lineage.stamp, lineage.key_id, lineage.torn) == (stamp, key.key_id, False)


def test_a_folder_that_dehydrated_wrote_to_last_is_dehydrateds(store: Store, folder: Path) -> None:
    issue(store, new_key())
    key = new_key()
    dehydrated_folder(folder, version_files(key), NOW_STAMP + 100)
    lineage = store.lineage(ALIAS)
    assert (lineage.stamp, lineage.key_id, lineage.torn) == (None, key.key_id, False)


def test_the_key_of_another_certificate_is_torn(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    link(folder / "privkey.pem", "other.pem")
    private_file(folder / "other.pem", new_key().pem)
    assert store.lineage(ALIAS).torn


def test_a_fullchain_of_another_certificate_is_torn(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    private_file(folder / "fullchain.pem", version_files(new_key()).fullchain)
    lineage = store.lineage(ALIAS)
    assert lineage.torn
    assert lineage.disagreement == "fullchain.pem does not start with the certificate in cert.pem"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cert.pem: holds no PEM certificate"),
        (b"\0\xff garbage", "cert.pem: holds no PEM certificate"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cert.pem: cannot be read as a certificate",
        ),
    ],
)
def test_garbage_in_the_certificates_place_is_trouble(store: Store, folder: Path, content: bytes, said: str) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    private_file(folder / "cert.pem", content)
    lineage = store.lineage(ALIAS)
    assert lineage.leaf is None
    assert said in lineage.trouble
    assert lineage.key_id is not None


def test_a_link_to_nothing_is_trouble(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    (folder / "cert-1600000000.pem").rename(folder / "cert-1600000000.pem-revoked")
    (folder / "privkey-1600000000.pem").unlink()
    lineage = store.lineage(ALIAS)
    assert lineage.trouble.endswith("cert.pem: a link to nothing (cert-1600000000.pem)")
    assert lineage.key_trouble.endswith("privkey.pem: a link to nothing (privkey-1600000000.pem)")
    assert lineage.key_place is KeyPlace.LINK


def test_what_cannot_be_a_file_is_trouble(store: Store, folder: Path) -> None:
    folder.mkdir()
    (folder / "privkey.pem").mkdir()
    os.mkfifo(folder / "cert.pem")
    lineage = store.lineage(ALIAS)
    assert lineage.trouble.endswith("cert.pem: not a regular file")
    assert lineage.key_trouble.endswith("privkey.pem: not a regular file")


def test_a_loop_of_links_is_trouble(store: Store, folder: Path) -> None:
    folder.mkdir()
    link(folder / "cert.pem", "cert.pem")
    link(folder / "privkey.pem", "privkey.pem")
    lineage = store.lineage(ALIAS)
    assert "symbolic links" in lineage.trouble
    assert "symbolic links" in lineage.key_trouble


def test_a_file_in_the_folders_place_is_trouble(store: Store, folder: Path) -> None:
    folder.write_bytes(b"")
    assert "not a directory" in store.lineage(ALIAS).trouble


def test_something_huge_is_not_read(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    os.truncate(folder / "cert-1600000000.pem", 1 << 30)
    assert store.lineage(ALIAS).trouble.endswith("cert.pem: larger than 1 MiB")


def test_an_encrypted_key_is_key_trouble_and_the_certificate_is_still_read(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    private_file(
        folder / "privkey.pem", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    lineage = store.lineage(ALIAS)
    assert lineage.leaf is not None
    assert lineage.key_id is None
    assert "encrypted" in lineage.key_trouble


def test_folders_with_config_are_named(store: Store, tmp_path: Path) -> None:
    for name in ("b.example", "a.example", "linked.example", "none.example", ".hidden", "odd.example"):
        (tmp_path / name).mkdir()
    for name in ("b.example", "a.example", ".hidden"):
        (tmp_path / name / "config").write_text("")
    link(tmp_path / "linked.example" / "config", "../a.example/config")
    (tmp_path / "odd.example" / "config").mkdir()
    (tmp_path / "file").write_text("")
    assert store.folders.with_config() == ("a.example", "b.example", "linked.example")


def test_no_certdir_has_no_folders(tmp_path: Path) -> None:
    assert Store(str(tmp_path / "certs")).folders.with_config() == ()


def test_the_live_key_is_the_one_behind_the_name(store: Store) -> None:
    key = new_key()
    issue(store, key)
    assert store.live_key(ALIAS) == key or store.live_key(ALIAS).pem == key.pem


def test_a_missing_live_key_says_so(store: Store, folder: Path) -> None:
    folder.mkdir()
    with pytest.raises(UnusableKey, match=r"privkey\.pem: cannot read: no such file"):
        store.live_key(ALIAS)


def test_a_persons_key_is_proven_and_our_own_is_not(store: Store, folder: Path) -> None:
    broken = broken_rsa_key()
    folder.mkdir()
    private_file(folder / "privkey.pem", broken)
    with pytest.raises(UnusableKey, match="not a sound private key"):
        store.live_key(ALIAS)
    link(folder / "privkey.pem", "privkey-1600000000.pem")
    private_file(folder / "privkey-1600000000.pem", broken)
    assert store.live_key(ALIAS).description == "rsa-2048"


def broken_rsa_key() -> bytes:
    """An RSA key whose private exponent was exchanged: it loads, and its signatures are wrong."""
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - one test needs it
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    )
    key = wrong.private_key(unsafe_skip_rsa_key_validation=True)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.mark.parametrize("name", ["chain.pem", "fullchain.pem"])
def test_a_set_that_lacks_a_file_is_torn_and_says_which(store: Store, folder: Path, name: str) -> None:
    dehydrated_folder(folder, version_files(new_key()))
    (folder / name).unlink()
    lineage = store.lineage(ALIAS)
    assert lineage.torn
    assert lineage.disagreement == f"{name} is missing"
