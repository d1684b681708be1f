"""`certkeeper status`, `plan` and `run` where something waits: for a backoff, a name, a CA, a person."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.journals import read, write
from builders.page import certkeeper
from certkeeper.adapters.page import read_page
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.backoff import backoff_inputs, name_inputs
from certkeeper.plan.fingerprint import fingerprint
from certkeeper.plan.records import Backoff, Limit, NameBackoff, Record

CA = "https://localhost:9/dir"
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
LINK = "https://ca.test/sfe/v1/unpause?jwt=aa.bb.cc"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    config.write_text(
        f'CHALLENGETYPE="dns-01"\nPDNS_HOST="127.0.0.1"\nPDNS_PORT="9"\nPDNS_KEY="secret"\nCA="{CA}"\nCAA_CHECK=no\n'
    )
    (tmp_path / "domains.txt").write_text("a.example.org shared.example.org\nb.example.org shared.example.org\n")
    return config


def configuration(page: Path) -> Configuration:
    return read_page(str(page), str(page.parent), {})


def backoff(page: Path, message: str, link: str = "") -> Backoff:
    """Of the first certificate, as a run would have written it."""
    found = configuration(page)
    spec, settings = found.certificates[0], found.settings
    inputs = backoff_inputs(fingerprint(spec, Lineage(spec.alias), False), spec, settings)
    return Backoff(spec.alias, 2, LATER, inputs, message, link)


def name(page: Path) -> NameBackoff:
    found = configuration(page)
    inputs = name_inputs("shared.example.org", found.certificates[0], found.settings)
    return NameBackoff(CA, "shared.example.org", 3, LATER, inputs, "unauthorized: no such record")


def shown(page: Path, *records: Record) -> tuple[str, dict[str, object]]:
    write(page.parent / "state", *records)
    text = certkeeper("status", "--config", page, cwd=page.parent)
    document = certkeeper("status", "--json", "--config", page, cwd=page.parent)
    assert (text.code, text.err, document.code, document.err) == (0, "", 0, "")
    return text.out, json.loads(document.out)


def waiting(document: dict[str, object]) -> list[object]:
    certificates = document["certificates"]
    assert isinstance(certificates, list)
    return [item["waiting"] for item in certificates]


def test_nothing_waits(page: Path) -> None:
    text, document = shown(page)
    assert "waits" not in text
    assert waiting(document) == [None, None]
    assert (document["names"], document["limits"], document["journal_error"]) == ([], [], None)


def test_a_lineage_that_failed(page: Path) -> None:
    text, document = shown(page, backoff(page, "order: no"))
    assert f"    waits: failed 2 times, next try from {iso(LATER)}; the last failure: order: no\n" in text
    first, second = waiting(document)
    assert isinstance(first, dict)
    assert (first["for"], first["retry_at"], first["link"]) == ("backoff", iso(LATER), None)
    assert second is None


def test_a_paused_one_shows_the_link(page: Path) -> None:
    text, document = shown(page, backoff(page, "rateLimited: paused", LINK))
    assert "    waits: waits for a person" not in text
    assert "waits: for a person: the CA takes no order before somebody has opened its link" in text
    assert f"    open {LINK}, then: certkeeper run --force a.example.org\n" in text
    first, _ = waiting(document)
    assert isinstance(first, dict)
    assert first["link"] == LINK


def test_a_name_that_failed_and_every_certificate_with_it(page: Path) -> None:
    text, document = shown(page, name(page))
    assert text.count("    waits: shared.example.org failed validation 3 times, next try from") == 2
    # Why was told with the certificates.
    assert f"name shared.example.org: failed validation 3 times at {CA}, next try from {iso(LATER)}\n" in text
    assert document["names"] == [
        {
            "ca": CA,
            "name": "shared.example.org",
            "failures": 3,
            "retry_at": iso(LATER),
            "message": "unauthorized: no such record",
        }
    ]
    assert all(isinstance(item, dict) and item["for"] == "backoff" for item in waiting(document))


def test_a_ca_that_has_had_enough(page: Path) -> None:
    limit = Limit(CA, 1, LATER, "rateLimited: too many new orders")
    text, document = shown(page, limit)
    assert f"CA {CA}: not asked before {iso(LATER)}\n" in text
    assert "rateLimited: too many new orders" in text
    assert document["limits"] == [
        {"ca": CA, "failures": 1, "retry_at": iso(LATER), "message": "rateLimited: too many new orders"}
    ]
    assert all(isinstance(item, dict) and item["for"] == "ca" for item in waiting(document))
    # `run` leaves it alone, says until when, and ends as a run does that could not renew what is due.
    done = certkeeper("run", "--config", page, cwd=page.parent)
    assert done.code == 1
    assert "a.example.org: https://localhost:9/dir: not asked for certificates before" in done.err
    assert "b.example.org: for the same reason" in done.err
    assert f"next due {iso(LATER)}" in done.out
    assert read(page.parent / "state").limits == {CA: limit}


def test_what_is_over_is_not_shown(page: Path) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    old = NameBackoff(CA, "shared.example.org", 1, past, "", "no")
    text, document = shown(page, old, Limit(CA, 1, past, "no"))
    assert "waits" not in text
    assert "CA " not in text
    assert (document["names"], document["limits"]) == ([], [])


def test_certificates_are_shown_although_the_journal_is_damaged(page: Path) -> None:
    write(page.parent / "state", Limit(CA, 1, LATER, "no"))
    (page.parent / "state" / "journal.db").write_bytes(b"garbage" * 1000)
    done = certkeeper("status", "--config", page, cwd=page.parent)
    assert done.code == 0
    assert "a.example.org" in done.out
    assert "damaged" in done.err
    document = json.loads(certkeeper("status", "--json", "--config", page, cwd=page.parent).out)
    assert "damaged" in document["journal_error"]["message"]
    assert [item["alias"] for item in document["certificates"]] == [str(Alias("a.example.org")), "b.example.org"]
