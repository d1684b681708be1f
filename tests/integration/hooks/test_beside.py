"""Calls beside those of dehydrated itself."""

import base64
import hashlib
from itertools import groupby
from pathlib import Path

import pytest

from bed.dehydrated import Dehydrated
from bed.world import World
from builders.page import Page
from integration.hooks.logged import Logged

pytestmark = pytest.mark.real


def in_shape(calls: list[list[str]], folder: Path) -> list[list[str]]:
    """What two programs can have in common: tokens, values, stamps and the CA's order are different in every run."""
    shaped = []
    for name, *words in calls:
        if name.endswith("_challenge"):
            lengths = [str(len(word.partition(".")[0])) for word in words[1::3]]
            shaped.append([name, *sorted(words[::3]), *lengths, *(str(len(word)) for word in words[2::3])])
        elif name == "sync_cert":
            shaped.append([name, str(len(words))])
        else:
            shaped.append([name, *(word.replace(str(folder), "") for word in words if not word.isdigit())])
    return [call for _, same in groupby(shaped, key=lambda call: call[0]) for call in sorted(same)]


@pytest.mark.long
@pytest.mark.row("H01", "H02", "H04")
@pytest.mark.parametrize("method", ["dns-01", "http-01"])
@pytest.mark.parametrize("chain", ["yes", "no"])
def test_calls_are_as_dehydrated_makes_them(believer: World, tmp_path: Path, method: str, chain: str) -> None:
    made = {}
    (wellknown := tmp_path / "wellknown").mkdir()
    for program in ("dehydrated", "certkeeper"):
        script = Logged(tmp_path, name=f"{program}-hook")
        page = Page(tmp_path / program, believer, "a.example > one", "b.example c.b.example d.b.example")
        page.configure(CURL_OPTS=f"--cacert {believer.pebble.ca_bundle}", HOOK=str(script.path), HOOK_CHAIN=chain)
        page.configure(CHALLENGETYPE=method, WELLKNOWN=str(wellknown), PDNS_WAIT="1")
        page.unset("CA_BUNDLE", "ACCOUNT_KEY_ALGO", "KEY_ALGO", "PDNS_HOST", "PDNS_KEY")
        if program == "dehydrated":
            dehydrated = Dehydrated(page.config)
            dehydrated.register()
            script.forget()
            dehydrated.cron()
            dehydrated.cron()
        else:
            for _ in range(2):
                done = page.run()
                assert done.code == 0, done.text
        made[program] = in_shape(script.calls(), page.folder)
        deployed = [call[1:] for call in script.calls() if call[0] == "deploy_challenge"]
        assert [len(words) for words in deployed] == ([3, 9] if chain == "yes" else [3, 3, 3, 3])
        environment = script.environment("deploy_challenge")
        assert (environment["CHALLENGETYPE"], environment["alias"]) == (method, "b.example")
    assert made["certkeeper"] == made["dehydrated"]
    if method == "dns-01":
        # Without padding, and as long as a SHA-256 is.
        value = deployed[0][2]
        assert len(base64.urlsafe_b64decode(f"{value}=")) == hashlib.sha256().digest_size
