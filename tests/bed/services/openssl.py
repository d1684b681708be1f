"""openssl's own test server: one port, one certificate or two, and a staple from a file."""

from collections.abc import Sequence
from pathlib import Path

from bed import binaries
from bed.services.plain import OneServer


class OpensslServer(OneServer):
    """`more` is what is typed behind its other options: `-status_file FILE`, `-dcert FILE -dkey FILE`."""

    def __init__(self, certificate: Path, key: Path, *more: str | Path) -> None:
        self._more = more
        super().__init__(certificate, key)

    def command(self) -> Sequence[str | Path]:
        end = b"-----END CERTIFICATE-----\n"
        _, _, rest = self.certificate.read_bytes().partition(end)
        issuers = self.folder / "issuers.pem"
        issuers.write_bytes(rest)
        return [
            *(binaries.require("openssl"), "s_server", "-quiet", "-accept", f"127.0.0.1:{self.port}"),
            *(
                "-cert",
                self.certificate,
                *(("-cert_chain", issuers) if rest else ()),
                "-key",
                self.key,
                "-naccept",
                "100",
            ),
            *self._more,
        ]
