"""dehydrated's words, one by one."""

import pytest

from certkeeper.cli.compat.usage import usage
from certkeeper.cli.compat.words import Answer, Command, Flag, Typed, read_words

USAGE = usage("dehydrated")


def read(*words: str) -> Typed | Answer:
    return read_words(words, "dehydrated")


def typed(*words: str) -> Typed:
    found = read(*words)
    assert isinstance(found, Typed), found
    return found


@pytest.mark.row("A01", "A02")
@pytest.mark.parametrize(
    "words", [(), ("",), ("-h",), ("--help",), ("-h", "-c", "--bogus"), ("-c", "-d", "a.org", "-h")]
)
def test_help(words: tuple[str, ...]) -> None:
    assert read(*words) == Answer(0, out=USAGE)


@pytest.mark.row("A07")
@pytest.mark.parametrize("words", [("--accept-terms",), ("-x", "-n"), ("-d", "a.org")])
def test_parameters_without_a_command(words: tuple[str, ...]) -> None:
    assert read(*words) == Answer(1, out=USAGE)


@pytest.mark.row("A04")
@pytest.mark.parametrize("words", [("-c", "-e"), ("-c", "-c"), ("--register", "--account"), ("-c", "-s")])
def test_two_commands(words: tuple[str, ...]) -> None:
    found = read(*words)
    assert isinstance(found, Answer)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("ERROR: Only one command can be executed at a time.")


@pytest.mark.row("A05")
@pytest.mark.parametrize("words", [("-c", "-d"), ("-c", "-d", ""), ("-s",), ("-c", "--order-timeout")])
def test_a_value_that_is_missing(words: tuple[str, ...]) -> None:
    found = read(*words)
    assert isinstance(found, Answer)
    assert (found.code, found.out) == (1, "")
    assert found.err.endswith(f"\n\n{USAGE}")


@pytest.mark.parametrize("words", [("-c", "-d", "-x"), ("-r", "--force"), ("-c", "-f", "-")])
def test_a_value_that_looks_like_a_word_of_ours(words: tuple[str, ...]) -> None:
    assert read(*words) == Answer(1, err=f"ERROR: Invalid argument: {words[-1]}\n")


@pytest.mark.parametrize("word", ["--ca=letsencrypt", "-cx", "--", "--Cron", "a.org", "--bogus\x1b[0m"])
def test_a_word_that_is_not_known(word: str) -> None:
    found = read("-c", word)
    assert isinstance(found, Answer)
    assert (found.code, found.out, "\x1b" in found.err) == (1, "", False)
    assert found.err.startswith("Unknown parameter detected: ")
    assert found.err.endswith(USAGE)


@pytest.mark.row("A08")
@pytest.mark.parametrize(("word", "what"), [("--ca", "CA"), ("--alias", "Alias")])
def test_what_can_be_said_once(word: str, what: str) -> None:
    assert read("-c", word, "a", word, "b") == Answer(1, err=f"ERROR: {what} can only be specified once!\n")


def test_everything_else_counts_as_it_was_said_last() -> None:
    found = typed("-c", "-4", "-6", "-o", "one", "--out", "two", "-k", "hook", "-g", "--ocsp", "-x", "-n", "-p", "key")
    assert found.settings == {
        "IP_VERSION": "6",
        "CERTDIR": "two",
        "HOOK": "hook",
        "KEEP_GOING": "yes",
        "OCSP_MUST_STAPLE": "yes",
    }
    assert (found.command, found.flags, found.privkey) == (Command.CRON, frozenset({Flag.FORCE, Flag.NO_LOCK}), "key")


def test_names_are_joined_and_files_belong_to_their_command() -> None:
    assert typed("-c", "-d", "a.org b.org", "--domain", "c.org > x").domain == "a.org b.org c.org > x"
    assert (typed("-s", "a.csr", "-fc").command, typed("-s", "a.csr").file) == (Command.SIGN, "a.csr")
    assert typed("--revoke", "cert.pem").file == "cert.pem"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("--ca", "CA"),
        ("--domains-txt", "DOMAINS_TXT"),
        ("--hook", "HOOK"),
        ("--preferred-chain", "PREFERRED_CHAIN"),
        ("--alpn", "ALPNCERTDIR"),
        ("-t", "CHALLENGETYPE"),
        ("-a", "KEY_ALGO"),
        ("--acme-profile", "ACME_PROFILE"),
        ("--order-timeout", "ORDER_TIMEOUT"),
        ("--validation-timeout", "VALIDATION_TIMEOUT"),
    ],
)
def test_settings(word: str, name: str) -> None:
    assert typed("-c", word, "value").settings == {name: "value"}


def test_the_usage_names_every_word() -> None:
    from certkeeper.cli.compat import words  # noqa: PLC0415 - the tables are the module's own

    tables = (words._COMMANDS, words._COMMANDS_ON_FILES, words._FLAGS, words._SWITCHES, words._SETTINGS, words._TEXTS)
    for word in (word for table in tables for word in table):
        assert f" {word}" in USAGE or f"({word})" in USAGE, word
