"""Whom a limit is about, from the CA's words and the step that was limited."""

import json

import pytest

from builders.ca import DIRECTORY, ORIGIN
from builders.certificates import NOW
from builders.plans import CA, names
from certkeeper.acme.directory import read_directory
from certkeeper.acme.limits import Scope, scope_of
from certkeeper.acme.problem import Problem, problem_from_response
from certkeeper.base.wire import Response

URN = "urn:ietf:params:acme:error:"
KNOWN = read_directory(Response(200, NOW, (), json.dumps(DIRECTORY).encode()), CA)
NAMES = names("www.example.org", "*.example.net")
ORDER = f"{ORIGIN}/new-order"


def limited(detail: str, *, status: int = 429, url: str = ORDER, named: str = "") -> Problem:
    document: dict[str, object] = {"type": f"{URN}rateLimited", "detail": detail}
    if named:
        document["subproblems"] = [{"type": f"{URN}rateLimited", "identifier": {"type": "dns", "value": named}}]
    return problem_from_response(Response(status, NOW, (), json.dumps(document).encode()), url=url)


SEE = "see https://letsencrypt.org/docs/rate-limits/#"


@pytest.mark.parametrize(
    ("detail", "scope"),
    [
        (f"too many new orders (300) from this account in the last 3h0m0s, {SEE}new-orders-per-account", Scope.CA),
        ("Service busy; retry later.", Scope.CA),
        (
            f'too many certificates (50) already issued for "example.org" in the last 168h0m0s, {SEE}x',
            Scope.CERTIFICATE,
        ),
        (f"too many certificates (5) already issued for this exact set of identifiers, {SEE}x", Scope.CERTIFICATE),
        (f'too many failed authorizations (5) for "www.example.org" in the last 1h0m0s, {SEE}x', Scope.CERTIFICATE),
        ("slow down with WWW.example.org", Scope.CERTIFICATE),
        ("slow down with example.net.", Scope.CERTIFICATE),
        ("slow down with mywww.example.org, www.example.org.test and a.example.net", Scope.UNCLEAR),
        ("slow down", Scope.UNCLEAR),
        ("", Scope.UNCLEAR),
    ],
)
def test_what_a_refused_order_says(detail: str, scope: Scope) -> None:
    assert scope_of(limited(detail), KNOWN, NAMES) is scope


def test_names_in_subproblems_make_it_a_matter_of_the_certificate() -> None:
    assert scope_of(limited("too many new orders", named="www.example.org"), KNOWN, NAMES) is Scope.CERTIFICATE


def test_the_step_decides_where_the_words_do_not() -> None:
    for path in ("nonce", "new-account"):
        assert scope_of(limited("slow down", url=f"{ORIGIN}/{path}"), KNOWN, ()) is Scope.CA
    assert scope_of(limited("slow down", url=CA), None, ()) is Scope.CA
    assert scope_of(limited("slow down", url=f"{ORIGIN}/finalize/1"), KNOWN, NAMES) is Scope.CERTIFICATE


def test_a_load_balancer_speaks_for_the_ca_until_the_order_is_open() -> None:
    def busy(url: str) -> Problem:
        return problem_from_response(Response(503, NOW, (("retry-after", "60"),), b"<html>"), url=url)

    assert scope_of(busy(ORDER), KNOWN, NAMES) is Scope.CA
    assert scope_of(busy(f"{ORIGIN}/nonce"), KNOWN, NAMES) is Scope.CA
    # One order that is broken there for ever must not keep all others away.
    assert scope_of(busy(f"{ORIGIN}/finalize/1"), KNOWN, NAMES) is Scope.CERTIFICATE


def test_a_pause_is_a_matter_of_its_names() -> None:
    said = "Your account is temporarily prevented from requesting certificates for x and possibly others."
    assert scope_of(limited(f"{said} Please visit: https://ca.test/sfe/v1/unpause?jwt=e.y.j"), KNOWN, NAMES) is (
        Scope.CERTIFICATE
    )


@pytest.mark.parametrize("status", [400, 403, 500, 502])
def test_other_refusals_are_no_limits(status: int) -> None:
    body = json.dumps({"type": f"{URN}malformed", "detail": "too many new orders"}).encode()
    assert scope_of(problem_from_response(Response(status, NOW, (), body), url=ORDER), KNOWN, NAMES) is None
