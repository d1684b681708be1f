"""A page of dehydrated's for a World, the installed program on it, and a look at what came of it."""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bed.namespace import without_resolver
from bed.waiting import wait_until
from bed.world import World
from builders.documents import check_document
from builders.installed import PYTHON

DEADLINE = 90.0
_ERROR = "certkeeper: error: "
_HINT = "certkeeper: hint: "
_OTHERS_SETTINGS = ("CONFIG", "SSL_CERT_FILE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def errors(self) -> list[str]:
        return [line.removeprefix(_ERROR) for line in self.err.splitlines() if line.startswith(_ERROR)]

    @property
    def hints(self) -> list[str]:
        return [line.removeprefix(_HINT) for line in self.err.splitlines() if line.startswith(_HINT)]

    def only_error(self) -> str:
        """The one error, which comes with a hint; nothing that looks like a fault of the program's own."""
        assert "Traceback" not in self.text, self.text
        assert "internal error" not in self.text, self.text
        assert len(self.errors) == 1, self.text
        assert self.hints, f"no hint says what to do: {self.text}"
        return self.errors[0]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's environment without what would change a page."""
    kept = {name: value for name, value in os.environ.items() if name not in _OTHERS_SETTINGS}
    return {**kept, **(extra or {})}


def certkeeper(
    *arguments: str | Path,
    cwd: Path,
    prefix: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    deadline: float = DEADLINE,
    python: str = PYTHON,
) -> Done:
    """Run the installed program to its end."""
    command = [*prefix, python, "-m", "certkeeper", *map(str, arguments)]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment(env),
        timeout=deadline,
        stdin=subprocess.DEVNULL,
    )
    if "--json" in arguments and ended.stdout:
        check_document(ended.stdout)
    return Done(ended.returncode, ended.stdout, ended.stderr)


