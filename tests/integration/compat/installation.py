"""dehydrated's files, with certkeeper as the program."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bed.dehydrated import Hook
from bed.world import World
from builders.installed import script
from builders.page import Done, Page, environment


class Installation:
    """dehydrated's files, with certkeeper as the program, and a hook that notes its calls."""

    def __init__(self, folder: Path, world: World, *lines: str, **settings: str) -> None:
        self.hook = Hook(folder / "hooks")
        self.page = Page(folder / "dehydrated", world, *lines, HOOK=str(self.hook.path), CHALLENGETYPE="dns-01")
        self.page.configure(CURL_OPTS=f"--cacert {world.pebble.ca_bundle}", **settings)
        self.page.unset("CA_BUNDLE", "PDNS_HOST", "PDNS_KEY", "NAMESERVERS")
        self.pebble = world.pebble

    def does(self, *words: str | Path, env: dict[str, str] | None = None) -> Done:
        command = [str(script("certkeeper-dehydrated")), "-f", str(self.page.config)]
        ended = subprocess.run(
            [*command, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.page.folder,
            env=environment(env),
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def registered(self) -> "Installation":
        assert self.does("--register", "--accept-terms").code == 0
        return self

    @property
    def account(self) -> Path:
        (folder,) = (self.page.folder / "accounts").iterdir()
        return folder


Make = Callable[..., Installation]


def lines(done: Done) -> list[str]:
    assert done.code == 0, done.text
    return done.out.splitlines()


ISSUED = """\
 + Signing domains...
 + Generating private key...
 + Generating signing request...
 + Requesting new certificate order from CA...
 + Received 1 authorizations URLs from the CA
 + Handling authorization for a.example
 + 1 pending challenge(s)
 + Deploying challenge tokens...
 + Responding to challenge for a.example authorization...
 + Challenge is valid!
 + Cleaning challenge tokens...
 + Requesting certificate...
 + Checking certificate...
 + Done!
 + Creating fullchain.pem...
 + Done!
"""


def as_dehydrated_leaves_it(place: Path, stamp: int) -> None:
    """The same files, without ours beside them."""
    for name in ("privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"):
        link, file = place / name, place / f"{Path(name).stem}-{stamp}.pem"
        content = link.read_bytes()
        for old in (link, file):
            old.unlink()
        file.write_bytes(content)
        link.symlink_to(file.name)
    (place / ".live").unlink()
    shutil.rmtree(place / ".versions")
