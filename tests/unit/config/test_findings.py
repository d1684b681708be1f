import pytest

from certkeeper.config.findings import did_you_mean, edit_distance, zone_meant


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        ("", "", 0),
        ("abc", "abc", 0),
        ("exammple", "example", 1),
        ("exmaple", "example", 1),
        ("example", "exampel", 1),
        ("abcd", "badc", 2),
        ("net", "org", 3),
        ("", "abcd", 3),
    ],
)
def test_edit_distance_is_cut_above_the_limit(left: str, right: str, distance: int) -> None:
    assert edit_distance(left, right, 2) == distance
    assert edit_distance(right, left, 2) == distance


def test_did_you_mean_takes_the_closest_and_never_the_label_itself() -> None:
    assert did_you_mean("mail.exammple.net", ["mail.example.org", "mail.example.net"]) == "mail.example.net"
    assert did_you_mean("abcd", ["abxx", "abcx", "abcy"]) == "abcx"
    assert did_you_mean("abcd", ["abcd"]) is None
    assert did_you_mean("abcd", ["wxyz", "ab"]) == "ab"
    assert did_you_mean("abcd", ["wxyz"]) is None
    assert did_you_mean("abcd", []) is None


def test_a_zone_that_may_be_meant_keeps_the_labels_before_it() -> None:
    zones = ["example.org", "sub.example.org", "ab.de"]
    assert zone_meant("www.exmaple.org", zones) == "www.example.org"
    assert zone_meant("www.sbu.example.org", zones) == "www.sub.example.org"
    assert zone_meant("www.cd.de", zones) is None
    assert zone_meant("www.ab.dee", zones) == "www.ab.de"
    assert zone_meant("www.other.net", zones) is None
    assert zone_meant("org", zones) is None
