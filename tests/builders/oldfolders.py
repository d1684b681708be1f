"""A certificate's folder as dehydrated leaves it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from builders.certificates import Wish, new_key, version_files
from builders.responder import Says, answer
from certkeeper.base.names import Identifier
from certkeeper.ocsp.request import issued

_AGE = 80


def leave_as_dehydrated(
    place: Path, names: Sequence[str], *, days_left: int = 10, responder: str | None = None
) -> None:
    """Made as a whole: it is there from one moment to the next. With so many days left it is due. Where it names a
    responder, what that said an hour ago and says for ten days is there, too.
    """
    now = datetime.now(tz=UTC)
    wish = Wish(
        identifiers=tuple(Identifier.parse(name) for name in names),
        not_before=now - timedelta(days=_AGE),
        not_after=now + timedelta(days=days_left),
        ocsp_url=responder,
    )
    files = version_files(new_key(), wish)
    stamp = int(time.time()) - _AGE * 86_400
    contents = {"privkey": files.privkey, "cert": files.cert, "chain": files.chain, "fullchain": files.fullchain}
    place.parent.mkdir(parents=True, exist_ok=True)
    making = place.parent.parent / f"{place.name}.making"
    making.mkdir()
    for name, content in contents.items():
        (making / f"{name}-{stamp}.pem").write_bytes(content)
        (making / f"{name}.pem").symlink_to(f"{name}-{stamp}.pem")
    if responder is not None:
        said_at = now.replace(microsecond=0) - timedelta(hours=1)
        said = Says(this_update=said_at, next_update=said_at + timedelta(days=10))
        (making / f"ocsp-{stamp}.der").write_bytes(answer(issued(files.cert, files.chain), said))
        (making / "ocsp.der").symlink_to(f"ocsp-{stamp}.der")
    making.rename(place)
