import json
from datetime import timedelta

import pytest

from builders.ca import DIRECTORY, ORIGIN
from builders.certificates import NOW
from builders.plans import CA
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.directory import Directory, clock_behind, read_directory
from certkeeper.base.wire import Response


def read(document: object) -> Directory:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_directory(Response(200, NOW, body=body), CA)


def test_unknown_members_are_ignored() -> None:
    directory = read({**DIRECTORY, "renewalInfo": f"{ORIGIN}/ari", "junk": ["https://ca.example/x"], "7": None})
    assert directory.new_order == f"{ORIGIN}/new-order"
    assert directory.terms_of_service == f"{ORIGIN}/terms"
    assert not directory.external_account_required


def test_it_says_where_renewals_are_advised_on() -> None:
    assert read({**DIRECTORY, "renewalInfo": f"{ORIGIN}/ari"}).renewal_info == f"{ORIGIN}/ari"
    assert read(DIRECTORY).renewal_info == ""
    assert read({**DIRECTORY, "renewalInfo": 7}).renewal_info == ""


@pytest.mark.parametrize("meta", [None, [], "terms", 7, {"termsOfService": 7, "externalAccountRequired": "yes"}])
def test_meta_of_the_wrong_kind_counts_as_none(meta: object) -> None:
    directory = read({**DIRECTORY, "meta": meta})
    assert (directory.terms_of_service, directory.external_account_required) == ("", False)


def test_a_ca_may_bind_accounts_to_customers() -> None:
    assert read({**DIRECTORY, "meta": {"externalAccountRequired": True}}).external_account_required


@pytest.mark.parametrize(
    ("value", "identities"),
    [
        (["ca.example", "ca.example.net"], ("ca.example", "ca.example.net")),
        (["", 7, None, "ca.example"], ("ca.example",)),
        ("ca.example", ()),
        (None, ()),
    ],
)
def test_a_ca_says_who_it_is_in_caa(value: object, identities: tuple[str, ...]) -> None:
    assert read({**DIRECTORY, "meta": {"caaIdentities": value}}).caa_identities == identities


@pytest.mark.parametrize(
    ("value", "profiles"),
    [
        ({"classic": "90 days", "short": None}, ("classic", "short")),
        ({}, ()),
        (["classic"], ()),
        ("classic", ()),
        (None, ()),
    ],
)
def test_a_ca_says_which_profiles_it_offers(value: object, profiles: tuple[str, ...]) -> None:
    assert read({**DIRECTORY, "meta": {"profiles": value}}).profiles == profiles


def test_profiles_without_end_are_not_kept() -> None:
    many = {f"p{number}": "" for number in range(10_000)}
    assert len(read({**DIRECTORY, "meta": {"profiles": many}}).profiles) == 100


@pytest.mark.parametrize("name", ["newNonce", "newAccount", "newOrder"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_member_that_is_needed_is_named_when_missing(name: str, value: object) -> None:
    with pytest.raises(MalformedBody, match=f"directory {CA}: no {name} in it") as caught:
        read({**DIRECTORY, name: value})
    assert "RFC 8555" in caught.value.hint


def test_a_directory_of_acme_v1_says_what_ca_must_be() -> None:
    with pytest.raises(MalformedBody, match="no newNonce, newAccount, newOrder"):
        read({"new-authz": "https://ca.example/authz", "new-cert": "https://ca.example/cert"})


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b"[]", b'"text"'])
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody, match="directory"):
        read(body)


@pytest.mark.parametrize(
    ("date", "behind"),
    [
        ("Mon, 23 Nov 2026 12:00:00 GMT", timedelta(0)),
        ("Mon, 23 Nov 2026 12:07:00 GMT", timedelta(minutes=7)),
        ("Sun, 22 Nov 2026 12:00:00 -0000", timedelta(days=-1)),
        ("yesterday", None),
        ("Mon, 99 Nov 99999 99:99:99 GMT", None),
        ("", None),
    ],
)
def test_the_servers_clock_is_read_from_its_answer(date: str, behind: timedelta | None) -> None:
    assert clock_behind(Response(200, NOW, (("date", date),) if date else (), b"")) == behind
