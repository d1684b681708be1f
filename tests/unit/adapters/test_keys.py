import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from builders.certificates import fullchain, new_key, signing_key
from certkeeper.adapters import keys
from certkeeper.base.keys import KeyAlgorithm, KeyPair, KeySpec
from certkeeper.lineage.model import UnusableKey

Load = Callable[[str], KeyPair]
LOADS: list[Load] = [keys.load_own, keys.load_foreign]
PRIVATE = signing_key(new_key())
PKCS8 = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SEC1 = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
RSA = signing_key(new_key(KeyAlgorithm.RSA))
SHORT_RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
DSA = dsa.generate_private_key(1024)  # noqa: S505 - to be refused
PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def plain(
    key: rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | dsa.DSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def refused(load: Load, path: Path, content: bytes) -> UnusableKey:
    path.write_bytes(content)
    with pytest.raises(UnusableKey) as caught:
        load(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("spec", "description"),
    [
        (KeySpec(KeyAlgorithm.P256), "prime256v1"),
        (KeySpec(KeyAlgorithm.P384), "secp384r1"),
        (KeySpec(KeyAlgorithm.P521), "secp521r1"),
        (KeySpec(KeyAlgorithm.ED25519), "ed25519"),
        (KeySpec(KeyAlgorithm.RSA, 2048), "rsa-2048"),
    ],
)
@pytest.mark.parametrize("load", LOADS)
def test_a_new_key_is_in_openssls_form_and_loads_again(
    tmp_path: Path, spec: KeySpec, description: str, load: Load
) -> None:
    made = keys.make(spec)
    label = b"PRIVATE KEY" if description.startswith(("rsa", "ed25519")) else b"EC PRIVATE KEY"
    assert made.pem.startswith(b"-----BEGIN " + label + b"-----\n")
    (tmp_path / "key").write_bytes(made.pem)
    loaded = load(str(tmp_path / "key"))
    assert (loaded.key_id, loaded.description, loaded.pem) == (made.key_id, description, made.pem)
    assert made.description == description


def test_the_key_itself_is_never_shown() -> None:
    made = keys.make(KeySpec(KeyAlgorithm.P256))
    assert repr(made) == f"KeyPair(key_id='{made.key_id}', description='prime256v1')"


def test_a_size_that_no_ca_takes_is_not_made() -> None:
    with pytest.raises(UnusableKey, match="rsa-1024: CAs take no RSA key below 2048"):
        keys.make(KeySpec(KeyAlgorithm.RSA, 1024))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_key_id_is_openssls_digest_of_the_public_key(tmp_path: Path) -> None:
    made = keys.make(KeySpec())
    (tmp_path / "key").write_bytes(made.pem)
    spki = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key", "-pubout", "-outform", "DER"], capture_output=True, check=True
    ).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=spki, capture_output=True, check=True).stdout
    assert digest.decode().split()[0] == made.key_id


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize(
    "content",
    [
        PKCS8,
        SEC1,
        PARAMETERS + SEC1,
        RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        PKCS8.replace(b"\n", b"\r\n"),
        fullchain(new_key()) + PKCS8,
    ],
    ids=["PKCS#8", "SEC1", "SEC1 with parameters", "PKCS#1", "CRLF", "certificates before it"],
)
def test_every_form_of_a_key_is_taken(tmp_path: Path, load: Load, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    assert load(str(tmp_path / "key")).pem == content


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hello\n", "not a PEM key"),
        (PRIVATE.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "not a PEM key"),
        (fullchain(new_key()), "a certificate in the key's place"),
        (PKCS8 + PKCS8, "holds 2 private keys"),
        (
            PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "no private key, but PUBLIC KEY",
        ),
        (plain(SHORT_RSA), "an RSA key of 1024 bits, CAs want 2048 at least"),
        (plain(ed448.Ed448PrivateKey.generate()), "an algorithm that CAs refuse (Ed448)"),
        (plain(DSA), "an algorithm that CAs refuse (DSA)"),
        (plain(ec.generate_private_key(ec.SECP256K1())), "a key on the curve secp256k1, which CAs refuse"),
        (PKCS8[:60] + b"\n-----END PRIVATE KEY-----\n", "not a sound private key"),
        (PKCS8[:-30], "not a PEM key"),
    ],
)
def test_what_is_no_usable_key_is_called_by_its_name(tmp_path: Path, load: Load, content: bytes, said: str) -> None:
    error = refused(load, tmp_path / "key", content)
    assert said in str(error)
    assert error.hint


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_comes_with_the_way_out(tmp_path: Path, load: Load, form: PrivateFormat) -> None:
    path = tmp_path / "key"
    error = refused(load, path, PRIVATE.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret")))
    assert "encrypted" in str(error)
    assert f"openssl pkey -in {path} -out {path}.plain" in error.hint


@pytest.mark.parametrize("load", LOADS)
def test_a_file_that_cannot_be_read_is_an_unusable_key(tmp_path: Path, load: Load) -> None:
    with pytest.raises(UnusableKey, match="key: cannot read: no such file"):
        load(f"{tmp_path}/key")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnusableKey, match="folder: not a regular file"):
        load(f"{tmp_path}/folder")


def unsound() -> bytes:
    """An RSA key whose numbers do not fit together, which only arithmetic shows."""
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    spoilt = rsa.RSAPrivateNumbers(
        p=numbers.p,
        q=numbers.q,
        d=numbers.d,
        dmp1=numbers.dmp1 ^ 2,
        dmq1=numbers.dmq1,
        iqmp=numbers.iqmp,
        public_numbers=numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)
    return spoilt.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_foreign_key_is_proven_and_our_own_is_loaded_without(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(unsound())
    assert keys.load_own(str(path)).description == "rsa-2048"
    with pytest.raises(UnusableKey, match="not a sound private key"):
        keys.load_foreign(str(path))


def test_loading_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(PKCS8)
    path.chmod(0o640)
    before = path.stat()
    keys.load_foreign(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        ("cert-1700000000.pem", "privkey-1700000000.pem"),
        ("fullchain1.pem", "privkey1.pem"),
        ("cert.pem", "privkey.pem"),
        ("anything.crt", "privkey.pem"),
    ],
)
def test_a_key_is_found_beside_its_certificate(tmp_path: Path, certificate: str, key: str) -> None:
    pair = new_key()
    assert keys.key_beside(str(tmp_path / certificate), pair.key_id) is None
    (tmp_path / key).write_bytes(pair.pem)
    found = keys.key_beside(str(tmp_path / certificate), pair.key_id)
    assert found is not None
    assert found.key_id == pair.key_id
    assert keys.key_beside(str(tmp_path / certificate), "0" * 64) is None
