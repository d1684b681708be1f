"""Calls of the operator's scripts as parts of an order, and what becomes of their failures."""

from collections.abc import Mapping

from certkeeper.acme.problem import Problem
from certkeeper.apply.effects import Effect, RunHook, do
from certkeeper.apply.hookcalls import Occasion, line_call
from certkeeper.apply.ports import HookCall, Ports
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import HookCalled, Noted, Tell
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import CertSpec, Settings

_LONGEST_BODY = 1 << 16
"""Octets: one argument of a process cannot be longer than twice that."""


@dataclass(frozen=True, slots=True)
class ShowVersion(Effect[Mapping[str, str]]):
    """Gives a version the names that scripts know it by, before it is live."""

    alias: Alias
    stamp: int

    def perform(self, ports: Ports) -> Mapping[str, str]:
        return ports.store.show(self.alias, self.stamp)


def _refusal(problem: Problem) -> tuple[str, ...]:
    """The arguments of that call: status, body, method and headers of the CA's answer. None of them is ours."""
    answer = problem.answer
    if answer is None:
        return ()
    headers = [f"{name}: {value}" for name, value in answer.headers if name.lower() != "set-cookie"]
    body = answer.body[:_LONGEST_BODY].decode("utf-8", "replace")
    words = (str(answer.status), body, problem.method, "\n".join([f"HTTP/1.1 {answer.status}", *headers]))
    return tuple(word.replace("\0", "") for word in words)


def call(made: HookCall, lineage: str, tell: Tell) -> Exchange[str]:
    """Have it called; what it printed.

    Raises:
        CertkeeperError: it failed.
    """
    said = yield from do(RunHook(made))
    tell(HookCalled(lineage, made.script, made.name, said))
    return said


def _mention(made: HookCall, lineage: str, tell: Tell) -> Exchange[None]:
    """Have it called beside something that failed already: its own failure is only noted."""
    try:
        yield from call(made, lineage, tell)
    except CertkeeperError as error:
        tell(Noted(lineage, str(error)))


def mention_invalid(failed: Mapping[Identifier, str], settings: Settings, spec: CertSpec, tell: Tell) -> Exchange[None]:
    """Tell the certificate's script which names failed, each with the CA's words."""
    for name, words in failed.items() if spec.deploy_hook else ():
        made = line_call(settings, spec, Occasion.INVALID_CHALLENGE, str(name), words)
        yield from _mention(made, str(spec.alias), tell)


def mention_refusal(error: CertkeeperError, settings: Settings, spec: CertSpec, tell: Tell) -> Exchange[None]:
    """Tell the certificate's script what the CA said, where it said no."""
    if spec.deploy_hook and isinstance(error, Problem) and (arguments := _refusal(error)):
        made = line_call(settings, spec, Occasion.REQUEST_FAILURE, *arguments)
        yield from _mention(made, str(spec.alias), tell)
