"""What happens while certificates are made, in the lines that dehydrated has for it; people search mail for them."""

from collections.abc import Iterator
from typing import ClassVar, TextIO

from certkeeper.base.errors import printable
from certkeeper.base.events import Event, HookCalled, Noted, RequestTaken, ZoneChanged, ZoneProven, ZoneUnproven
from certkeeper.base.stapled import StapleKept
from certkeeper.base.traces import (
    AccountRequested,
    AccountSought,
    AuthorizationRead,
    AuthorizationsListed,
    CertificateChecked,
    CertificateRequested,
    ChallengeAnswered,
    ChallengeMet,
    ChallengesDue,
    ChallengesOver,
    NonceRefused,
    OrderRequested,
)


class Telling:
    """Where events go. `out` gets what went well, `err` what somebody should look at."""

    after_check: ClassVar[tuple[str, ...]] = (" + Creating fullchain.pem...",)

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._due: tuple[str, ...] = ()

    def tell(self, event: Event) -> None:
        match event:
            case HookCalled():
                # As the script wrote it: what dehydrated's scripts print goes where its own lines go.
                self._out.write(event.output)
            case Noted():
                self._err.write(f" ! {printable(event.text)}\n")
            case NonceRefused():
                self._err.write(" ! Request failed (badNonce), retrying request...\n")
            case ChallengesDue():
                self._due = event.names
                self._say(*_due_lines(len(event.names)))
            case ChallengeAnswered():
                self._say(f" + Responding to challenge for {event.name} authorization...")
            case ChallengeMet():
                self._say(" + Challenge is valid!")
            case ChallengesOver():
                self._say(*self._over(event))
            case CertificateChecked():
                chosen = [f" + Using preferred chain with CN = {printable(event.preferred)}"] if event.preferred else []
                self._say(*chosen, " + Checking certificate...", " + Done!", *self.after_check)
            case _:
                self._say(*_lines(event))

    def _over(self, event: ChallengesOver) -> Iterator[str]:
        due, self._due = self._due, ()
        if not due:
            return
        yield " + Cleaning challenge tokens..."
        if event.failed:
            yield " + Challenge validation has failed :("

    def _say(self, *lines: str) -> None:
        self._out.write("".join(f"{line}\n" for line in lines))
        self._out.flush()


class SigningTelling(Telling):
    """The same where the certificate goes to somebody else, and no files are made."""

    after_check = ()


def _due_lines(number: int) -> tuple[str, ...]:
    pending = f" + {number} pending challenge(s)"
    return (pending, " + Deploying challenge tokens...") if number else (pending,)


def _handled(event: AuthorizationRead) -> Iterator[str]:
    yield f" + Handling authorization for {event.name}"
    if event.ignored:
        yield " + A valid authorization has been found but will be ignored"
    elif event.proven:
        yield f" + Found valid authorization for {event.name}"


def _lines(event: Event) -> tuple[str, ...]:
    match event:
        case StapleKept():
            return (" + Updating OCSP stapling file",)
        case RequestTaken():
            return (f" + Using CSR from hook script (real names: {' '.join(event.names)})",)
        case AccountRequested():
            return "+ Generating account key...", "+ Registering account key with ACME server..."
        case AccountSought():
            return ("+ Fetching account URL...",)
        case OrderRequested():
            return (" + Requesting new certificate order from CA...",)
        case AuthorizationsListed():
            return (f" + Received {event.number} authorizations URLs from the CA",)
        case AuthorizationRead():
            return tuple(_handled(event))
        case CertificateRequested():
            return (" + Requesting certificate...",)
        case ZoneChanged() | ZoneProven() | ZoneUnproven():
            # Of our own DNS providers, where dehydrated has a script that may say something.
            return f" + {printable(event.text)}", *(f"   {printable(line)}" for line in event.details)
        case _:
            return ()
