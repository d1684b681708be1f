"""The process in which dns-lexicon works: a question on standard input, one answer on standard output, both JSON.

{"seconds", "provider", "options", "domains"}           which of the domains the account holds
{"seconds", "provider", "options", "domain", "changes"} add and remove TXT records
{"done": […]}                                           went well
{"kind", "said"}                                        did not
"""

import json
import math
import os
import re
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

import requests
import tldextract
from lexicon.client import Client
from lexicon.config import ConfigResolver
from lexicon.exceptions import AuthenticationError, ProviderNotAvailableError

from certkeeper.adapters.dns.lexicon_records import standing_at
from certkeeper.zone.rrset import txt_rdata

_ABOUT_THE_DOMAIN = re.compile(r"\b(?:domain|zone)s?\b", re.IGNORECASE)
_ABSENT = re.compile(r"\b(?:no|not|none|unknown|exists?|found)\b", re.IGNORECASE)
_NO_SUCH_DOMAIN = frozenset({404, 410, 422})


class UnknownOption(Exception):
    """An option that the provider does not read."""


class _Pinned(ConfigResolver):
    """Settings for one domain: lexicon would cut it to what it takes for registrable."""

    def __init__(self, question: Mapping[str, Any], domain: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._domain = domain
        provider = question["provider"]
        self.with_dict({"provider_name": provider, provider: dict(question["options"])})

    def resolve(self, config_key: str) -> str | None:
        return self._domain if config_key == "lexicon:domain" else super().resolve(config_key)


def main() -> int:
    # What a provider's module prints must not get between us and the one who asks.
    answers = os.dup(1)
    os.dup2(2, 1)
    # It would be fetched from a stranger's web server, to guess the domain that is known here.
    bundled = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())
    tldextract.TLDExtract = lambda **_: bundled  # type: ignore[assignment, misc]
    question = json.load(sys.stdin)
    # Should nobody be left to stop us, we end by ourselves.
    signal.alarm(math.ceil(question["seconds"]) + 1)
    try:
        answer: dict[str, Any] = {"done": _perform(question)}
    except Exception as error:  # noqa: BLE001 - 90 providers, each with its own exceptions
        answer = {"kind": _kind(error), "said": f"{error}" or type(error).__name__}
    os.write(answers, json.dumps(answer).encode())
    return 0


def _perform(question: Mapping[str, Any]) -> list[str]:
    if "domains" in question:
        return [domain for domain in question["domains"] if _held(question, domain)]
    client = _client(question, question["domain"])
    with client as operations:
        for change in question["changes"]:
            _change(operations, question["domain"], change)
    return []


def _client(question: Mapping[str, Any], domain: str) -> Client:
    client = Client(_Pinned(question, domain))
    parser = ArgumentParser(add_help=False)
    client.provider_class.configure_parser(parser)
    known = {action.dest for action in parser._actions}  # noqa: SLF001 - argparse has no public list of them
    for option in question["options"]:
        if known and option not in known:
            raise UnknownOption(f"no option {option}; there are {', '.join(sorted(known))}")
    return client


def _held(question: Mapping[str, Any], domain: str) -> bool:
    try:
        with _client(question, domain):
            return True
    except (UnknownOption, ProviderNotAvailableError):
        raise
    except Exception as error:
        if _says_no_such_domain(error):
            return False
        raise


def _says_no_such_domain(error: Exception) -> bool:
    if isinstance(error, requests.HTTPError):
        return error.response is not None and error.response.status_code in _NO_SUCH_DOMAIN
    text = str(error)
    return bool(_ABOUT_THE_DOMAIN.search(text) and _ABSENT.search(text))


def _change(operations: Any, domain: str, change: Mapping[str, Any]) -> None:  # noqa: ANN401 - its class is private
    owner: str = change["owner"]
    present = standing_at(owner, domain, operations.list_records("TXT", owner))
    for value in change["add"]:
        if txt_rdata(value) not in present and not operations.create_record("TXT", owner, value):
            raise RuntimeError(f"the record for {owner} was not created")
    for value in change["remove"]:
        listed = present.get(txt_rdata(value))
        if listed is not None and not operations.delete_record(None, "TXT", owner, listed):
            raise RuntimeError(f"the record for {owner} was not deleted")


def _kind(error: Exception) -> str:
    if isinstance(error, ProviderNotAvailableError):
        return "unavailable"
    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return "unreachable"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        return "refused" if status in {401, 403} else "unreachable" if status >= 500 or status == 429 else "failed"
    return "refused" if isinstance(error, (AuthenticationError, UnknownOption)) else "failed"


if __name__ == "__main__":
    sys.exit(main())
