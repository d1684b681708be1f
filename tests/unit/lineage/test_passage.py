from certkeeper.lineage.layout import NAMES, PRIVKEY, Place
from certkeeper.lineage.passage import Passage, Shown, passage, present_stamp

LINK = Shown(Place.OURS, ".live/x", b"old", b"old")
STAMPED = Shown(Place.STAMPED, "cert-17.pem", b"old", None)
NOTHING = Shown(Place.ABSENT)
NOBODY: frozenset[str] = frozenset()
KEY = frozenset({PRIVKEY})


def everywhere(entry: Shown, **others: Shown) -> dict[str, Shown]:
    return dict.fromkeys(NAMES, entry) | {f"{name}.pem": other for name, other in others.items()}


def test_names_through_live_need_nothing() -> None:
    assert passage(everywhere(LINK), NOBODY) == Passage(adopt=False, keep_key=False, lead=())


def test_an_empty_folder_only_needs_its_links() -> None:
    assert passage(everywhere(NOTHING), NOBODY) == Passage(adopt=False, keep_key=False, lead=NAMES)


def test_a_folder_of_dehydrateds_becomes_a_version_first() -> None:
    assert passage(everywhere(STAMPED), NOBODY) == Passage(adopt=True, keep_key=False, lead=NAMES)


def test_what_is_a_version_already_is_not_made_one_again() -> None:
    shown = everywhere(Shown(Place.STAMPED, "cert-17.pem", b"old", b"old"))
    assert passage(shown, NOBODY) == Passage(adopt=False, keep_key=False, lead=NAMES)


def test_a_plain_key_that_stays_is_neither_led_nor_kept() -> None:
    shown = everywhere(LINK, privkey=Shown(Place.PLAIN, None, b"key", None))
    assert passage(shown, KEY) == Passage(adopt=False, keep_key=False, lead=())


def test_a_plain_key_that_goes_is_kept() -> None:
    shown = everywhere(LINK, privkey=Shown(Place.PLAIN, None, b"key", b"key"))
    assert passage(shown, NOBODY) == Passage(adopt=False, keep_key=True, lead=(PRIVKEY,))


def test_a_plain_key_alone_that_stays_needs_no_version() -> None:
    shown = everywhere(NOTHING, privkey=Shown(Place.PLAIN, None, b"key", None))
    assert passage(shown, KEY) == Passage(adopt=False, keep_key=False, lead=NAMES[1:])


def test_a_name_that_is_missing_while_live_has_it_must_not_appear_too_early() -> None:
    shown = everywhere(LINK, cert=Shown(Place.ABSENT, None, None, b"old"))
    assert passage(shown, NOBODY).adopt


def test_the_present_state_has_dehydrateds_stamp_or_the_files_time() -> None:
    assert present_stamp(everywhere(STAMPED), {"cert.pem": 5}) == 17
    assert present_stamp(everywhere(Shown(Place.PLAIN)), {"privkey.pem": 4, "cert.pem": 5}) == 5
    assert present_stamp(everywhere(Shown(Place.PLAIN)), {"privkey.pem": 4}) == 4
    assert present_stamp(everywhere(NOTHING), {}) == 0


def test_contents_are_never_shown() -> None:
    assert "secret" not in repr(Shown(Place.PLAIN, None, b"secret", b"secret"))
