"""Steps 6 to 8 of one lineage: its names are proven to the CA, each by the method that was planned for it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from certkeeper.acme.alpn import acme_certificate, server_name
from certkeeper.acme.challenge import dns01_value, key_authorization
from certkeeper.acme.order import (
    Authorization,
    AuthorizationStatus,
    Order,
    OrderFailed,
    OrderStatus,
    explain_invalid,
    fetch_authorizations,
    wait_while,
)
from certkeeper.acme.persist import Standing
from certkeeper.apply.answering import Pending, answer_at_once, answer_in_turn, for_scripts, validation_bound
from certkeeper.apply.attempt import Attempt
from certkeeper.apply.effects import MakeKey, do
from certkeeper.apply.hooks import mention_invalid
from certkeeper.apply.manner import Answers
from certkeeper.apply.ports import AnsweredChallenge, ServedFile
from certkeeper.apply.served import Thing
from certkeeper.apply.told import Told, Triple, triple
from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.events import NamesProven
from certkeeper.base.keys import KeyAlgorithm, KeySpec
from certkeeper.base.names import DnsName, Identifier
from certkeeper.base.times import from_epoch
from certkeeper.base.traces import AuthorizationRead, ChallengesDue, ChallengesOver
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange, together
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import HookSettings
from certkeeper.plan.actions import Serve
from certkeeper.plan.proving import owner_of
from certkeeper.plan.records import ChallengeIntent
from certkeeper.plan.standing import other_ca, write_command
from certkeeper.zone.rrset import Zone, ZoneKind, txt_rdata

_T = TypeVar("_T")
_FOR_ALL = 0o644
_FOR_THE_GROUP = 0o640
_ALPN_KEY = KeySpec(KeyAlgorithm.P256)


def prove(attempt: Attempt, order: Order) -> Exchange[Order]:
    """From a pending order to one that is ready.

    Raises:
        CertkeeperError: what was published is withdrawn by whoever carries it, and scripts were told to clean.
    """
    told = Told(attempt)
    try:
        ready = yield from _proven(attempt, order, told)
    except CertkeeperError as error:
        failed = error.identifiers if isinstance(error, OrderFailed) else ()
        attempt.shared.tell(ChallengesOver(str(attempt.alias), False, tuple(str(name.domain) for name in failed)))
        if isinstance(error, OrderFailed):
            yield from mention_invalid(
                for_scripts(error, attempt.shared.manner.answers),
                attempt.shared.settings,
                attempt.item.spec,
                attempt.shared.tell,
            )
        yield from told.clean()
        raise
    attempt.shared.tell(ChallengesOver(str(attempt.alias), True))
    yield from told.clean()
    return ready


def _proven(attempt: Attempt, order: Order, told: Told) -> Exchange[Order]:
    item, shared, session = attempt.item, attempt.shared, attempt.shared.session
    name = str(item.alias)
    if order.status is OrderStatus.READY:
        _trace(attempt, dict.fromkeys(item.spec.identifiers, AuthorizationStatus.VALID))
        shared.tell(ChallengesDue(name, ()))
    if order.status is OrderStatus.PENDING:
        authorizations = yield from fetch_authorizations(session, order.authorizations)
        _trace(attempt, {one.identifier: one.status for one in authorizations})
        pending = _pending(authorizations, item.methods)
        shared.tell(ChallengesDue(name, tuple(str(one.identifier.domain) for one in pending)))
        yield from _answer_all(attempt, pending, told)
    shared.waves.pass_by(item.alias)
    order = yield from wait_while(session, order, frozenset({OrderStatus.PENDING}), validation_bound(attempt))
    if order.status is OrderStatus.INVALID:
        raise (yield from explain_invalid(session, order))
    shared.waves.release(item.alias)
    shared.served.release(item.alias)
    shared.tell(NamesProven(name))
    return order


def _trace(attempt: Attempt, authorizations: Mapping[Identifier, AuthorizationStatus]) -> None:
    for identifier, status in authorizations.items():
        proven = status is AuthorizationStatus.VALID
        ignored = identifier in attempt.given_back
        attempt.shared.tell(AuthorizationRead(str(attempt.alias), str(identifier.domain), proven, ignored))


def _pending(
    authorizations: Sequence[Authorization], methods: Mapping[Identifier, ChallengeType]
) -> tuple[Pending, ...]:
    """The challenges to answer; names are matched by the authorization's own identifier, never by position."""
    pending = []
    for authorization in authorizations:
        identifier = authorization.identifier
        if authorization.status is AuthorizationStatus.PENDING:
            method = _of_name(methods, identifier)
            if method is None:
                raise OrderFailed(f"{identifier}: the CA wants a name proven that was not ordered")
            pending.append(Pending(identifier, method, authorization.challenge(method.value)))
        elif authorization.status is not AuthorizationStatus.VALID:
            failed = authorization.status is AuthorizationStatus.INVALID
            words = f"{identifier}: authorization is {authorization.status}"
            raise OrderFailed(words, said={identifier: words} if failed else {})
    return tuple(pending)


