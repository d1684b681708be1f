"""What DNS does not prove, or not everywhere, holds publication or the gate; what is said tells why and what to do."""

import pytest

from bed import ports
from integration.dane.conftest import MakePublished
from integration.dane.published import FOREIGN, READY, Published, said, typed

pytestmark = pytest.mark.real
AGAIN = "a record of ours is not at every name server any more: it has to be published again, and waits anew"


def test_an_unsigned_zone_gets_no_record_and_the_key_stays(make_published: MakePublished) -> None:
    page = make_published(dnssec=False)
    done = page.run()
    fix = f"sign it: pdnsutil secure-zone {page.zone}"
    held = f"unpublished, held: the zone is not signed, so nothing is published; {fix}"

    assert done.code == 0, done.text
    assert said(done) == f"TLSA {page.owner}: {held} (zone {page.zone} is not signed)"
    assert (page.records(), page.patches()) == (set(), [])
    assert "key: the present one again" in page.plan("--force").out


@pytest.mark.long
def test_a_zone_without_ds_record_gets_no_record(make_published: MakePublished) -> None:
    page = make_published(linked=False)
    done = page.run()

    assert done.code == 0, done.text
    assert f"TLSA {page.owner}: unpublished, held: the parent zone has no DS record, so nothing is published" in said(
        done
    )
    assert (page.records(), page.patches()) == (set(), [])


@pytest.mark.long
def test_a_resolver_that_does_not_validate_keeps_the_gate_shut(page: Published) -> None:
    page.configure(VALIDATING_RESOLVER=page.world.primary.server)
    done = page.run()

    assert done.code == 0, done.text
    assert "held: nobody who validates DNSSEC could be asked, so the current key stays" in said(done)
    assert page.records() == {page.current, page.next}
    done = page.run()
    assert "changed" not in done.out
    assert len(page.patches()) == 1


@pytest.mark.long
def test_a_record_that_was_removed_by_hand_is_published_again_and_waits_anew(page: Published) -> None:
    page.run()
    page.ready()
    page.configure(TLSA_MARGIN="60")
    page.publish(page.current, FOREIGN)
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.records() == {page.current, page.next, FOREIGN}
    assert f"TLSA {page.owner}: {AGAIN}" in said(done).splitlines()
    assert f"TLSA {page.owner}: ageing" in said(done)
    assert "key: the present one again" in page.plan("--force").out


@pytest.mark.long
def test_a_name_server_that_is_silent_keeps_the_gate_shut_and_is_not_waited_for_again(page: Published) -> None:
    page.run()
    page.ready()
    port = ports.reserve()
    ports.release(port)
    page.configure(NAMESERVERS=f"{page.world.nameservers} 127.0.0.1:{port}")
    requests = len(page.patches())
    done = page.run()

    held = f"held: 127.0.0.1:{port} gives no answer, so the current key stays; mend that name server"
    assert done.code == 0, done.text
    assert held in said(done)
    assert len(page.patches()) == requests
    assert "key: the present one again" in page.plan("--force").out


def test_where_tlsa_is_no_again_the_records_go_and_the_key_stays_until_caches_forgot(page: Published) -> None:
    page.run()
    page.ready()
    page.configure(TLSA="no", TLSA_MARGIN="60", PRIVATE_KEY_RENEW="yes")
    current = page.current
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.records() == set()
    leaving = "leaving, waits for caches to forget the records that were there, until TIME"
    assert f"TLSA {page.owner}: {leaving}" in said(done)
    done = page.run("--force")
    assert (done.code, done.err) == (0, ""), done.text
    assert page.served() == page.current == current


@pytest.mark.long
def test_a_record_of_somebody_else_s_stays_and_ours_with_it(page: Published) -> None:
    """Alone it would be one that the live key does not match."""
    page.publish(FOREIGN)
    page.run()
    page.configure(TLSA="no")
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.records() == {page.current, page.next, FOREIGN}
    alone = "without it clients would have somebody else's record alone, which is to be removed first"
    stays = f"leaving, the old record stays: {alone}"
    assert f"TLSA {page.owner}: {stays}" in said(done)


@pytest.mark.long
def test_a_person_who_publishes_gets_the_lines_and_the_gate_follows_what_dns_shows(page: Published) -> None:
    page.configure(TLSA_PUBLISH="manual")
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert (page.records(), page.patches()) == (set(), [])
    lines = done.out.splitlines()
    at = lines.index('TLSA records for you to publish, all lines at once (TLSA_PUBLISH="manual"):')
    assert set(lines[at + 1 : -1]) == {f"{page.owner}. 1 IN TLSA {record}" for record in (page.current, page.next)}
    assert "key: the present one again" in page.plan("--force").out
    page.publish(page.current, page.next)
    assert READY in page.ready().out
    assert "key: the next one, privkey.roll.pem" in page.plan("--force").out


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"DNS_PROVIDER": "lexicon", "LEXICON_PROVIDER": "cloudflare"}, "lexicon writes one record after the other"),
        ({"DNS_PROVIDER": "manual"}, "a person writes the zone"),
    ],
    ids=["lexicon", "manual"],
)
def test_who_cannot_write_a_set_as_one_leaves_it_to_a_person_and_says_why(
    page: Published, settings: dict[str, str], reason: str
) -> None:
    page.run()
    page.publish()
    page.configure(**settings)
    done = page.run()

    assert done.code == 0, done.text
    lines = done.out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("TLSA records for you to publish")]
    assert reason in lines[at]
    # The live key's comes first, whatever its digest.
    shown = [f"{page.owner}. 1 IN TLSA {record}" for record in (page.current, page.next)]
    assert lines[at + 1 : at + 3] == shown
    assert page.records() == set()
    assert "is for you to publish" in typed(page, "tlsa", "status").out
