"""dehydrated itself, with certkeeper-pdns-hook as its HOOK, a real CA and a real PowerDNS."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.dehydrated import Dehydrated
from bed.forwardproxy import ForwardProxy
from bed.world import World
from builders.page import Page, assert_clean_dns
from builders.pdnshook import PdnsHook

pytestmark = pytest.mark.real


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def installed(tmp_path: Path, shared_world: World) -> Callable[..., Page]:
    """A page of dehydrated's whose hook is ours."""

    def install(*lines: str, **settings: str) -> Page:
        page = Page(tmp_path / "dehydrated", shared_world, *lines, **settings)
        page.configure(
            CURL_OPTS=f"--cacert {shared_world.pebble.ca_bundle} {settings.get('CURL_OPTS', '')}",
            HOOK=str(PdnsHook(page.config).path),
        )
        return page

    return install


@pytest.mark.row("J01", "J13")
@pytest.mark.parametrize("chain", ["yes", pytest.param("no", marks=pytest.mark.long)])
def test_apex_and_wildcard(installed: Callable[..., Page], shared_world: World, zone: str, chain: str) -> None:
    page = installed(f"{zone} *.{zone} www.{zone}", HOOK_CHAIN=chain)
    dehydrated = Dehydrated(page.config)
    dehydrated.register()
    shared_world.primary.recorder.forget()
    said = dehydrated.cron()
    assert page.verified_names(zone) == {zone, f"*.{zone}", f"www.{zone}"}
    assert said.count("served by") == (1 if chain == "yes" else 3), said
    changes = [each for each in shared_world.primary.recorder.requests() if each.method == "PATCH"]
    assert len(changes) == (2 if chain == "yes" else 6)
    assert_clean_dns(shared_world, zone)


@pytest.mark.long
@pytest.mark.row("J19")
def test_a_hook_that_fails_fails_the_certificate_and_leaves_nothing(
    installed: Callable[..., Page], shared_world: World, zone: str
) -> None:
    page = installed(zone, PDNS_NO_NOTIFY="yes", PDNS_WAIT="1")
    dehydrated = Dehydrated(page.config)
    dehydrated.register()
    said = dehydrated.cron(fails=True)
    assert "still answers without" in said
    assert page.live() == set()
    assert_clean_dns(shared_world, zone)
    # With the API gone and nothing due, the other hooks are no obstacle.
    page.write_lines()
    page.configure(PDNS_HOST="http://127.0.0.1:9")
    dehydrated.cron()


@pytest.mark.long
def test_both_programs_take_the_same_page(installed: Callable[..., Page], shared_world: World, zone: str) -> None:
    """certkeeper takes its own hook for what pdns_api.sh is to it: the built-in provider takes its place."""
    page = installed(zone)
    done = page.run()
    assert done.code == 0, done.text
    assert "certkeeper-pdns-hook is not called: the built-in PowerDNS provider takes its place" in done.err + done.out
    assert page.live() == {zone}
    assert_clean_dns(shared_world, zone)


@pytest.mark.long
@pytest.mark.row("J23")
def test_all_programs_go_through_the_same_proxy(
    installed: Callable[..., Page], shared_world: World, zone: str, stack: ExitStack
) -> None:
    """dehydrated's curl, certkeeper's hook for it, and certkeeper itself go the same way by the same words."""
    proxy = stack.enter_context(ForwardProxy(password="me:s3cret"))
    words = f"-x http://me:s3cret@127.0.0.1:{proxy.port}"
    page = installed(zone, CURL_OPTS=words)
    page.unset("CA_BUNDLE")
    ca = f"CONNECT {shared_world.pebble.directory_url.split('/')[2]}"
    api = shared_world.primary.api_url
    dehydrated = Dehydrated(page.config)
    # The bed's NO_PROXY counts for --proxy, too, as it does for curl.
    dehydrated.run("--register", "--accept-terms", env={"NO_PROXY": ""})
    assert set(proxy.asked) == {ca}
    proxy.asked.clear()
    dehydrated.cron(env={"NO_PROXY": ""})
    assert ca in proxy.asked
    assert any(asked.startswith(f"PATCH {api}/") for asked in proxy.asked), proxy.asked
    proxy.asked.clear()
    # Set and empty: the API is reached directly, the CA through the proxy still.
    page.configure(PDNS_CURL_OPTS="")
    done = page.run("--force")
    assert done.code == 0, done.text
    assert set(proxy.asked) == {ca}
    assert "s3cret" not in done.text
