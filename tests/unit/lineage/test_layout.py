import pytest

from builders.certificates import new_key, version_files
from certkeeper.lineage import layout
from certkeeper.lineage.layout import Place


@pytest.mark.parametrize(
    ("name", "stamped"),
    [
        ("privkey.pem", "privkey-17.pem"),
        ("cert.pem", "cert-17.pem"),
        ("chain.pem", "chain-17.pem"),
        ("fullchain.pem", "fullchain-17.pem"),
        ("cert.csr", "cert-17.csr"),
    ],
)
def test_stamped_names_are_dehydrateds(name: str, stamped: str) -> None:
    assert layout.stamped_name(name, 17) == stamped
    assert layout.stamp_of(stamped) == 17


@pytest.mark.parametrize("name", ["cert-17.pem-revoked", "ocsp-17.der", "privkey-17.pem-revoked"])
def test_dehydrateds_other_files_hold_their_stamp_too(name: str) -> None:
    assert layout.stamp_of(name) == 17


@pytest.mark.parametrize(
    "name",
    [
        "cert.pem",
        "cert-.pem",
        "cert-x.pem",
        "cert-007.pem",
        "chain-17.csr",
        "privkey.roll.pem",
        "x/cert-17.pem",
        "cert-1٣.pem",
    ],
)
def test_other_names_hold_no_stamp(name: str) -> None:
    assert layout.stamp_of(name) is None


@pytest.mark.parametrize(
    ("target", "place"),
    [
        (".live/cert.pem", Place.OURS),
        (".live/chain.pem", Place.ELSEWHERE),
        ("./.live/cert.pem", Place.ELSEWHERE),
        ("cert-17.pem", Place.STAMPED),
        ("../cert-17.pem", Place.ELSEWHERE),
        ("/etc/ssl/cert.pem", Place.ELSEWHERE),
    ],
)
def test_a_links_target_tells_whose_it_is(target: str, place: Place) -> None:
    assert layout.link_place("cert.pem", target) is place


@pytest.mark.parametrize(
    ("target", "stamp"),
    [
        (".versions/17", 17),
        (".versions/17.partial", None),
        ("/x/.versions/17", None),
        (".versions/017", None),
        ("", None),
    ],
)
def test_the_live_link_names_a_stamp(target: str, stamp: int | None) -> None:
    assert layout.live_stamp(target) == stamp


def test_versions_in_the_making_come_newest_first() -> None:
    assert layout.partial_stamps(["9.partial", "10.partial", "8", "x.partial", "7.adopting"]) == (10, 9)


def test_a_stamp_is_free_when_no_version_no_draft_and_no_file_has_it() -> None:
    taken = layout.taken_stamps(["cert-12.pem", "privkey.pem", ".live"], ["10", "11.partial", "13.adopting", "junk"])
    assert taken == {10, 11, 12, 13}
    assert layout.free_stamp(10, taken) == 14
    assert layout.free_stamp(9, taken) == 9
    assert layout.free_stamp(-5, taken) == 0


def test_a_versions_contents_have_dehydrateds_names() -> None:
    files = version_files(new_key())
    contents = layout.by_name(files)
    assert set(contents) == set(layout.NAMES)
    assert contents["cert.csr"] == files.csr
    assert contents["fullchain.pem"] == files.fullchain
