"""Ask the CA when it wants certificates renewed (RFC 9773): side by side, for a short time, and once each."""

from collections import deque
from collections.abc import Callable, Mapping

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.directory import read_directory
from certkeeper.acme.renewal_info import renewal_info_url
from certkeeper.apply.ports import Clock, Executor
from certkeeper.apply.scheduler import Scheduler, Signal, wait
from certkeeper.base.names import Alias
from certkeeper.base.wire import Request, Response
from certkeeper.plan.advice import Advice, heard, says_later, unheard, unoffered

AT_ONCE = 8
SECONDS = 10.0
"""For all questions together. Who is not asked in that time is asked by the next run."""


class Inquiry:
    """One round of questions; the requests are unsigned. A CA that is silent or busy once is left alone."""

    def __init__(
        self, asked: Mapping[Alias, Advice], ca: str, *, executor: Executor, clock: Clock, user_agent: str
    ) -> None:
        self._before = asked
        self._ca = ca
        self._clock = clock
        self._headers = (("user-agent", user_agent),)
        self._scheduler = Scheduler(executor, clock)
        self._over = Signal()
        self._base = ""
        self._left = deque(asked)
        self._open = 0
        self._after: dict[Alias, Advice] = {}

    def run(self) -> Mapping[Alias, Advice]:
        """What is known now of the certificates that were asked about."""
        self._scheduler.later(SECONDS, self._over.set)
        self._scheduler.probe(self._request(self._ca), self._directory)
        self._scheduler.spawn(wait(self._over), _ended)
        self._scheduler.run(linger=0.0)
        return self._after

    def _request(self, url: str) -> Request:
        return Request("GET", url, self._headers)

    def _directory(self, value: object, error: Exception | None) -> None:
        if error is not None or not isinstance(value, Response) or value.status != 200:
            self._give_up()
            return
        try:
            self._base = read_directory(value, self._ca).renewal_info
        except MalformedBody:
            self._give_up()
            return
        if not self._base:
            self._after = {alias: unoffered(before, self._clock.now()) for alias, before in self._before.items()}
            self._left.clear()
        self._go_on()

    def _go_on(self) -> None:
        while self._left and self._open < AT_ONCE and not self._over.happened:
            alias = self._left.popleft()
            self._open += 1
            url = renewal_info_url(self._base, self._before[alias].cert_id)
            self._scheduler.probe(self._request(url), self._answered(alias))
        if not self._open:
            self._over.set()

    def _answered(self, alias: Alias) -> Callable[[object, Exception | None], None]:
        def ended(value: object, error: Exception | None) -> None:
            self._open -= 1
            before = self._before[alias]
            if error is not None or not isinstance(value, Response):
                self._after[alias] = unheard(before, self._clock.now())
                self._give_up()
                return
            self._after[alias] = heard(alias, before, value)
            if says_later(value):
                self._give_up()
            else:
                self._go_on()

        return ended

    def _give_up(self) -> None:
        """Ask nobody else: what one question cannot reach, the others cannot reach either."""
        while self._left:
            alias = self._left.popleft()
            self._after[alias] = unheard(self._before[alias], self._clock.now())
        self._go_on()


def _ended(_value: object, _error: Exception | None) -> None:
    """Nothing is left to do."""
