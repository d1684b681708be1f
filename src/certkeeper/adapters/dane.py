"""What a page's settings make of the ports that DANE looks through."""

from collections.abc import Sequence
from datetime import datetime

from certkeeper.adapters.anchors import read_anchors
from certkeeper.adapters.homes import Homes
from certkeeper.adapters.resolving import Resolving
from certkeeper.adapters.tlsalooks import TlsaLooks
from certkeeper.adapters.tlsatrust import Validation
from certkeeper.adapters.validators import on_loopback, this_hosts_resolvers
from certkeeper.apply.ports import Nameservers
from certkeeper.config.servers import Dnssec, NameserverOverride
from certkeeper.zone.propagation import Server


class Dane:
    """`tlsa` is the port TlsaLookup, `resolving` the ports ServiceLookup and SecureLookup.

    Raises:
        CertkeeperError: TRUST_ANCHOR names a file that holds none.
    """

    def __init__(
        self,
        dnssec: Dnssec,
        named: Sequence[NameserverOverride],
        nameservers: Nameservers,
        now: datetime,
    ) -> None:
        validation = _validation(dnssec)
        homes = Homes(named, nameservers.of)
        self.tlsa = TlsaLooks(nameservers, homes, validation)
        self.resolving = Resolving(validation, homes, nameservers.of, now)


def _validation(dnssec: Dnssec) -> Validation:
    recursors = this_hosts_resolvers()
    named = dnssec.resolver
    validators = (Server(str(named), named.host, named.port),) if named is not None else on_loopback(recursors)
    anchors = read_anchors(dnssec.trust_anchor) if dnssec.trust_anchor else {}
    return Validation(validators, anchors, recursors)
