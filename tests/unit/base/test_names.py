import pytest

from certkeeper.base.names import Alias, DnsName, Identifier, IdentifierType, InvalidName


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example.org", "example.org"),
        ("Example.ORG.", "example.org"),
        (" example.org ", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("_acme-challenge.example.org", "_acme-challenge.example.org"),
        ("", ""),
        (".", ""),
        ("a." * 126 + "a", "a." * 126 + "a"),
    ],
)
def test_names_are_lower_case_a_labels_without_the_final_dot(text: str, name: str) -> None:
    assert DnsName.parse(text).text == name


@pytest.mark.parametrize(
    "text",
    ["a..b", ".a", "a..", "a b", "-a.b", "a-.b", "x" * 64, "a." * 127 + "a", "*.a", "a/b", "a\nb", "a\x00", "ﬀ\u202e"],
)
def test_other_texts_are_no_names(text: str) -> None:
    with pytest.raises(InvalidName) as caught:
        DnsName.parse(text)
    assert str(caught.value).isprintable()


def test_the_root_is_its_own_parent_and_holds_everything() -> None:
    root = DnsName("")
    assert root.parent == root
    assert root.labels == ()
    assert root.child("org") == DnsName("org")
    assert root.absolute == "."
    assert DnsName("a.org").is_within(root)


def test_a_name_is_within_a_zone_by_whole_labels() -> None:
    zone = DnsName("example.org")
    assert zone.is_within(zone)
    assert DnsName("a.b.example.org").is_within(zone)
    assert not DnsName("badexample.org").is_within(zone)
    assert not DnsName("org").is_within(zone)


@pytest.mark.parametrize(
    ("text", "value", "domain"),
    [
        ("www.Example.org", "www.example.org", "www.example.org"),
        ("*.example.org", "*.example.org", "example.org"),
        ("*.bücher.example", "*.xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_an_identifier_is_a_host_name_or_a_wildcard(text: str, value: str, domain: str) -> None:
    identifier = Identifier.parse(text)
    assert (identifier.type, identifier.value, identifier.domain.text) == (IdentifierType.DNS, value, domain)
    assert str(identifier) == value
    assert identifier.wildcard is text.startswith("*.")


@pytest.mark.parametrize(
    ("text", "value"), [("ip:192.0.2.1", "192.0.2.1"), ("IP:2001:DB8:0::1", "2001:db8::1"), ("ip:::1", "::1")]
)
def test_an_address_takes_the_form_of_rfc_5952(text: str, value: str) -> None:
    identifier = Identifier.parse(text)
    assert (identifier.type, identifier.value, str(identifier)) == (IdentifierType.IP, value, f"ip:{value}")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "org",
            "*",
            "*.",
            "*.*.example.org",
            "a.*.example.org",
            "w*.example.org",
            "_x.example.org",
            "a_b.example.org",
        ),
        *("", ".", "ip:", "ip:x", "ip:192.0.2.1/24", "ip:192.0.2.256"),
    ],
)
def test_what_no_certificate_can_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Identifier.parse(text)


# The ipaddress module takes scope ids, which are no part of an address (RFC 8738).
@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("192.0.2.1", "an address is written ip:192.0.2.1"),
        ("192.0.2.01", "no name ends in a number"),
        ("www.example.7", "no name ends in a number"),
    ],
)
def test_an_address_without_its_prefix_is_no_name(text: str, trouble: str) -> None:
    with pytest.raises(InvalidName, match=f"^{text}: {trouble}$"):
        Identifier.parse(text)


def test_an_address_with_a_scope_is_no_identifier() -> None:
    with pytest.raises(InvalidName):
        Identifier.parse("ip:fe80::1%eth0")


@pytest.mark.parametrize("text", ["example.org", "star_example", "münchen", "a" * 200, "*weird"])
def test_an_alias_is_the_name_of_one_folder(text: str) -> None:
    assert Alias.parse(text).text == text


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a/b", "../a", "/a", ".hidden", "-rf", "*.example.org", "a b", "a\tb", "a\n", "a\x1b[m", "a\0b"],
)
def test_an_alias_neither_leaves_nor_hides_in_certdir(text: str) -> None:
    with pytest.raises(InvalidName) as caught:
        Alias.parse(text)
    assert str(caught.value).isprintable()
