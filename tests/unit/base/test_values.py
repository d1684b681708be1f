import pytest

from certkeeper.base.accounts import StoredAccount, account_folder
from certkeeper.base.keys import KeyAlgorithm, KeyPair, KeySpec
from certkeeper.base.times import from_epoch
from certkeeper.base.wire import Response, Sleep, Together, TransportError, pause, together


def test_headers_are_found_in_any_case_and_more_than_once() -> None:
    link = ("Link", '<https://ca.example/2>;rel="alternate"')
    response = Response(200, from_epoch(0), (("replay-nonce", "a"), link, ("link", "<b>"), ("Replay-Nonce", "c")))
    assert response.header("Replay-Nonce") == "a"
    assert response.header("location") is None
    assert response.header_all("LINK") == (link[1], "<b>")
    assert response.header_all("location") == ()


def test_a_body_is_not_in_a_repr() -> None:
    assert "secret" not in repr(Response(200, from_epoch(0), body=b"secret"))


def test_a_key_is_not_in_a_repr() -> None:
    pair = KeyPair("ab12", "EC P-384", b"secret-pem", "secret-object")
    assert repr(pair) == "KeyPair(key_id='ab12', description='EC P-384')"
    assert "secret" not in repr(StoredAccount(pair))


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (KeySpec(), "secp384r1"),
        (KeySpec(KeyAlgorithm.RSA), "rsa-4096"),
        (KeySpec(KeyAlgorithm.RSA, 3072), "rsa-3072"),
        (KeySpec(KeyAlgorithm.P256, 2048), "prime256v1"),
    ],
)
def test_a_key_wish_is_told_in_the_words_of_the_configuration(spec: KeySpec, text: str) -> None:
    assert str(spec) == text


def test_the_account_folder_is_dehydrateds() -> None:
    # printf '%s\n' URL | base64 | tr '+/' '-_' | tr -d '='
    assert (
        account_folder("https://acme-v02.api.letsencrypt.org/directory")
        == "aHR0cHM6Ly9hY21lLXYwMi5hcGkubGV0c2VuY3J5cHQub3JnL2RpcmVjdG9yeQo"
    )


def test_a_transport_error_says_whether_asking_again_can_help() -> None:
    assert TransportError("ca.example: reset").transient
    assert not TransportError("ca.example: untrusted", transient=False).transient


def test_waiting_and_doing_things_together_are_steps() -> None:
    assert next(pause(1.5)) == Sleep(1.5)
    both = [pause(1), pause(2)]
    assert next(together(both)) == Together(both)