class Page:
    """`config`, `domains.txt` and `certs/` in one folder. `settings` end up in the config, in that order."""

    def __init__(self, folder: Path, world: World, *lines: str, **settings: str) -> None:
        self.world = world
        self.folder = folder
        self.config = folder / "config"
        self.domains = folder / "domains.txt"
        self.certs = folder / "certs"
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "CA": world.pebble.directory_url,
            "CA_BUNDLE": str(world.pebble.ca_bundle),
            "BASEDIR": str(folder),
            "CHALLENGETYPE": "dns-01",
            "PDNS_HOST": world.primary.api_url,
            "PDNS_KEY": world.primary.api_key,
            "NAMESERVERS": world.nameservers,
            # The names are the world's own: this host's resolver has nothing to say about them.
            "CAA_CHECK": "no",
            "ACCOUNT_KEY_ALGO": "prime256v1",
            "KEY_ALGO": "prime256v1",
            "PDNS_WAIT": "20",
        }
        self.configure(**settings)
        self.write_lines(*lines)

    def configure(self, **settings: str) -> None:
        """Change settings; PDNS_HOST is the first part of a URL for the API, or its whole."""
        self.settings |= settings
        self.config.write_text(_assignments(self.settings), encoding="utf-8")
        # It holds a key.
        self.config.chmod(0o600)

    def unset(self, *names: str) -> None:
        for name in names:
            del self.settings[name]
        self.configure()

    def write_lines(self, *lines: str) -> None:
        self.domains.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def certificate_config(self, alias: str, **settings: str) -> None:
        self.place(alias).mkdir(parents=True, exist_ok=True)
        (self.place(alias) / "config").write_text(_assignments(settings), encoding="utf-8")

    def place(self, alias: str) -> Path:
        return self.certs / alias

    def run(self, *arguments: str, terms: bool = True, prefix: Sequence[str] = (), deadline: float = DEADLINE) -> Done:
        accept = ["--accept-terms"] if terms else []
        return self._command("run", *accept, *arguments, prefix=prefix, deadline=deadline)

    def plan(self, *arguments: str) -> Done:
        return self._command("plan", *arguments)

    def status(self, *arguments: str) -> Done:
        return self._command("status", *arguments)

    def dns(self, part: str, *arguments: str) -> Done:
        """The names are the world's own: nobody else is asked about them."""
        words: tuple[str | Path, ...] = ("dns", part, "--config", self.config, *arguments)
        return certkeeper(*words, cwd=self.folder, prefix=without_resolver())

    def ocsp(self, part: str, *arguments: str) -> Done:
        return certkeeper("ocsp", part, "--config", self.config, *arguments, cwd=self.folder)

    def account(self, part: str, *arguments: str | Path) -> Done:
        return certkeeper("account", part, "--config", self.config, *arguments, cwd=self.folder)

    def revoke(self, what: str | Path, *arguments: str) -> Done:
        return certkeeper("revoke", "--config", self.config, what, *arguments, cwd=self.folder)

    def sign(self, file: Path, *arguments: str | Path) -> Done:
        return certkeeper("sign", "--config", self.config, file, *arguments, cwd=self.folder)

    def _command(self, command: str, *arguments: str, prefix: Sequence[str] = (), deadline: float = DEADLINE) -> Done:
        return certkeeper(
            command, "--config", self.config, *arguments, cwd=self.folder, prefix=prefix, deadline=deadline
        )

    def live(self) -> set[str]:
        """The lineages whose certificate is live."""
        return {path.parent.name for path in self.certs.glob("*/cert.pem") if path.exists()}

    def verified_names(self, alias: str, *, root: int = 0) -> set[str]:
        """What the live certificate names, once openssl has verified its chain and that the key is its own."""
        place = self.place(alias)
        trust = self.folder / "root.pem"
        trust.write_text(self.world.pebble.root_pem(root), encoding="utf-8")
        openssl("verify", "-CAfile", trust, "-untrusted", place / "chain.pem", place / "cert.pem")
        cert, chain, fullchain = ((place / f"{name}.pem").read_bytes() for name in ("cert", "chain", "fullchain"))
        assert fullchain == cert + chain
        assert openssl("pkey", "-in", place / "privkey.pem", "-pubout") == openssl(
            "x509", "-in", place / "cert.pem", "-noout", "-pubkey"
        )
        said = openssl("x509", "-in", place / "cert.pem", "-noout", "-ext", "subjectAltName")
        return set(re.findall(r"DNS:([^\s,]+)", said))

    def stamps(self, alias: str) -> set[int]:
        """The complete versions on disk."""
        return {int(path.name) for path in (self.place(alias) / ".versions").glob("*") if path.name.isdigit()}


def openssl(*arguments: str | Path) -> str:
    ended = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert ended.returncode == 0, f"openssl {arguments[0]}: {ended.stdout}{ended.stderr}"
    return ended.stdout


def txt_owners(records: Iterable[tuple[str, str]]) -> set[str]:
    return {owner for owner, kind in records if kind == "TXT"}


def assert_clean_dns(world: World, *zones: str) -> None:
    """No TXT record is left at the primary, and soon none at any secondary."""
    for zone in zones:
        assert txt_owners(world.primary.records(zone)) == set(), f"left at the primary in {zone}"
    for secondary in world.secondaries:
        for zone in zones:
            wait_until(
                lambda server=secondary, name=zone: not txt_owners(server.records(name)),  # type: ignore[misc]
                f"{zone} is clean on the secondary",
            )


def tree_hash(folder: Path) -> str:
    """Of all names, types, modes, times and contents below a folder; when the last good run was is no matter."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        time = 0 if path.name == "last-good-run" else status.st_mtime_ns
        digest.update(f"{path} {status.st_mode} {time} {status.st_ino}\n".encode())
        if path.is_symlink():
            digest.update(str(path.readlink()).encode())
        elif path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _assignments(settings: Mapping[str, str]) -> str:
    return "".join(f'{name}="{value}"\n' for name, value in settings.items())
