"""The programs of the scenario "unchanged": dehydrated and what stands in for it, without a hook and with one."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from benchmarks.forge import Forged
from benchmarks.model import Scenario, Wanted
from benchmarks.programs import Certkeeper, Dehydrated, Job, assignments, forge_dehydrated, lines

HOOK = "/bin/true"


class CertkeeperUnchanged(Certkeeper):
    """On a page that dehydrated could have, with nothing but http-01, and so with no need for a hook."""

    optional = True
    words: ClassVar[tuple[str, ...]] = ("run",)
    hook: ClassVar[str] = ""
    more: ClassVar[dict[str, str]] = {}
    """Settings that this one has in addition."""

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        return cls.name in scenario.only

    def _configure(self) -> tuple[str, ...]:
        wellknown = self.folder / "www"
        wellknown.mkdir(exist_ok=True)
        settings = {
            "CA": self.internet.pebble.directory_url,
            "CURL_OPTS": f"--cacert {self.internet.pebble.ca_bundle}",
            "BASEDIR": str(self.folder),
            "CHALLENGETYPE": "http-01",
            "WELLKNOWN": str(wellknown),
            "HOOK": self.hook,
            "KEY_ALGO": "prime256v1",
            "ACCOUNT_KEY_ALGO": "prime256v1",
            **self.more,
        }
        config = self.folder / "config"
        config.write_text(assignments(settings), encoding="utf-8")
        return (self.executable() or "false", *self.words, "--config", str(config))

    def registration(self) -> Job:
        (program, *_, config) = self._configure()
        (self.folder / "domains.txt").touch()
        return Job((program, "account", "register", "--accept-terms", "--config", config))

    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        self.empty("certs")
        made = forge_dehydrated(Path(self.folder) / "certs", certificates)
        (self.folder / "domains.txt").write_text(lines(made), encoding="utf-8")
        return Job(self._configure())


class CertkeeperPlain(CertkeeperUnchanged):
    name = "certkeeper-run"
    settings = (
        "`certkeeper run`, http-01, no hook; in the first run the CA is asked when to renew (ARI)",
        "two runs that are not counted come first, which look at every certificate",
    )


class CertkeeperTrue(CertkeeperUnchanged):
    name = "certkeeper-run-true"
    settings = ("the same with `HOOK=/bin/true`",)
    hook = HOOK


class CertkeeperAsDehydrated(CertkeeperUnchanged):
    name = "certkeeper-dehydrated"
    settings = ("`certkeeper dehydrated --cron`, otherwise as certkeeper-run",)
    words = ("dehydrated", "--cron")


class CertkeeperAsDehydratedTrue(CertkeeperAsDehydrated):
    name = "certkeeper-dehydrated-true"
    settings = ("the same with `HOOK=/bin/true`",)
    hook = HOOK


class DehydratedPlain(Dehydrated):
    name = "dehydrated-plain"
    settings = ("dehydrated with http-01 and no hook",)
    optional = True
    hook: ClassVar[str] = ""

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        return cls.name in scenario.only

    def _configure(self, **more: str) -> tuple[str, ...]:
        wellknown = self.folder / "www"
        wellknown.mkdir(exist_ok=True)
        return super()._configure(CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown), HOOK=self.hook, **more)


class DehydratedTrue(DehydratedPlain):
    name = "dehydrated-true"
    settings = ("the same with `HOOK=/bin/true`",)
    hook = HOOK


UNCHANGED = (
    CertkeeperPlain,
    CertkeeperAsDehydrated,
    DehydratedPlain,
    CertkeeperTrue,
    CertkeeperAsDehydratedTrue,
    DehydratedTrue,
)
