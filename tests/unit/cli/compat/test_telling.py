"""Events in dehydrated's lines, and errors."""

import io

import pytest

from builders.certificates import NOW
from certkeeper.acme.account import TermsNotAccepted
from certkeeper.acme.order import OrderFailed
from certkeeper.acme.problem import Problem, problem_from_response
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted, Location
from certkeeper.base.events import Event, Noted, ScriptTrusted
from certkeeper.base.names import Identifier
from certkeeper.base.traces import (
    AuthorizationRead,
    CertificateChecked,
    ChallengeAnswered,
    ChallengeMet,
    ChallengesDue,
    ChallengesOver,
    NonceRefused,
)
from certkeeper.base.wire import Response
from certkeeper.cli.compat.failing import exit_code_of, print_failure
from certkeeper.cli.compat.telling import SigningTelling, Telling
from certkeeper.cli.render import Lines
from certkeeper.config.providers import ProviderKind, missing_provider

NAMES = ("a.org", "b.org", "c.org")


def told(*events: Event, kind: type[Telling] = Telling) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    telling = kind(out, err)
    for event in events:
        telling.tell(event)
    return out.getvalue(), err.getvalue()


def failure(error: CertkeeperError) -> str:
    err = io.StringIO()
    print_failure(error, err, "dehydrated")
    return err.getvalue()


def test_nobody_is_told_that_a_script_is_trusted() -> None:
    assert told(ScriptTrusted("a.org", "no name servers")) == ("", "")


def test_dns_01_without_a_script_is_told_as_such() -> None:
    said = failure(missing_provider(Location("config"), "a.org", ProviderKind.HOOK))
    assert said.startswith("ERROR: The challenge type dns-01 needs a hook script")
    assert 'hint: write HOOK="' in said


@pytest.mark.row("G19")
def test_the_lines_end_at_the_first_name_that_failed() -> None:
    out, _ = told(
        ChallengesDue("x", NAMES),
        ChallengeAnswered("x", "a.org"),
        ChallengeMet("x", "a.org"),
        ChallengeAnswered("x", "b.org"),
        ChallengesOver("x", proven=False, failed=("b.org",)),
    )
    assert out.splitlines() == [
        " + 3 pending challenge(s)",
        " + Deploying challenge tokens...",
        " + Responding to challenge for a.org authorization...",
        " + Challenge is valid!",
        " + Responding to challenge for b.org authorization...",
        " + Cleaning challenge tokens...",
        " + Challenge validation has failed :(",
    ]


@pytest.mark.row("G14")
def test_a_name_that_is_proven_already() -> None:
    out, _ = told(
        AuthorizationRead("x", "a.org", proven=True), ChallengesDue("x", ()), ChallengesOver("x", proven=True)
    )
    assert out.splitlines() == [
        " + Handling authorization for a.org",
        " + Found valid authorization for a.org",
        " + 0 pending challenge(s)",
    ]


def test_a_proof_that_does_not_count() -> None:
    out, _ = told(AuthorizationRead("x", "a.org", proven=False, ignored=True))
    assert out.splitlines() == [
        " + Handling authorization for a.org",
        " + A valid authorization has been found but will be ignored",
    ]


def test_what_was_published_is_cleaned_after_any_failure() -> None:
    out, _ = told(ChallengesDue("x", NAMES), ChallengesOver("x", proven=False))
    assert out.splitlines()[2:] == [" + Cleaning challenge tokens..."]


@pytest.mark.row("G20")
def test_a_refused_nonce_is_told_on_standard_error() -> None:
    assert told(NonceRefused("https://ca.test/order")) == (
        "",
        " ! Request failed (badNonce), retrying request...\n",
    )


def test_notes_go_to_standard_error_in_one_line() -> None:
    assert told(Noted("x", "odd\x1b[0m\nthing")) == ("", " ! x: odd [0m thing\n")


def test_a_request_of_others_makes_no_files() -> None:
    checked = CertificateChecked("x", "Root")
    assert told(checked)[0].splitlines()[-1] == " + Creating fullchain.pem..."
    assert told(checked, kind=SigningTelling)[0].splitlines() == [
        " + Using preferred chain with CN = Root",
        " + Checking certificate...",
        " + Done!",
    ]


def test_other_displays_leave_steps_out() -> None:
    out = io.StringIO()
    Lines(out).tell(ChallengesDue("x", NAMES))
    assert out.getvalue() == ""


def test_a_refusal_is_shown_as_it_came() -> None:
    headers = (("Server", "odd\x1b[0m"), ("Replay-Nonce", "n1"), ("Set-Cookie", "session=1"))
    body = b'{\n "type": "urn:ietf:params:acme:error:rejectedIdentifier",\n "detail": "no"\n}'
    refused = problem_from_response(Response(403, NOW, headers, body), url="https://ca.test/order")
    shown = failure(refused).split("\nDetails:\n")[1]
    assert shown.splitlines()[:6] == [
        "Server: odd [0m",
        "",
        "{",
        '"type": "urn:ietf:params:acme:error:rejectedIdentifier",',
        '"detail": "no"',
        "}",
    ]
    assert "session" not in failure(refused)


def test_errors() -> None:
    refused = Problem("rejectedIdentifier", "no", status=403, url="https://ca.test/order", hint="ask another one")
    assert failure(refused).startswith(
        "  + ERROR: An error occurred while sending post-request to https://ca.test/order (Status 403)\n\nDetails:\n"
    )
    assert failure(CertkeeperError("lock: gone", hint="look")) == "ERROR: lock: gone\nhint: look\n"
    invalid = OrderFailed("b.org: no record", said={Identifier.parse("b.org"): "no record"})
    assert failure(invalid) == "ERROR: Challenge is invalid! (returned: invalid) (result: b.org: no record)\n"
    terms = failure(TermsNotAccepted("ca: no account", terms="https://ca.test/terms"))
    assert "https://ca.test/terms\n\n" in terms
    assert "`dehydrated --register --accept-terms`" in terms


def test_exit_codes() -> None:
    usage = CertkeeperError("no")
    usage.exit_code = ExitCode.USAGE
    assert exit_code_of(usage) == 1
    assert exit_code_of(Interrupted(ExitCode.TERMINATED)) == 143