def _of_name(planned: Mapping[Identifier, _T], identifier: Identifier) -> _T | None:
    """What was planned for the name. Some CAs do not say of a wildcard's authorization that it is one."""
    return planned.get(identifier) or planned.get(replace(identifier, value=f"*.{identifier.value}"))


def _answer_all(attempt: Attempt, pending: Sequence[Pending], told: Told) -> Exchange[None]:
    ways = list(_ways(attempt, pending, told))
    if attempt.shared.manner.answers is Answers.IN_TURN:
        yield from together([ready for ready, _ in ways])
        yield from answer_in_turn(attempt, pending)
        return
    # What is there at once does not wait for DNS.
    yield from together([_ready_and_answered(attempt, ready, mine) for ready, mine in ways])


def _ready_and_answered(attempt: Attempt, ready: Exchange[None], pending: Sequence[Pending]) -> Exchange[None]:
    yield from ready
    yield from answer_at_once(attempt, pending)


def _ways(
    attempt: Attempt, pending: Sequence[Pending], told: Told
) -> Iterator[tuple[Exchange[None], Sequence[Pending]]]:
    """What makes challenges ready for the CA to look at, with these challenges: each method by itself."""
    for method in dict.fromkeys(one.method for one in pending):
        mine = [one for one in pending if one.method is method]
        match method:
            case ChallengeType.DNS_01 | ChallengeType.DNS_ACCOUNT_01:
                scripted = [one for one in mine if _place(attempt, one)[0].kind is ZoneKind.SCRIPTED]
                others = [one for one in mine if one not in scripted]
                if scripted:
                    yield _by_script(attempt, scripted, told), scripted
                if others:
                    yield _through_records(attempt, others), others
            case ChallengeType.DNS_PERSIST_01:
                yield _by_standing_records(attempt, mine), mine
            case ChallengeType.HTTP_01:
                yield _through_tokens(attempt, mine, told), mine
            case ChallengeType.TLS_ALPN_01:
                yield _through_certificates(attempt, mine, told), mine


def _through_records(attempt: Attempt, pending: Sequence[Pending]) -> Exchange[None]:
    """dns-01 and dns-account-01: the values are served everywhere before the CA is told to look."""
    item, shared, session = attempt.item, attempt.shared, attempt.shared.session
    tokens = {dns01_value(one.challenge.token, session.key): one.challenge.token for one in pending}
    yield from shared.waves.proof(item.alias, _values(attempt, pending), tokens)


def _by_script(attempt: Attempt, pending: Sequence[Pending], told: Told) -> Exchange[None]:
    """dns-01 by scripts. They are told what the CA wants in the CA's order, whatever zones there are."""
    shared, scripts = attempt.shared, dict[str, list[Pending]]()
    for one in pending:
        scripts.setdefault(_place(attempt, one)[0].provider, []).append(one)
    values = _values(attempt, pending)
    yield from shared.waves.cleared(values)
    for id_, mine in scripts.items():
        provider = shared.settings.provider(id_)
        if provider is None or not isinstance(provider.settings, HookSettings):
            raise TypeError(f"{id_}: its zones are written by a script, and it has none")
        triples = [_triple(attempt, one) for one in mine]
        yield from told.deploy(
            provider.settings, ChallengeType.DNS_01, triples, [_intent(attempt, one) for one in mine]
        )
    yield from shared.waves.look(attempt.alias, values)


def _by_standing_records(attempt: Attempt, pending: Sequence[Pending]) -> Exchange[None]:
    """dns-persist-01: records that every name server shows; the CA is not told to look at what cannot satisfy it."""
    for one in pending:
        standings = _of_name(attempt.item.standings, one.identifier) or ()
        ca = other_ca(attempt.item.spec.ca, attempt.shared.settings)
        _refuse_mismatch(one, standings, attempt.shared.session.kid or "", ca)
    # Nothing is to be done for them.
    yield from ()


