"""Port Probes: clients of this machine's own services."""

import socket
import threading
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from certkeeper.adapters.probe import Prober
from certkeeper.service.handshake import Contact, Look

LOOPBACK = ("127.0.0.1", "::1")
_PATIENCE = 10.0
_DISCARD = 9


class Clients:
    """Implements the port Probes. `patience` is how long, in seconds, a name may take to be resolved."""

    def __init__(self, prober: Prober, patience: float = _PATIENCE) -> None:
        self._prober = prober
        self._patience = patience
        self._found: dict[str, tuple[str, ...]] = {}

    def look(self, contacts: Sequence[Contact]) -> tuple[Look, ...]:
        return self._prober.look(contacts)

    def addresses_here(self, name: str) -> tuple[str, ...]:
        if name not in self._found:
            here = [str(address[0]) for family, address in self._resolved(name) if _here(family, address)]
            self._found[name] = tuple(dict.fromkeys(here)) or LOOPBACK
        return self._found[name]

    def _resolved(self, name: str) -> "list[tuple[int, Any]]":
        """Empty where nobody says in time: the system's resolver has no bound that we could set."""
        found: list[tuple[int, Any]] = []

        def ask() -> None:
            try:
                infos = socket.getaddrinfo(name, _DISCARD, type=socket.SOCK_DGRAM)
            except (OSError, UnicodeError):
                return
            found.extend((family, address) for family, _, _, _, address in infos)

        asking = threading.Thread(target=ask, name=f"resolve {name}", daemon=True)
        asking.start()
        asking.join(self._patience)
        return list(found)


def _here(family: int, address: Any) -> bool:  # noqa: ANN401 - a socket's address, of either family
    """One of this machine's: a datagram to it would come from it. None is sent.

    A socket can be bound to others, too, where ip_nonlocal_bind is set, as it is beside keepalived.
    """
    plain = ip_address(str(address[0]).partition("%")[0])
    if plain.is_loopback:
        return True
    if plain.is_link_local:
        return False
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.connect(address)
            return ip_address(str(line.getsockname()[0]).partition("%")[0]) == plain
    except OSError:
        return False
