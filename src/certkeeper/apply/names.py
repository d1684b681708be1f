"""Which names a failure is about."""

from collections.abc import Collection

from certkeeper.acme.order import OrderFailed
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.apply.limits import NameFailedMeanwhile
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Identifier
from certkeeper.plan.backoff import proven_name

_OF_NAMES = frozenset({ErrorType.REJECTED_IDENTIFIER, ErrorType.UNSUPPORTED_IDENTIFIER, "caa", "dns"})
"""The types of subproblems that blame a name, and not who asks (RFC 8555 §6.7)."""


def blamed(error: CertkeeperError, ordered: Collection[Identifier]) -> tuple[Identifier, ...]:
    """Those of the ordered names that the CA could not validate, or does not issue for; none where it blames none."""
    if isinstance(error, OrderFailed):
        return error.identifiers
    if isinstance(error, NameFailedMeanwhile):
        return tuple(name for name in ordered if proven_name(name) == error.name)
    if isinstance(error, Problem) and not error.limited:
        texts = {sub.identifier.lower() for sub in error.subproblems if sub.type in _OF_NAMES}
        return tuple(name for name in ordered if name.value in texts)
    return ()
