"""The port Staples in memory, beside a FakeStore."""

from builders.fakestore import FakeStore
from certkeeper.apply.ports import StapledFiles
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias


class FakeStaples:
    """Responses by the certificate that they are about."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self.kept: dict[tuple[Alias, bytes], bytes] = {}
        self._stamps: set[int] = set()
        self._shown: dict[tuple[Alias, bytes, bytes], int] = {}

    def read(self, alias: Alias) -> StapledFiles | None:
        live = self._store.live.get(alias)
        if live is None:
            return None
        return StapledFiles(live.files.cert, live.files.chain, self.kept.get((alias, live.files.cert)))

    def save(self, alias: Alias, cert: bytes, der: bytes, now_epoch: int) -> int:
        live = self._store.live.get(alias)
        inside = {key: files for where in (self._store.staged, self._store.earlier) for key, files in where.items()}
        certs = [files.cert for (owner, _), files in inside.items() if owner == alias]
        if cert not in [live.files.cert if live is not None else None, *certs]:
            raise CertkeeperError(f"{alias}/ocsp.der: no such certificate")
        if self.kept.get((alias, cert)) == der and (alias, cert, der) in self._shown:
            return self._shown[alias, cert, der]
        while now_epoch in self._stamps:
            now_epoch += 1
        if live is not None and live.files.cert == cert:
            self._stamps.add(now_epoch)
            self._shown[alias, cert, der] = now_epoch
        self.kept[alias, cert] = der
        return now_epoch
