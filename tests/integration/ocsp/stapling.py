"""What the tests of servers have in common: a page whose certificates are stapled, and openssl's eye on a port."""

import subprocess
from pathlib import Path

from bed.ocspresponder import OcspResponder
from bed.world import World
from builders.page import DEADLINE
from integration.services.deployed import Served

NAME = "staple.example"
NOTHING = "OCSP response: no response sent"
GOOD = "Cert Status: good"


def stapled_page(place: Path, world: World, responder: OcspResponder, **settings: str) -> Served:
    """After its first run."""
    responder.reset()
    (place / "www").mkdir()
    ways = {"CHALLENGETYPE": "http-01", "WELLKNOWN": str(place / "www"), "OCSP_FETCH": "yes"}
    made = Served(place / "page", world, NAME, **ways, **settings)
    done = made.run()
    assert done.code == 0, done.text
    return made


def sent_along(port: int) -> str:
    """What openssl sees of the response."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", NAME, "-status"]
    ended = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    return ended.stdout
