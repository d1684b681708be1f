"""Whom a CA's limit is about: everybody who asks it with this account, or one certificate."""

import re
from collections.abc import Collection
from enum import StrEnum

from certkeeper.acme.directory import Directory
from certkeeper.acme.problem import Problem
from certkeeper.base.names import Identifier

# RFC 8555 has one error type for all limits, so the CA's own words have to tell which one it is. These are Let's
# Encrypt's; where a CA has others, the step that was limited and the names in its answer decide.
_OF_ONE = re.compile(
    r"already issued for|exact set|failed authorizations|failed validations|"
    r"#(new-certificates-per|authorization-failures|consecutive-authorization-failures)",
    re.IGNORECASE,
)
_OF_ALL = re.compile(
    r"new orders|new-orders-per|this account|from this IP|new registrations|new-registrations-per|"
    r"service busy|overall requests|overloaded",
    re.IGNORECASE,
)


class Scope(StrEnum):
    """Whom a limit is about."""

    CA = "ca"
    """All that this account, or this machine, wants of the CA."""
    CERTIFICATE = "certificate"
    """The names of one order."""
    UNCLEAR = "unclear"


def scope_of(problem: Problem, directory: Directory | None, names: Collection[Identifier]) -> Scope | None:
    """Whom the problem's limit is about; None where it is no limit.

    `directory` is None where not even that could be had; `names` are those of the order that was under way.
    A paused name is a limit of its certificate. Beyond newOrder a limit is its certificate's, too: were it not, then
    one order that its CA never gets right would keep all others away.
    """
    busy = problem.status == 503
    if not (problem.limited or busy):
        return None
    if problem.paused or problem.subproblems:
        return Scope.CERTIFICATE
    if directory is None or problem.url in {directory.new_nonce, directory.new_account}:
        return Scope.CA
    if problem.url != directory.new_order:
        return Scope.CERTIFICATE
    if busy:
        return Scope.CA
    if _OF_ONE.search(problem.detail) or any(_names(problem.detail, name) for name in names):
        return Scope.CERTIFICATE
    return Scope.CA if _OF_ALL.search(problem.detail) else Scope.UNCLEAR


def _names(detail: str, name: Identifier) -> bool:
    """The detail holds the name as a word of its own."""
    text = re.escape(name.value.removeprefix("*."))
    return re.search(rf"(?<![\w.-]){text}(?![\w-]|\.\w)", detail, re.IGNORECASE) is not None
