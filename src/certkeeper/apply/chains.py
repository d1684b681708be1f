"""The chain of a certificate that is ready: the CA's default, or the one that the operator prefers."""

from collections.abc import Callable, Sequence
from datetime import datetime

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.chain import download
from certkeeper.acme.order import Order
from certkeeper.acme.problem import Problem
from certkeeper.acme.session import NoncesRefused, Session
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.wire import Exchange, TransportError
from certkeeper.lineage.chainwish import ChainWish
from certkeeper.lineage.model import BadChain, Leaf
from certkeeper.lineage.preference import ChainNames, chain_names, preferred

Check = Callable[[bytes, datetime], Leaf]


class ChainNotOffered(CertkeeperError):
    """The chain that the operator requires is none of the CA's."""

    label = "ca-does-not-offer"
    fault = Fault.OPERATOR
    # The order is done and counted: the next run goes on with it.
    local = True


def obtain_chain(
    session: Session, order: Order, wish: ChainWish, check: Check, note: Callable[[str], None]
) -> Exchange[tuple[bytes, Leaf]]:
    """The whole chain, checked, and its leaf. Alternates are asked for only where the wish does not end the default.

    Unless the wished one is required, nothing about alternates fails: the certificate is there, and `note` says why
    its default chain was taken.

    Raises:
        ChainNotOffered: it is required, and there is none.
        BadChain: the default chain is not what was ordered.
        Problem, TransportError, MalformedBody: it cannot be had.
    """
    wanted = wish.issuer
    default = yield from download(session, order.certificate)
    found = [(default.fullchain, check(default.fullchain, default.at))]
    if not wanted:
        return found[0]
    names = [chain_names(default.fullchain)]
    for url in default.alternates:
        if wanted in names[-1].top:
            break
        try:
            alternate = yield from download(session, url)
            checked = alternate.fullchain, check(alternate.fullchain, alternate.at)
            names.append(chain_names(alternate.fullchain))
        except (BadChain, MalformedBody, NoncesRefused, Problem, TransportError) as error:
            note(f"an alternate chain of the CA is left out: {error}")
            continue
        found.append(checked)
    chosen = preferred(wanted, names)
    if chosen is None and wish.required:
        raise ChainNotOffered(
            f"no chain of the CA holds PREFERRED_CHAIN {printable(wanted, 80)!r}; it offers {_offered(names)}",
            hint="name one of these in PREFERRED_CHAIN, or remove it; the next run goes on with the same order",
        )
    if chosen is None:
        note(
            f"no chain of the CA holds PREFERRED_CHAIN {printable(wanted, 80)!r}, so its default is taken; "
            f"it offers {_offered(names)}"
        )
    return found[chosen or 0]


def _offered(chains: Sequence[ChainNames]) -> str:
    return "; ".join(f"{number}. {chain}" for number, chain in enumerate(chains, 1))
