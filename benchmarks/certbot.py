"""certbot, with the hook of benchmarks/hooks: one run per certificate, since it has no list of new ones."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.forge import Forged
from benchmarks.model import Wanted
from benchmarks.programs import HOOK, Job, Program, hook_environment, program


class Certbot(Program):
    name = "certbot"
    settings = (
        "P-256 keys for the certificates; its account keys are always RSA-2048",
        "one run per new certificate, in turn, from one shell: it has no list of them; `certbot renew` is one run",
        "it has no PowerDNS plugin: its manual hooks call `benchmarks/hooks/pdns`, once per name",
        "no delay between change and validation, except where a name server is late; then once per certificate",
        "in nothing-due, `--no-random-sleep-on-renew`; renewal information (ARI) was asked for less than a day ago",
    )

    @staticmethod
    def executable() -> str | None:
        return program("certbot/bin/certbot", "certbot")

    def _command(self, *what: str) -> tuple[str, ...]:
        folders = (word for name in ("config", "work", "logs") for word in (f"--{name}-dir", str(self.folder / name)))
        return (self.executable() or "false", *what, "--non-interactive", *folders)

    def _ca(self) -> tuple[str, ...]:
        return ("--server", self.internet.pebble.directory_url, "--agree-tos")

    def _environment(self, wait: int) -> dict[str, str]:
        return {"REQUESTS_CA_BUNDLE": str(self.internet.pebble.ca_bundle), **hook_environment(self.internet, wait)}

    def registration(self) -> Job:
        command = self._command("register", *self._ca(), "--register-unsafely-without-email")
        return Job(command, self._environment(0))

    def _issue(self, wanted: Wanted) -> tuple[str, ...]:
        hooks = ("--manual-auth-hook", f"{HOOK} auth", "--manual-cleanup-hook", f"{HOOK} cleanup")
        key = ("--key-type", "ecdsa", "--elliptic-curve", "secp256r1")
        names = (word for name in wanted.names for word in ("--domain", name))
        how = ("--manual", "--preferred-challenges", "dns", *hooks, *key)
        return self._command("certonly", *self._ca(), *how, "--cert-name", wanted.label, *names)

    def job(self, wanted: Sequence[Wanted], *, wait: int) -> Job:
        self._empty()
        return Job(self.script(self._issue(each) for each in wanted), self._environment(wait))

    def _empty(self) -> None:
        self.empty("config/live", "config/archive", "config/renewal", "work", "logs")

    def certificate(self, wanted: Wanted) -> Path:
        return self.folder / "config/live" / wanted.label / "cert.pem"

    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        self._empty()
        config = self.folder / "config"
        account = next((config / "accounts").glob("*/*/*/regr.json")).parent.name
        version = self.version()
        (config / "renewal").mkdir(parents=True)
        for wanted, forged in certificates:
            self._forge(config, (version, account), wanted.label, forged)
        command = self._command("renew", "--no-random-sleep-on-renew")
        return Job(command, self._environment(0))

    def _forge(self, config: Path, made_by: tuple[str, str], label: str, forged: Forged) -> None:
        """A lineage as certbot itself leaves it."""
        archive, live = config / "archive" / label, config / "live" / label
        archive.mkdir(parents=True)
        live.mkdir(parents=True)
        files = {"privkey": forged.key, "cert": forged.certificate, "chain": forged.chain}
        files |= {"fullchain": forged.certificate + forged.chain}
        for name, content in files.items():
            (archive / f"{name}1.pem").write_text(content, encoding="ascii")
            (live / f"{name}.pem").symlink_to(f"../../archive/{label}/{name}1.pem")
        version, account = made_by
        said = [f"version = {version}", f"archive_dir = {archive}"]
        said += [f"{name} = {live / name}.pem" for name in files]
        said += ["[renewalparams]", f"account = {account}", f"server = {self.internet.pebble.directory_url}"]
        said += ["authenticator = manual", "pref_challs = dns-01,", "key_type = ecdsa", "elliptic_curve = secp256r1"]
        said += [f"manual_auth_hook = {HOOK} auth", f"manual_cleanup_hook = {HOOK} cleanup"]
        tomorrow = dt.datetime.now() + dt.timedelta(days=1)  # noqa: DTZ005 - certbot reads it as local time
        said += ["[acme_renewal_info]", f"ari_retry_after = {tomorrow.isoformat(timespec='seconds')}"]
        (config / "renewal" / f"{label}.conf").write_text("\n".join(said) + "\n", encoding="utf-8")
