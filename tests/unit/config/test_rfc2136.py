import pytest

from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.lexicon import lexicon_settings
from certkeeper.config.reading import FailureKind, ReadFailure, ReadSecret, SecretText
from certkeeper.config.rfc2136 import rfc2136_settings
from certkeeper.config.settings import LexiconSettings, Rfc2136Settings, Secret, ServerAddress
from certkeeper.config.shell import evaluate
from certkeeper.config.values import Values

KEY_FILE = 'key "certkeeper." {\n\talgorithm hmac-sha512;\n\tsecret "bWFkZSB1cA==";\n};\n'
BY_VALUE = 'RFC2136_SERVER="ns1.example.org"\nRFC2136_KEY_NAME="Certkeeper"\nRFC2136_KEY="bWFkZSB1cA=="\n'
BY_FILE = 'RFC2136_SERVER="[2001:db8::1]:5353"\nRFC2136_KEY_FILE="/etc/bind/certkeeper.key"\n'


def values(text: str) -> Values:
    return Values({found.name: found for found in evaluate(text, "config", {}).assignments}, "config")


def read(given: Values, file: SecretText | ReadFailure | None = None) -> Rfc2136Settings | None:
    """What the exchange returns; it asks for the key file at most once."""
    exchange = rfc2136_settings(given)
    try:
        step = next(exchange)
        assert step == ReadSecret("/etc/bind/certkeeper.key")
        exchange.send(file)
    except StopIteration as stop:
        found: Rfc2136Settings | None = stop.value
        return found
    raise AssertionError("asks for more")


def test_nothing_is_set() -> None:
    assert read(values("")) is None


def test_a_key_in_the_page() -> None:
    found = read(values(BY_VALUE))
    assert found == Rfc2136Settings(
        ServerAddress("ns1.example.org", 53), "certkeeper", "hmac-sha256", Secret("bWFkZSB1cA==")
    )
    assert "bWFkZSB1cA" not in repr(found)
    assert hash(found) == hash(read(values(BY_VALUE)))


def test_a_key_in_a_file_of_its_own() -> None:
    given = values(BY_FILE)
    found = read(given, SecretText(Secret(KEY_FILE), others_may_read=False))
    assert found == Rfc2136Settings(
        ServerAddress("2001:db8::1", 5353), "certkeeper", "hmac-sha512", Secret("bWFkZSB1cA==")
    )
    assert given.findings == []


def test_a_key_file_that_everybody_can_read_is_a_finding() -> None:
    given = values(BY_FILE)
    assert read(given, SecretText(Secret(KEY_FILE), others_may_read=True)) is not None
    (finding,) = given.findings
    assert finding.code == "key-file-mode"
    assert finding.where == Location("config", 2)
    assert "chmod" in finding.fix


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('RFC2136_KEY="bWFkZSB1cA=="', "config:1: RFC2136_SERVER is not set, RFC2136_KEY is"),
        ('RFC2136_SERVER="ns1"', "config:1: neither RFC2136_KEY_NAME nor RFC2136_KEY_FILE is set"),
        ('RFC2136_SERVER="ns1"\nRFC2136_KEY_NAME=x', "config:1: neither RFC2136_KEY nor RFC2136_KEY_FILE is set"),
        (BY_VALUE + 'RFC2136_SERVER="a b"', "config:4: RFC2136_SERVER: 'a b' is no name server"),
        (BY_VALUE + 'RFC2136_SERVER="ns1:0"', "config:4: RFC2136_SERVER: 'ns1:0' is no name server"),
        (BY_VALUE + 'RFC2136_KEY_NAME="a b"', "config:4: RFC2136_KEY_NAME: names no key"),
        (BY_VALUE + 'RFC2136_KEY_ALGORITHM="rot13"', "config:4: RFC2136_KEY_ALGORITHM: algorithm 'rot13' is not known"),
        (BY_VALUE + 'RFC2136_KEY="$ecret"', "config:4: RFC2136_KEY: the secret is "),
        (BY_VALUE + 'RFC2136_KEY="not base 64"', "config:4: RFC2136_KEY: the secret is not base64"),
        (BY_FILE + 'RFC2136_KEY="bWFkZSB1cA=="', "config:3: RFC2136_KEY: set beside RFC2136_KEY_FILE"),
    ],
)
def test_what_cannot_be_read_is_an_error_at_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(values(text.replace("$", "")))
    assert str(raised.value).startswith(said)
    assert raised.value.hint
    assert "not base 64" not in str(raised.value)


def test_a_key_file_that_holds_no_key_names_the_variable_and_the_file() -> None:
    with pytest.raises(ConfigError, match=r"config:2: RFC2136_KEY_FILE: /etc/bind/certkeeper\.key: holds no key"):
        read(values(BY_FILE), SecretText(Secret(""), others_may_read=False))


def test_a_key_file_that_cannot_be_read() -> None:
    failure = ReadFailure("/etc/bind/certkeeper.key", FailureKind.UNREADABLE, "permission denied")
    with pytest.raises(ConfigError, match=r"certkeeper\.key: cannot be read: permission denied"):
        read(values(BY_FILE), failure)


class TestLexicon:
    def test_nothing_is_set(self) -> None:
        assert lexicon_settings(values('LEXICON_GANDI_AUTH_TOKEN=""')) is None

    def test_options_have_lexicons_names(self) -> None:
        given = values('LEXICON_PROVIDER="Gandi"\nLEXICON_GANDI_AUTH_TOKEN="token"\nLEXICON_GANDI_API_PROTOCOL=rest')
        found = lexicon_settings(given)
        assert found == LexiconSettings("gandi", (("api_protocol", Secret("rest")), ("auth_token", Secret("token"))))
        assert "token" not in repr(found).replace("auth_token", "")
        assert hash(found) == hash(lexicon_settings(given))
        assert given.findings == []

    def test_an_option_of_another_provider_is_a_finding(self) -> None:
        given = values("LEXICON_PROVIDER=ovh\nLEXICON_GANDI_AUTH_TOKEN=token")
        assert lexicon_settings(given) == LexiconSettings("ovh")
        (finding,) = given.findings
        assert finding.code == "lexicon-option"
        assert finding.where == Location("config", 2)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("LEXICON_GANDI_AUTH_TOKEN=token", "config:1: LEXICON_PROVIDER is not set, LEXICON_GANDI_AUTH_TOKEN is"),
            ("LEXICON_PROVIDER=../x", "config:1: LEXICON_PROVIDER: '../x' is no provider of lexicon's"),
        ],
    )
    def test_what_cannot_be_read_is_an_error(self, text: str, said: str) -> None:
        with pytest.raises(ConfigError) as raised:
            lexicon_settings(values(text))
        assert str(raised.value).startswith(said)
