"""Ways to a server: through proxies, at chosen addresses, without verification; each beside what curl does."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from bed import binaries
from bed.faults import Answer, FaultProxy
from bed.forwardproxy import ForwardProxy
from certkeeper.adapters.http import HttpClient, Line
from certkeeper.base.wire import Request, TransportError
from certkeeper.config.transport import IpVersion, Pin, Proxy, Transport, is_spared

MakeProxy = Callable[..., ForwardProxy]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def make_proxy(stack: ExitStack) -> MakeProxy:
    return lambda **options: stack.enter_context(ForwardProxy(**options))


@pytest.fixture
def plain(stack: ExitStack) -> FaultProxy:
    return stack.enter_context(FaultProxy("http://127.0.0.1:9", lambda _: Answer(200, b"plain")))


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def secure(stack: ExitStack, authority: trustme.CA) -> FaultProxy:
    certificate = authority.issue_cert("ca.example", key_type=trustme.KeyType.ECDSA)
    return stack.enter_context(
        FaultProxy("http://127.0.0.1:9", lambda _: Answer(200, b"secure"), certificate=certificate)
    )


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def get(transport: Transport, url: str, bundle: str | None = None) -> bytes:
    return HttpClient(line=Line(bundle, transport=transport)).send(Request("GET", url)).body


def through(proxy: ForwardProxy, *, userinfo: str = "", spared: tuple[str, ...] = ()) -> Transport:
    found = Proxy(proxy.url, userinfo)
    return Transport(http=found, https=found, spared=spared)


def test_http_is_asked_for_through_the_proxy(make_proxy: MakeProxy, plain: FaultProxy) -> None:
    proxy = make_proxy()
    assert get(through(proxy), f"http://pdns.example:{plain.port}/x") == b"plain"
    assert proxy.asked == [f"GET http://pdns.example:{plain.port}/x"]


def test_https_is_tunnelled_and_verified_from_end_to_end(
    make_proxy: MakeProxy, secure: FaultProxy, bundle: str
) -> None:
    proxy = make_proxy()
    assert get(through(proxy), f"https://ca.example:{secure.port}/x", bundle) == b"secure"
    assert proxy.asked == [f"CONNECT ca.example:{secure.port}"]
    with pytest.raises(TransportError, match="TLS failed"):
        get(through(proxy), f"https://other.example:{secure.port}/x", bundle)


def test_each_scheme_has_its_proxy_and_the_spared_are_reached_directly(
    make_proxy: MakeProxy, plain: FaultProxy, secure: FaultProxy, bundle: str
) -> None:
    one, two = make_proxy(), make_proxy()
    both = Transport(http=Proxy(one.url), https=Proxy(two.url), spared=("127.0.0.1",))
    assert get(both, f"http://a.example:{plain.port}/") == b"plain"
    assert get(both, f"https://ca.example:{secure.port}/", bundle) == b"secure"
    assert get(both, f"http://127.0.0.1:{plain.port}/") == b"plain"
    assert [len(proxy.asked) for proxy in (one, two)] == [1, 1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_password_goes_to_the_proxy_and_a_wrong_one_is_told(
    make_proxy: MakeProxy, plain: FaultProxy, secure: FaultProxy, bundle: str, scheme: str
) -> None:
    proxy = make_proxy(password="me:s3cret@x")
    port = secure.port if scheme == "https" else plain.port
    url = f"{scheme}://ca.example:{port}/x"
    assert get(through(proxy, userinfo="me:s3cret@x"), url, bundle)
    with pytest.raises(TransportError, match=r"proxy http://127.*wants another user and password") as raised:
        get(through(proxy, userinfo="me:wr0ng"), url, bundle)
    assert "wr0ng" not in f"{raised.value} {raised.value.hint} {raised.value.__cause__!r}"
    assert (raised.value.transient, raised.value.sent) == (False, False)


@pytest.mark.parametrize(("status", "transient"), [(403, False), (503, True)])
def test_a_proxy_that_does_not_connect_is_told_in_its_words(
    make_proxy: MakeProxy,
    status: int,
    transient: bool,  # noqa: FBT001
) -> None:
    proxy = make_proxy(refuses=status)
    with pytest.raises(
        TransportError, match=rf"https://ca\.example/x: proxy .* does not connect to it: {status}"
    ) as it:
        get(through(proxy), "https://ca.example/x")
    assert (it.value.transient, it.value.sent) == (transient, False)


def test_a_proxy_that_is_not_there_is_told() -> None:
    nobody = Proxy("http://127.0.0.1:9")
    with pytest.raises(TransportError, match=r"proxy http://127.0.0.1:9: cannot connect: connection refused") as raised:
        get(Transport(https=nobody), "https://ca.example/x")
    assert not raised.value.sent
    assert "https_proxy" in raised.value.hint


def test_the_secret_of_a_proxy_is_in_no_repr() -> None:
    assert "s3cret" not in repr(Transport(https=Proxy("http://p:1", "me:s3cret")))


def test_a_pinned_host_is_found_there_and_verified_by_its_name(secure: FaultProxy, bundle: str) -> None:
    url = f"https://ca.example:{secure.port}/x"
    pinned = Transport(pins=(Pin("ca.example", secure.port, ("127.0.0.1",)),))
    assert get(pinned, url, bundle) == b"secure"
    with pytest.raises(TransportError, match="cannot be resolved"):
        get(Transport(pins=(Pin("ca.example", 1, ("127.0.0.1",)),)), url, bundle)
    with pytest.raises(TransportError, match="TLS failed"):
        get(Transport(pins=(Pin("*", secure.port, ("127.0.0.1",)),)), f"https://b.example:{secure.port}/", bundle)


def test_the_first_pinned_address_that_answers_counts(plain: FaultProxy) -> None:
    with socket.create_server(("127.0.0.2", 0)) as other:
        pins = (Pin("a.example", plain.port, ("127.0.0.2", "127.0.0.1")),)
        assert other.getsockname()[1] != plain.port
        assert get(Transport(pins=pins), f"http://a.example:{plain.port}/") == b"plain"


def test_the_version_of_ip_decides(plain: FaultProxy) -> None:
    assert get(Transport(ip_version=IpVersion.FOUR), f"http://localhost:{plain.port}/") == b"plain"
    with pytest.raises(TransportError, match=r"cannot be resolved|cannot connect"):
        get(Transport(ip_version=IpVersion.SIX), f"http://127.0.0.1:{plain.port}/")


def test_without_verification_any_certificate_will_do_and_nothing_is_said_each_time(
    secure: FaultProxy, recwarn: pytest.WarningsRecorder
) -> None:
    with pytest.raises(TransportError, match="TLS failed"):
        get(Transport(), f"https://127.0.0.1:{secure.port}/")
    assert get(Transport(verified=False), f"https://127.0.0.1:{secure.port}/") == b"secure"
    assert not recwarn.list


def test_the_time_for_a_connection_is_the_operator_s() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with ExitStack() as held:
            for _ in range(2):
                filler = held.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            with pytest.raises(TransportError, match="no answer in time"):
                get(Transport(connect=0.2), f"http://127.0.0.1:{port}/")


# What no_proxy spares, and what not, of the hosts a.example.org, 127.0.0.3 and ::1.
SPARED = [
    ("", "a.example.org", False),
    ("*", "a.example.org", True),
    ("*,x", "a.example.org", False),
    ("example.org", "a.example.org", True),
    (".example.org", "a.example.org", True),
    ("example.org.", "a.example.org", True),
    ("EXAMPLE.org", "A.example.ORG", True),
    ("ample.org", "a.example.org", False),
    ("a.example.org", "example.org", False),
    (".example.org", "example.org", True),
    ("x.example,b.example example.org", "a.example.org", True),
    ("127.0.0.3", "127.0.0.3", True),
    ("127.0.0.0/8", "127.0.0.3", True),
    ("127.0.0.0/31", "127.0.0.3", False),
    ("0.3", "127.0.0.3", False),
    ("2001:db8::/32", "[::1]", False),
    ("::1", "[::1]", True),
]


@pytest.mark.parametrize(("spared", "host", "expected"), SPARED)
def test_spared_hosts(spared: str, host: str, expected: bool) -> None:  # noqa: FBT001
    assert is_spared(host, tuple(spared.replace(",", " ").split())) is expected


def test_networks_of_ipv6_count_too() -> None:
    """As curl has it in its manual; 7.88 does not do it."""
    assert is_spared("[::1]", ("::/64",))


def test_curl_spares_the_same_hosts(make_proxy: MakeProxy, plain: FaultProxy) -> None:
    curl = binaries.require("curl")
    proxy = make_proxy()
    for spared, host, expected in SPARED:
        proxy.asked.clear()
        words = ["-s", "-o", "/dev/null", "-m", "5", "--resolve", f"*:{plain.port}:127.0.0.1"]
        environment = {"http_proxy": proxy.url, "no_proxy": spared}
        url = f"http://{host}:{plain.port}/"
        subprocess.run([curl, *words, url], env=environment, check=False, timeout=30)
        assert (not proxy.asked) is expected, (spared, host)
