"""PKCS#12: what others read in it, and what counts as the same."""

import os
import subprocess
from pathlib import Path

import pytest

from builders.certificates import new_key, version_files
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.installed import Installed
from certkeeper.adapters.pkcs12 import bundle, holds, password_of
from certkeeper.apply.deployports import Placement
from certkeeper.base.access import NO_ACCESS
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyAlgorithm
from certkeeper.base.names import Alias
from certkeeper.service.target import Form


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.RSA, KeyAlgorithm.P384, KeyAlgorithm.ED25519])
@pytest.mark.parametrize("password", [b"", b"sesame"])
def test_openssl_reads_it(tmp_path: Path, algorithm: KeyAlgorithm, password: bytes) -> None:
    made = version_files(new_key(algorithm))
    file = tmp_path / "x.p12"
    file.write_bytes(bundle(made.privkey, made.fullchain, "mail", password))
    secret = tmp_path / "password"
    secret.write_bytes(password + b"\n")
    call = ["openssl", "pkcs12", "-in", str(file), "-nodes", "-passin", f"file:{secret}"]
    found = subprocess.run(call, check=True, capture_output=True, text=True, timeout=30).stdout
    assert found.count("BEGIN CERTIFICATE") == 3
    assert found.count("PRIVATE KEY-----") == 2
    assert "friendlyName: mail" in found
    assert made.cert.decode().strip() in found


def test_it_is_another_one_each_time_and_the_same_all_the_same() -> None:
    made = version_files(new_key())
    first, second = (bundle(made.privkey, made.fullchain, "mail", b"sesame") for _ in range(2))
    assert first != second
    assert holds(first, made.privkey, made.fullchain, b"sesame")
    assert holds(second, made.privkey, made.fullchain, b"sesame")


def test_another_key_chain_or_password_is_not_the_same() -> None:
    made, other = version_files(new_key()), version_files(new_key())
    found = bundle(made.privkey, made.fullchain, "mail", b"sesame")
    assert not holds(found, other.privkey, made.fullchain, b"sesame")
    assert not holds(found, made.privkey, other.fullchain, b"sesame")
    assert not holds(found, made.privkey, made.cert, b"sesame")
    assert not holds(found, made.privkey, made.fullchain, b"open")
    assert not holds(found, made.privkey, made.fullchain, b"")
    assert not holds(b"nonsense", made.privkey, made.fullchain, b"")


def test_no_key_is_told_without_a_word_of_it() -> None:
    with pytest.raises(CertkeeperError, match="cannot be read") as caught:
        bundle(b"-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n", b"", "mail", b"")
    assert caught.value.__cause__ is None
    assert "U0VD" not in str(caught.value)


class TestPassword:
    def test_it_is_the_first_line(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_bytes(b"two words \r\nmore\n")
        assert password_of(str(file)) == b"two words "
        assert password_of("") == b""

    @pytest.mark.parametrize(("text", "reason"), [(b"\n", "empty"), (b"", "empty"), (b"x" * 1025, "too long")])
    def test_none_is_an_error_that_names_the_file(self, tmp_path: Path, text: bytes, reason: str) -> None:
        file = tmp_path / "password"
        file.write_bytes(text)
        with pytest.raises(FileTrouble, match=reason) as caught:
            password_of(str(file))
        assert str(caught.value).startswith(f"{file}: ")
        assert caught.value.hint

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(FileTrouble, match="nothing-here") as caught:
            password_of(str(tmp_path / "nothing-here"))
        assert "password_file" in caught.value.hint

    def test_it_is_missed_before_anything_is_touched(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        files = {f"{tmp_path}/a.p12": Form.PKCS12}
        where = Placement("java", Alias("a"), files, NO_ACCESS, password_file=f"{tmp_path}/nothing-here")
        with pytest.raises(FileTrouble, match="nothing-here"):
            Installed().check(where)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root refuses what one other user can change")
def test_a_password_that_another_user_can_change_locks_nothing(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert password_of(str(file)) == b"secret"
    os.chown(file, 65534, -1)
    with pytest.raises(FileTrouble, match="user nobody can change it") as refused:
        password_of(str(file))
    assert refused.value.hint == f"chown root {file}"
