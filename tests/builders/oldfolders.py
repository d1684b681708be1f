"""A certificate's folder as dehydrated leaves it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from builders.certificates import Wish, new_key, version_files
from certkeeper.base.names import Identifier

_AGE = 80


def leave_as_dehydrated(place: Path, names: Sequence[str], *, days_left: int = 10) -> None:
    """Made as a whole: it is there from one moment to the next. With so many days left it is due."""
    now = datetime.now(tz=UTC)
    wish = Wish(
        identifiers=tuple(Identifier.parse(name) for name in names),
        not_before=now - timedelta(days=_AGE),
        not_after=now + timedelta(days=days_left),
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
    making.rename(place)
