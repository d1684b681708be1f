import json
from datetime import timedelta

import pytest

from builders.certificates import NOW
from certkeeper.acme.problem import Problem, Remedy, problem_from_document, problem_from_response
from certkeeper.base.errors import Fault
from certkeeper.base.wire import Response

URN = "urn:ietf:params:acme:error:"


def read(body: object, *, status: int = 400, context: str = "", **headers: str) -> Problem:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return problem_from_response(Response(status, NOW, fields, octets), context)


def test_a_problem_is_the_cas_own_words_behind_what_was_asked() -> None:
    problem = read({"type": f"{URN}badCSR", "detail": "key too small"}, status=403, context="finalize: ")
    assert str(problem) == "finalize: badCSR: key too small"
    assert (problem.type, problem.detail, problem.status) == ("badCSR", "key too small", 403)
    assert problem.fault is Fault.REMOTE
    assert problem.retry_at is None


def test_a_type_that_is_not_acmes_stays_whole() -> None:
    assert read({"type": "https://ca.example/e/quota", "detail": "none left"}).type == "https://ca.example/e/quota"


def test_subproblems_name_their_identifiers() -> None:
    problem = read(
        {
            "type": f"{URN}rejectedIdentifier",
            "detail": "two names",
            "subproblems": [
                {
                    "type": f"{URN}rejectedIdentifier",
                    "detail": "not public",
                    "identifier": {"type": "dns", "value": "a.test"},
                },
                {"type": f"{URN}caa", "identifier": {"type": "dns", "value": "b.test"}},
                {"type": f"{URN}caa", "detail": "whose?"},
                "no object",
            ],
        }
    )
    assert [sub.identifier for sub in problem.subproblems] == ["a.test", "b.test", ""]
    assert str(problem) == (
        "rejectedIdentifier: two names; a.test: rejectedIdentifier: not public; b.test: caa; caa: whose?"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<html>\x1b[31mBad\r\nGateway</html>",
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'{"detail": "no type"}',
        b'{"type": 7}',
    ],
)
def test_a_body_that_is_no_problem_document_names_the_status(body: bytes) -> None:
    problem = read(body, status=502)
    assert str(problem).startswith("HTTP 502")
    assert str(problem).isprintable()
    assert problem.type == "HTTP 502"


def test_members_of_the_wrong_kind_are_left_out() -> None:
    problem = problem_from_document({"type": f"{URN}caa", "detail": ["x"], "subproblems": {"a": 1}})
    assert (str(problem), problem.subproblems) == ("caa", ())
    assert problem_from_document({}).type == "about:blank"


def test_control_characters_never_reach_a_message() -> None:
    evil = "a\x1b]0;owned\x07\r\nb\u202ec\ud800"
    subproblem = {"type": evil, "detail": evil, "identifier": {"value": evil}}
    problem = read({"type": evil, "detail": evil, "subproblems": [subproblem]})
    assert str(problem).isprintable()
    assert str(problem).encode()


def test_a_detail_of_a_megabyte_is_cut() -> None:
    problem = read({"type": f"{URN}malformed", "detail": "x" * 2**20})
    assert 1900 < len(str(problem)) < 2200
    assert str(problem).endswith("…")


# Each text is bounded, and so is their number.
def test_ten_thousand_subproblems_make_no_message_of_a_megabyte() -> None:
    one = {"type": f"{URN}caa", "detail": "x" * 100, "identifier": {"value": "a.test"}}
    assert len(str(read({"type": f"{URN}compound", "subproblems": [one] * 10_000}))) < 20_000


# json.loads raises RecursionError for it, which is no ValueError.
def test_json_that_is_nested_too_deep_is_a_body_like_any_other_nonsense() -> None:
    assert read(b"[" * 100_000, status=500).type == "HTTP 500"


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [("120", timedelta(seconds=120)), ("Mon, 23 Nov 2026 12:10:00 GMT", timedelta(minutes=10))],
)
def test_both_forms_of_retry_after_become_an_instant(retry_after: str, wait: timedelta) -> None:
    problem = read({"type": f"{URN}rateLimited", "detail": "slow"}, status=429, retry_after=retry_after)
    assert problem.retry_at == NOW + wait
    assert "limits requests" in problem.hint


def test_a_retry_after_that_is_neither_form_is_none() -> None:
    assert read({"type": f"{URN}rateLimited"}, status=429, retry_after="soon").retry_at is None


@pytest.mark.parametrize("type_", ["rateLimited", "accountDoesNotExist", "externalAccountRequired"])
def test_what_the_operator_can_mend_has_a_hint(type_: str) -> None:
    assert read({"type": f"{URN}{type_}", "detail": "no"}).hint


@pytest.mark.parametrize(
    ("type_", "detail"),
    [
        ("alreadyReplaced", ""),
        ("malformed", "cannot parse the replaces field"),
        ("malformed", "While parsing ARI CertID an error occurred"),
        ("unauthorized", "requester account did not request the certificate being replaced by this order"),
        ("serverInternal", "failed to look up the certificate being REPLACED"),
        ("serverInternal", "could not find an order for the given certificate: could not find order"),
    ],
)
def test_an_objection_to_what_is_replaced(type_: str, detail: str) -> None:
    assert Problem(type_, detail).of_replacement


@pytest.mark.parametrize("detail", ["", "too many certificates", "bad charism", "binary.example.org is blocked"])
def test_an_objection_to_the_order(detail: str) -> None:
    assert not Problem("malformed", detail).of_replacement


