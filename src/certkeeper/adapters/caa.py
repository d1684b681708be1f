"""CAA records, asked of this host's resolver, which follows CNAMEs as a CA's does (RFC 8659 §3)."""

import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from certkeeper.base.errors import printable
from certkeeper.base.names import DnsName
from certkeeper.zone.caa import CaaAnswer, CaaAnswers, CaaRecord
from certkeeper.zone.propagation import Server

_SECONDS = 4.0
"""For one name; a resolver that has to climb to the root and validate may take its time."""
_WHOLE_SECONDS = 15.0
"""For all names of a run: CAA is only looked at to save tries, and must not hold one up."""
_AT_ONCE = 16
_MOST_RECORDS = 100


class SystemCaa:
    """Implements the port CaaLookup. `resolver` is whom to ask in place of this host's own."""

    def __init__(self, resolver: Server | None = None) -> None:
        self._resolver = resolver
        self._deadline: float | None = None
        self._given_up = False

    def caa(self, names: Collection[DnsName]) -> CaaAnswers:
        if self._deadline is None:
            self._deadline = time.monotonic() + _WHOLE_SECONDS
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = list(zip(names, threads.map(self._ask, names), strict=True))
        return {name: answer for name, answer in answers if answer is not None}

    def _ask(self, name: DnsName) -> CaaAnswer | None:
        """None where nobody could be asked: then the same is true of the names after it, more likely than not."""
        import dns.exception  # noqa: PLC0415 - 100 ms that only runs with something due pay
        import dns.resolver  # noqa: PLC0415 - as above

        left = (self._deadline or 0.0) - time.monotonic()
        if self._given_up or left <= 0:
            return None
        try:
            resolver = dns.resolver.Resolver(configure=self._resolver is None)
            if self._resolver is not None:
                resolver.nameservers = [self._resolver.address]
                resolver.port = self._resolver.port
            answer = resolver.resolve(
                name.absolute, "CAA", raise_on_no_answer=False, lifetime=min(left, _SECONDS), search=False
            )
        except dns.resolver.NXDOMAIN:
            return CaaAnswer()
        except dns.resolver.NoNameservers as error:
            return _failure(error)
        except (dns.exception.DNSException, OSError):
            self._given_up = True
            return None
        rdata = [(item.flags, item.tag, item.value) for item in answer.rrset or ()]
        return CaaAnswer(tuple(sorted(_record(*item) for item in rdata[:_MOST_RECORDS])))


def _record(flags: int, tag: bytes, value: bytes) -> CaaRecord:
    return CaaRecord(flags, printable(tag.decode("latin-1"), 255), printable(value.decode("latin-1"), 2000))


def _failure(error: Exception) -> CaaAnswer | None:
    """What the resolver said; None where it said nothing, as one that is not there."""
    import dns.rcode  # noqa: PLC0415 - see above
    import dns.resolver  # noqa: PLC0415 - see above

    tried = error.kwargs.get("errors", ()) if isinstance(error, dns.resolver.NoNameservers) else ()
    codes = [attempt[4].rcode() for attempt in tried if attempt[4] is not None]
    if dns.rcode.SERVFAIL not in codes:
        return None
    return CaaAnswer(trouble="this host's resolver answers SERVFAIL")
