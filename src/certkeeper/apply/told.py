"""Challenges that scripts of the operator's are told of, as dehydrated tells them, and told to clean, whatever happens.

What is told for dns-01 is in the journal before the call and until it is cleaned, as with every provider.
"""

import hashlib
from collections.abc import Iterator, Sequence

from certkeeper.acme.alpn import server_name
from certkeeper.acme.challenge import dns01_value, key_authorization
from certkeeper.acme.jws import AccountKey
from certkeeper.apply.attempt import Attempt
from certkeeper.apply.effects import WriteJournal, do
from certkeeper.apply.hookcalls import Occasion, line_environment
from certkeeper.apply.hooks import call
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.names import Identifier
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import HookSettings
from certkeeper.plan.records import ChallengeIntent


@dataclass(frozen=True, slots=True)
class Triple:
    """What a script is told of one challenge."""

    name: str
    token: str
    value: str

    @property
    def words(self) -> tuple[str, str, str]:
        return self.name, self.token, self.value


def triple(identifier: Identifier, method: ChallengeType, token: str, key: AccountKey) -> Triple:
    """The challenge in dehydrated's words; a wildcard goes by the name that is proven."""
    proof = key_authorization(token, key)
    match method:
        case ChallengeType.HTTP_01:
            return Triple(identifier.value, token, proof)
        case ChallengeType.TLS_ALPN_01:
            digest = hashlib.sha256(proof.encode("ascii")).digest()
            return Triple(server_name(identifier), token, digest.hex(":"))
        case _:
            return Triple(identifier.domain.text, token, dns01_value(token, key))


@dataclass(slots=True, eq=False)
class _Job:
    """One script's challenges of one method. `called` are those that it was told of, or was about to be."""

    hook: HookSettings
    method: ChallengeType
    intents: tuple[ChallengeIntent, ...]
    called: list[Triple] = field(default_factory=list)


class Told:
    """What scripts were told of for one lineage."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._jobs: list[_Job] = []

    def deploy(
        self,
        hook: HookSettings,
        method: ChallengeType,
        triples: Sequence[Triple],
        intents: Sequence[ChallengeIntent] = (),
    ) -> Exchange[None]:
        """Have the script make these challenges ready, in the CA's order.

        Raises:
            CertkeeperError: it failed, or the intents could not be written down.
        """
        job = _Job(hook, method, tuple(intents))
        if job.intents:
            yield from do(WriteJournal(put=job.intents))
        self._jobs.append(job)
        for batch in _batches(hook, triples):
            job.called += batch
            yield from self._call(job, Occasion.DEPLOY_CHALLENGE, batch)

    def clean(self) -> Exchange[None]:
        """Have everything cleaned. What cannot be is left over, and the certificate is none the worse for it.

        Raises:
            Interrupted: once everything was cleaned.
        """
        interrupted: Interrupted | None = None
        while self._jobs:
            try:
                yield from self._clean(self._jobs[0])
            except Interrupted as error:
                # It comes once, and finds a script that may not have been called: called again, it does no harm.
                interrupted = error
                continue
            del self._jobs[0]
        if interrupted is not None:
            raise interrupted

    def _clean(self, job: _Job) -> Exchange[None]:
        shared, failed = self._attempt.shared, False
        for batch in _batches(job.hook, job.called):
            try:
                yield from self._call(job, Occasion.CLEAN_CHALLENGE, batch)
            except Interrupted:
                raise
            except CertkeeperError as error:
                failed = True
                shared.waves.withdrawal_errors.append(error)
        if failed or not job.intents:
            return
        try:
            yield from do(WriteJournal(drop=job.intents))
        except Interrupted:
            raise
        except CertkeeperError as error:
            # No harm: the next run has it cleaned once more.
            self._attempt.note(f"the end of its challenges was not written down: {error}")

    def _call(self, job: _Job, occasion: Occasion, batch: Sequence[Triple]) -> Exchange[str]:
        shared, spec = self._attempt.shared, self._attempt.item.spec
        words = tuple(word for item in batch for word in item.words)
        environment = (*line_environment(shared.settings, spec, occasion), ("CHALLENGETYPE", job.method.value))
        made = HookCall(job.hook.script, occasion, words, environment, job.hook.timeout)
        return (yield from call(made, str(spec.alias), shared.tell))


def _batches(hook: HookSettings, triples: Sequence[Triple]) -> Iterator[list[Triple]]:
    """One call for all with HOOK_CHAIN, else one for each."""
    if hook.chain and triples:
        yield list(triples)
    elif not hook.chain:
        yield from ([item] for item in triples)
