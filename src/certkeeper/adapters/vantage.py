"""Recursive resolvers as a view from elsewhere: do they see what the name servers serve?

They are asked only when the name servers serve it, since a resolver remembers that a name was not there.
"""

import secrets
from collections.abc import Sequence

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from certkeeper.adapters.dnslines import Replies, ServerSilent, lines, trouble
from certkeeper.adapters.dnsmessage import Query, query
from certkeeper.adapters.dnsreading import read_txt
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Answer, Question, Server

_FLAGS = int(dns.flags.RD | dns.flags.AD)
_SECONDS = 6.0
"""A resolver may have to ask many others first."""


def ask_resolver(resolver: Server, question: Question) -> Answer:
    """What the resolver answers with. `flaws` say of an owner what it answers instead of the values.

    A resolver that says AD for the zone's SOA validates, and the zone is secure: then the values have to come with AD,
    too. Elsewhere nothing is asked of it in that respect; what it finds bogus it answers with SERVFAIL.

    Raises:
        ServerSilent: no answer.
    """
    start = secrets.randbelow(65536)
    soa = query(question.zone, dns.rdatatype.SOA, start, _FLAGS)
    queries = {
        owner: query(owner, dns.rdatatype.TXT, (start + 1 + index) % 65536, _FLAGS)
        for index, owner in enumerate(question.wanted)
    }
    replies = _replies(resolver, [soa, *queries.values()])
    secure = bool(replies[soa.id].message.flags & dns.flags.AD)
    served: dict[DnsName, frozenset[str]] = {}
    flaws: dict[DnsName, str] = {}
    for owner, asked in queries.items():
        message = replies[asked.id].message
        if message.flags & dns.flags.TC:
            raise ServerSilent(f"cuts its answer for {owner} short")
        found = read_txt(owner, message)
        served[owner] = found.values
        if message.rcode() != dns.rcode.NOERROR:
            flaws[owner] = f"answers {_error_words(message)}"
        elif secure and question.wanted[owner] <= found.values and not message.flags & dns.flags.AD:
            flaws[owner] = "answers without AD although the zone is secure"
    return Answer(served, flaws=flaws, signed=secure)


def _replies(resolver: Server, queries: Sequence[Query]) -> Replies:
    with lines(resolver) as (tcp, udp):
        tcp.seconds = _SECONDS
        try:
            return tcp.ask(queries)
        except (OSError, ServerSilent):
            try:
                return udp.ask(queries)
            except OSError as error:
                raise ServerSilent(trouble(error)) from error


def _error_words(message: dns.message.Message) -> str:
    """The RCODE, and the reason where the resolver gives one (RFC 8914)."""
    words = dns.rcode.to_text(message.rcode())
    reasons = [option for option in message.options if isinstance(option, dns.edns.EDEOption)]
    return f"{words} ({reasons[0].to_text()})" if reasons else words
