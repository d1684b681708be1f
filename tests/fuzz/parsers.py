"""Looks for a text that one of the two parsers of a page does not answer as it has to. Run by scripts/fuzz.

    parsers.py shell|domains [libFuzzer's options] CORPUS SEEDS

libFuzzer changes texts so that they reach code that no text reached before, and keeps those in CORPUS.
"""

import sys

import atheris  # type: ignore[import-untyped]  # in an environment of its own

with atheris.instrument_imports(include=["certkeeper.config", "certkeeper.base", "idna"]):
    from certkeeper.config.domains import parse_domains
    from certkeeper.config.errors import ConfigError
    from certkeeper.config.shell import evaluate

FILE = "file"


def shell(text: str) -> None:
    lines = text.count("\n") + 1
    try:
        found = evaluate(text, FILE, {"A": "x", "HOME": "/h", "BASEDIR": "/etc/dehydrated"})
    except ConfigError as error:
        require(error.where.file == FILE and 1 <= error.where.line <= lines, f"a place in the file, not {error.where}")
        require((str(error) + error.hint).isprintable(), "a text for people")
        return
    require(all(1 <= item.where.line <= lines for item in found.assignments), "places in the file")


def domains(text: str) -> None:
    found = parse_domains([(FILE, text)])
    for item in found.rejected:
        require(isinstance(item.error, ConfigError) and item.error.where.line >= 1, "an error with its line")
        require((str(item.error) + item.error.hint + item.label).isprintable(), "a text for people")
    for line in found.lines:
        alias = line.alias.text
        require(bool(line.identifiers), "a certificate with a name")
        require("/" not in alias and not alias.startswith(".") and alias.isprintable(), "an alias inside CERTDIR")
        for name in line.identifiers:
            require(name.value.isascii() and name.value.isprintable(), "names that an order can have")


def require(held: bool, expected: str) -> None:  # noqa: FBT001 - what a test found
    if not held:
        raise AssertionError(expected)


TARGETS = {"shell": shell, "domains": domains}


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]

    def one(data: bytes) -> None:
        # What is no UTF-8 is refused before anything parses it.
        target(data.decode("utf-8", "ignore"))

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