@pytest.mark.parametrize(
    ("type_", "status", "retry_after", "remedy"),
    [
        ("rateLimited", 429, "60", Remedy.WAIT),
        ("rateLimited", 429, "", Remedy.WAIT),
        ("rateLimited", 503, "", Remedy.WAIT),
        ("about:blank", 429, "", Remedy.WAIT),
        ("about:blank", 503, "60", Remedy.WAIT),
        ("about:blank", 503, "", Remedy.TRANSIENT),
        ("serverInternal", 500, "", Remedy.TRANSIENT),
        ("badNonce", 400, "", Remedy.TRANSIENT),
        ("userActionRequired", 403, "", Remedy.HUMAN),
        ("externalAccountRequired", 403, "", Remedy.HUMAN),
        ("malformed", 400, "60", Remedy.CHANGE),
        ("unauthorized", 403, "", Remedy.CHANGE),
    ],
)
def test_what_makes_it_go_away(type_: str, status: int, retry_after: str, remedy: Remedy) -> None:
    headers = {"retry_after": retry_after} if retry_after else {}
    assert read({"type": f"{URN}{type_}", "detail": "no"}, status=status, **headers).remedy is remedy


UNPAUSE = "https://ca.example/sfe/v1/unpause?jwt=aa.bb.cc"


@pytest.mark.parametrize(
    ("document", "headers"),
    [
        (
            {"detail": f"Your account is temporarily prevented from requesting certificates. Please visit: {UNPAUSE}"},
            {},
        ),
        ({"detail": f"paused (see https://ca.example/docs) until you go to {UNPAUSE}."}, {}),
        ({"detail": "no", "instance": UNPAUSE}, {}),
        ({"detail": "paused", "instance": "not a url"}, {"link": f'<{UNPAUSE}>;rel="help"'}),
        ({"detail": "no"}, {"link": f'<https://ca.example/directory>;rel="index", <{UNPAUSE}>;rel="unpause"'}),
    ],
)
def test_a_paused_name_needs_a_person_and_says_where(document: dict[str, str], headers: dict[str, str]) -> None:
    said = read({"type": f"{URN}rateLimited", **document}, status=429, retry_after="1", **headers)
    assert said.paused
    assert said.remedy is Remedy.HUMAN
    assert said.link == UNPAUSE
    assert said.hint == f"open this link: {UNPAUSE}"
    # Whatever the CA says of time: nothing changes before a person has acted.
    assert said.retry_at == NOW + timedelta(days=1)


def test_a_limit_that_only_takes_time_is_no_pause() -> None:
    link = {"link": '<https://ca.example/directory>;rel="index"'}
    said = read({"type": f"{URN}rateLimited", "detail": "see https://ca.example/limits"}, status=429, **link)
    assert not said.paused
    assert said.link == "https://ca.example/limits"
    assert read({"type": f"{URN}rateLimited", "detail": "later"}, status=429, **link).link == ""
    # The same words in another kind of refusal ask for nobody.
    assert not read({"type": f"{URN}malformed", "detail": f"paused {UNPAUSE}"}).paused


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("0", 1), ("1", 1), ("60", 60), ("86400", 86400), ("99999999", 86400), ("soon", None)]
)
def test_a_wait_is_bounded_on_both_sides(retry_after: str, seconds: int | None) -> None:
    said = read({"type": f"{URN}rateLimited", "detail": "later"}, status=429, retry_after=retry_after)
    assert said.retry_at == (None if seconds is None else NOW + timedelta(seconds=seconds))
    assert ("99999999" in said.hint) == (retry_after == "99999999")


CHANGED = {"type": f"{URN}userActionRequired", "detail": "Terms of service have changed"}
TERMS = '<https://ca.example/terms/v2>; rel="terms-of-service"'


def test_changed_terms_come_with_what_to_read_and_where_to_agree() -> None:
    problem = read({**CHANGED, "instance": "https://ca.example/agree?token=W8Ih3PswD-8"}, status=403, link=TERMS)
    assert problem.hint == (
        "read the CA's terms: https://ca.example/terms/v2; "
        "open https://ca.example/agree?token=W8Ih3PswD-8 in a browser and do what it asks for; then run again"
    )


def test_terms_that_changed_without_a_page_are_told_all_the_same() -> None:
    assert read(CHANGED, status=403).hint == "agree to them as the CA says; then run again"
    assert "https://ca.example/terms/v2; agree" in read(CHANGED, status=403, link=TERMS).hint


@pytest.mark.parametrize(
    "instance",
    [
        "javascript:alert(1)",
        "/relative",
        "https://ca.example/\x1b[31m",
        "https://ca.example/ a",
        7,
        None,
        "x" * 5000,
        "https://ca.example/" + "x" * 400,
        "file:///etc/passwd",
        "<" * 9999,
    ],
)
def test_a_page_that_is_no_web_page_is_not_shown(instance: object) -> None:
    hint = read({**CHANGED, "instance": instance}, status=403, link=f'<{instance}>; rel="terms-of-service"').hint
    assert hint == "agree to them as the CA says; then run again"


def test_what_a_refusal_is_about_stays_with_it() -> None:
    assert read({"type": f"{URN}malformed"}, status=409, location="https://ca.example/1").location
    assert read({"type": f"{URN}malformed"}, status=409).location == ""
