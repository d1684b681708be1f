import pytest

from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import ServerAddress
from unit.config.pages import page

OWN = {"/srv/domains.txt": "a.org\nb.org\n", "/srv/certs/b.org/config": "WELLKNOWN=/b\n"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (":80", (ServerAddress("", 80),)),
        ("*:8080", (ServerAddress("", 8080),)),
        ("192.0.2.1", (ServerAddress("192.0.2.1", 80),)),
        (
            "192.0.2.1:81 [2001:DB8::1]:82 [::]",
            (ServerAddress("192.0.2.1", 81), ServerAddress("2001:db8::1", 82), ServerAddress("::", 80)),
        ),
        ("::1", (ServerAddress("::1", 80),)),
        (":80 :80", (ServerAddress("", 80),)),
    ],
)
def test_addresses_and_ports(text: str, expected: tuple[ServerAddress, ...]) -> None:
    assert page(f"HTTP_LISTEN='{text}'\n").settings.http_listen == expected


def test_tls_listens_at_its_own_port() -> None:
    found = page("TLS_ALPN_LISTEN=192.0.2.1\n").settings
    assert found.tls_alpn_listen == (ServerAddress("192.0.2.1", 443),)
    assert found.http_listen == ()


@pytest.mark.parametrize("text", ["localhost:80", "80", ":", ":0", ":99999", "192.0.2.1:x", "[::1", "yes", "x:80"])
def test_what_is_no_address_is_an_error_at_its_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"config:2: HTTP_LISTEN: ") as caught:
        page(f"\nHTTP_LISTEN='{text}'\n")
    assert ":80" in caught.value.hint


def test_folders_for_files() -> None:
    found = page(
        "BASEDIR=/srv\nWELLKNOWN=/web/\n",
        "a.org\nb.org\n",
        **OWN,
    )
    assert found.settings.alpn_certdir == "/srv/alpn-certs"
    assert [spec.wellknown for spec in found.certificates] == ["/web", "/b"]
    assert page("ALPNCERTDIR=/alpn/\n").settings.alpn_certdir == "/alpn"
    assert page("").certificates[0].wellknown == "/var/www/dehydrated"
