"""What pdns.conf says of the API."""

import pytest

from certkeeper.config.pdnsconf import read_pdns_conf


def test_no_file_is_no_powerdns() -> None:
    assert read_pdns_conf([]) is None


def test_later_files_count_more_and_the_key_is_no_text() -> None:
    found = read_pdns_conf(
        [
            ("/etc/powerdns/pdns.conf", "# api-key=no\napi=yes\nwebserver-address=0.0.0.0\nwebserver-port=8099\n"),
            ("/etc/powerdns/pdns.d/api.conf", "api-key = sesame # ours\nwebserver-port=9000\n"),
        ]
    )
    assert found is not None
    assert (found.host, found.port, found.trouble) == ("127.0.0.1", 9000, "")
    assert found.key is not None
    assert found.key.reveal() == "sesame"
    assert "sesame" not in repr(found)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("launch=gsqlite3\n", "its API is off"),
        ("api=no\napi-key=x\n", "its API is off"),
        ("api=yes\n", "it has no api-key"),
        ("api=yes\napi-key=$scrypt$ln=10,p=1,r=8$abc\n", "it holds a hash"),
    ],
)
def test_an_api_that_cannot_be_used_says_why(text: str, trouble: str) -> None:
    found = read_pdns_conf([("/etc/powerdns/pdns.conf", text)])
    assert found is not None
    assert found.trouble.startswith(trouble)


def test_a_socket_is_what_pdns_host_takes() -> None:
    found = read_pdns_conf([("f", "api=yes\napi-key=x\nwebserver-address=/run/pdns/api.sock\n")])
    assert found is not None
    assert found.host == "unix:/run/pdns/api.sock"
