"""Errors as dehydrated says them: `ERROR: …` on standard error, and a block for what a CA refuses."""

from collections.abc import Iterator
from typing import TextIO

from certkeeper.acme.problem import Problem
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted, printable
from certkeeper.cli.pageform import in_form
from certkeeper.config.methods import UnknownMethod
from certkeeper.config.providers import MissingProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.acme.account import TermsNotAccepted

_LONGEST = 1000
_MOST_LINES = 50
_SECRET = frozenset({"set-cookie", "replay-nonce", "www-authenticate", "proxy-authenticate"})


def print_failure(error: CertkeeperError, err: TextIO, program: str) -> None:
    """The error, and what to do about it."""
    from certkeeper.acme import account  # noqa: PLC0415 - cryptography: most runs fail in nothing
    from certkeeper.acme.order import OrderFailed  # noqa: PLC0415 - as above

    if isinstance(error, account.TermsNotAccepted):
        err.write(_terms(error, program))
        return
    if isinstance(error, Problem) and _is_answer(error):
        # What is not signed is the directory, whose refusal names no account.
        method = "get" if str(error).startswith("directory ") else "post"
        err.write(
            f"  + ERROR: An error occurred while sending {method}-request to {error.url} (Status {error.status})\n"
        )
        err.write("\n".join(("", "Details:", *_details(error), "", "")))
    else:
        invalid = isinstance(error, OrderFailed) and bool(error.identifiers)
        said = f"Challenge is invalid! (returned: invalid) (result: {error})" if invalid else str(error)
        if isinstance(error, MissingProvider):
            said = f"The challenge type dns-01 needs a hook script, or a DNS provider of ours: {error}"
        err.write(f"ERROR: {in_form(said)}\n")
    if error.hint:
        err.write(f"hint: {_hint(error, program)}\n")
    err.flush()


def _hint(error: CertkeeperError, program: str) -> str:
    """The way out by what this way of calling us knows."""
    if isinstance(error, UnknownMethod):
        return "one of: http-01, dns-01, tls-alpn-01"
    return in_form(error.hint).replace("certkeeper account register", f"{program} --register")


def exit_code_of(error: CertkeeperError) -> int:
    """With dehydrated there is 1 only; a signal shows as with every program."""
    return error.exit_code if isinstance(error, Interrupted) else ExitCode.FAILED


def _is_answer(error: CertkeeperError) -> bool:
    """A response of the CA's, and not what an object of its says."""
    return isinstance(error, Problem) and bool(error.url and error.status)


def _details(error: Problem) -> Iterator[str]:
    """The response as it came, header by header, but for what lets others in."""
    if error.answer is None:
        yield str(error)
        return
    yield from (
        f"{printable(name, 100)}: {printable(value, _LONGEST)}"
        for name, value in error.answer.headers
        if name.lower() not in _SECRET
    )
    yield ""
    text = error.answer.body[: _LONGEST * _MOST_LINES].decode("utf-8", "replace")
    yield from (printable(line, _LONGEST) for line in text.splitlines()[:_MOST_LINES])


def _terms(error: "TermsNotAccepted", program: str) -> str:
    return (
        "\nThis certificate authority wants you to agree to their terms of service, which you can find here: "
        f"{error.terms or 'it names none'}\n\n"
        f"To agree, and to make an account there, run `{program} --register --accept-terms`.\n"
    )
