"""What a person decides of keys under TLSA records: `tlsa roll`, `compromise`, `retire`; and `status` and `why`."""

import json

import pytest
from cryptography import x509

from integration.dane.conftest import MakePublished
from integration.dane.published import FOREIGN, Published, typed

pytestmark = pytest.mark.real


def revoked(page: Published, leaf: bytes) -> bool:
    """What the CA says."""
    serial = x509.load_der_x509_certificate(leaf).serial_number
    pebble = page.world.pebble
    document = json.loads(pebble.fetch(f"{pebble.management_url}/cert-status-by-serial/{serial:x}"))
    return (document["Status"], document.get("Reason")) == ("Revoked", 1)


def test_a_roll_is_refused_until_caches_know_the_next_key_and_done_then(page: Published) -> None:
    page.publish(FOREIGN)
    page.configure(TLSA_MARGIN="3600")
    page.run()
    current, ahead = page.current, page.next
    refused = typed(page, "tlsa", "roll", page.zone)

    assert refused.code == 1
    assert "the next key is not used yet" in refused.err
    assert "--now" in refused.err
    assert (page.current, page.next, page.records()) == (current, ahead, {current, ahead, FOREIGN})

    page.configure(TLSA_MARGIN="0")
    page.ready()
    why = typed(page, "why", page.zone)
    assert "a renewal now gets the next key" in why.out, why.text
    done = typed(page, "tlsa", "roll", page.zone)

    assert done.code == 0, done.text
    assert page.served() == page.current == ahead
    # The decision was carried out, once.
    page.ready()
    assert page.records() == {ahead, page.next, FOREIGN}
    assert page.served() == ahead
    # Its key has no record any more.
    back = typed(page, "rollback", page.zone)
    assert (back.code, page.served()) == (1, ahead), back.text
    assert "does not go live yet" in back.err
    assert page.run().code == 0


def test_a_roll_where_nobody_knows_a_record_says_that_it_breaks_nobody(make_published: MakePublished) -> None:
    page = make_published(dnssec=False)
    page.run()
    ahead = page.next
    refused = typed(page, "tlsa", "roll", page.zone)

    assert refused.code == 1
    assert "the zone is not signed" in refused.err
    assert f"breaks nobody: certkeeper tlsa roll {page.zone} --now" in refused.err
    done = typed(page, "tlsa", "roll", page.zone, "--now", "--yes")
    assert done.code == 0, done.text
    assert "no cache holds a record, so no client fails" in done.out
    assert page.served() == page.current == ahead


@pytest.mark.long
def test_a_roll_at_once_says_what_breaks(page: Published) -> None:
    page.configure(TLSA_MARGIN="3600")
    page.run()
    ahead = page.next
    done = typed(page, "tlsa", "roll", page.zone, "--now", "--yes")

    assert done.code == 0, done.text
    assert "refuse the new key until their caches know it" in done.out
    assert page.served() == page.current == ahead


@pytest.mark.long
def test_a_compromised_key_is_replaced_revoked_and_withdrawn(page: Published) -> None:
    page.publish(FOREIGN)
    page.run()
    page.ready()
    current, ahead, leaf = page.current, page.next, page.leaf(page.zone)
    done = typed(page, "tlsa", "compromise", page.zone, "--yes")

    assert done.code == 0, done.text
    assert page.served() == page.current == ahead
    assert "revoked: key compromise" in done.out
    assert revoked(page, leaf)
    page.ready()
    assert page.records() == {ahead, page.next, FOREIGN}
    assert current not in page.records()
    status = json.loads(typed(page, "tlsa", "status", "--json").out)
    assert status["turns"] == []


def test_a_compromise_that_has_to_wait_is_gone_on_with_by_runs(page: Published) -> None:
    page.configure(TLSA_MARGIN="3600")
    page.run()
    current, ahead, leaf = page.current, page.next, page.leaf(page.zone)
    waits = typed(page, "tlsa", "compromise", page.zone, "--yes")

    assert waits.code == 0, waits.text
    assert page.served() == page.current == current
    assert not revoked(page, leaf)
    page.configure(TLSA_MARGIN="0")
    page.run_until("revoked: key compromise")

    assert page.served() == page.current == ahead
    assert revoked(page, leaf)


def test_records_are_retired_and_published_again(page: Published) -> None:
    page.run()
    current, ahead = page.current, page.next
    done = typed(page, "tlsa", "retire", page.zone)

    assert done.code == 0, done.text
    assert page.records() == set()
    page.run()
    assert page.records() == set()
    done = typed(page, "tlsa", "retire", page.zone, "--undo")

    assert done.code == 0, done.text
    assert page.records() == {current, ahead}


def test_status_says_where_each_owner_stands_and_changes_nothing(page: Published) -> None:
    before = typed(page, "tlsa", "status")
    assert before.code == 0, before.text
    assert page.records() == set()
    page.publish(FOREIGN)
    page.run()
    patches = page.patches()
    text, document = typed(page, "tlsa", "status", page.zone), json.loads(typed(page, "tlsa", "status", "--json").out)

    assert text.code == 0, text.text
    assert f"{page.owner}: " in text.out
    assert f"{page.zone}, live, everywhere since" in text.out
    assert f"{page.zone}, next key, everywhere since" in text.out
    assert "not ours" in text.out
    (owner,) = document["owners"]
    assert (owner["place"], owner["trust"], owner["holds"]) == (page.owner, "secure", [])
    assert set(owner["records"]) == {page.current, page.next, FOREIGN}
    assert page.patches() == patches


@pytest.mark.long
def test_records_of_a_certificate_that_left_the_page_stay_until_they_are_retired(page: Published) -> None:
    page.run()
    both = page.records()
    page.domains.write_text("")
    left = page.run()
    assert page.records() == both
    assert f"certkeeper tlsa retire {page.zone}" in left.out, left.text
    kept = typed(page, "retire", page.zone, "--yes")
    assert kept.code == 1, kept.text
    assert f"certkeeper tlsa retire {page.zone}" in kept.err
    done = typed(page, "tlsa", "retire", page.zone)

    assert done.code == 0, done.text
    assert page.records() == set()