def _refuse_mismatch(one: Pending, standings: Sequence[Standing], account: str, ca: str) -> None:
    challenge = one.challenge
    if challenge.account and challenge.account != account:
        raise OrderFailed(
            f"{one.identifier}: the CA wants a record that names the account {printable(challenge.account, 200)}, "
            f"and ours is {account}",
            hint="see whether this CA knows the account by another URL: certkeeper account show",
        )
    if not any(standing.account == account and standing.issuer in challenge.issuers for standing in standings):
        there = ", ".join(sorted({standing.issuer for standing in standings})) or "nobody"
        raise OrderFailed(
            f"{one.identifier}: its standing record is for {there}, and the CA goes by {', '.join(challenge.issuers)}",
            hint=write_command(one.identifier.domain, ca, wildcard=one.identifier.wildcard),
        )


def _through_tokens(attempt: Attempt, pending: Sequence[Pending], told: Told) -> Exchange[None]:
    """http-01 (RFC 8555 §8.3): the key authorization, and nothing else, at a path that ends in the token."""
    serve = _serve(attempt, ChallengeType.HTTP_01)
    things: list[Thing] = []
    for one in pending:
        token = one.challenge.token
        content = key_authorization(token, attempt.shared.session.key).encode("ascii")
        if serve.listen:
            things.append(AnsweredChallenge(serve.method, token, content))
        else:
            things.append(ServedFile(serve.folder, token, content, _FOR_ALL))
    yield from attempt.shared.served.publish(attempt.alias, things)
    yield from _tell_the_script(attempt, pending, told)


def _through_certificates(attempt: Attempt, pending: Sequence[Pending], told: Told) -> Exchange[None]:
    """tls-alpn-01 (RFC 8737): a certificate of its own for each name, in dehydrated's files where a server reads them.

    One whose file is there without its key, or the other way round, is of no use, so the key is made for each try.
    """
    serve, stamp = _serve(attempt, ChallengeType.TLS_ALPN_01), attempt.draft.stamp if attempt.draft else 0
    things: list[Thing] = []
    for one in pending:
        key = yield from do(MakeKey(_ALPN_KEY))
        name, proof = server_name(one.identifier), key_authorization(one.challenge.token, attempt.shared.session.key)
        certificate = acme_certificate(key, one.identifier, proof, from_epoch(stamp))
        if serve.listen:
            things.append(AnsweredChallenge(serve.method, name, certificate + key.pem))
        else:
            things.append(ServedFile(serve.folder, f"{name}.key.pem", key.pem, _FOR_THE_GROUP))
            things.append(ServedFile(serve.folder, f"{name}.crt.pem", certificate, _FOR_THE_GROUP))
    yield from attempt.shared.served.publish(attempt.alias, things)
    yield from _tell_the_script(attempt, pending, told)


def _tell_the_script(attempt: Attempt, pending: Sequence[Pending], told: Told) -> Exchange[None]:
    """HOOK hears of what is served, too: it may have to bring it to where it is looked for."""
    spec = attempt.item.spec
    if spec.hook:
        hook = HookSettings(spec.hook, spec.hook_chain, spec.hook_timeout)
        yield from told.deploy(hook, pending[0].method, [_triple(attempt, one) for one in pending])


def _triple(attempt: Attempt, one: Pending) -> Triple:
    return triple(one.identifier, one.method, one.challenge.token, attempt.shared.session.key)


def _serve(attempt: Attempt, method: ChallengeType) -> Serve:
    return next(serve for serve in attempt.item.serves if serve.method is method)


def _place(attempt: Attempt, one: Pending) -> tuple[Zone, DnsName]:
    """The zone and the owner that its value goes to."""
    wanted = owner_of(one.identifier, one.method, attempt.shared.session.kid or "")
    for proof in attempt.item.proofs:
        aliases = dict(proof.aliases)
        if wanted in aliases:
            return proof.zone, aliases[wanted]
        if wanted in proof.owners:
            return proof.zone, wanted
    raise OrderFailed(f"{one.identifier}: no zone was planned for it")


def _values(attempt: Attempt, pending: Sequence[Pending]) -> dict[Zone, dict[DnsName, frozenset[str]]]:
    values: dict[Zone, dict[DnsName, frozenset[str]]] = {}
    for one in pending:
        zone, owner = _place(attempt, one)
        owners = values.setdefault(zone, {})
        owners[owner] = owners.get(owner, frozenset()) | {_value(attempt, one)}
    return values


def _value(attempt: Attempt, one: Pending) -> str:
    return dns01_value(one.challenge.token, attempt.shared.session.key)


def _intent(attempt: Attempt, one: Pending) -> ChallengeIntent:
    zone, owner = _place(attempt, one)
    rdata = txt_rdata(_value(attempt, one))
    return ChallengeIntent(zone.name, owner, rdata, provider=zone.provider, token=one.challenge.token)
