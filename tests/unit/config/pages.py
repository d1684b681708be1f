"""A page in memory: paths and texts, and the few lines that answer what the reader of a page asks for."""

from collections.abc import Collection, Mapping

from certkeeper.base.wire import Exchange, Step
from certkeeper.config.findings import Finding
from certkeeper.config.load import FailureKind, Glob, Read, ReadFailure, load
from certkeeper.config.reading import Became, Become, Exposure, Exposures, ReadSecret, SecretText, Settle
from certkeeper.config.settings import Configuration, PowerDnsSettings, Secret
from certkeeper.config.shell import Assignment

CONFIG = "/etc/dehydrated/config"
DOMAINS = "/etc/dehydrated/domains.txt"
POWERDNS = 'CHALLENGETYPE="dns-01"\nPDNS_HOST=localhost\nPDNS_KEY=secret\n'


class Page:
    """Files by path. A FailureKind in place of a text is why that file cannot be read."""

    def __init__(
        self,
        files: Mapping[str, str | FailureKind],
        *,
        open_to_all: Collection[str] = (),
        exposures: tuple[Exposure, ...] = (),
    ) -> None:
        self.files = dict(files)
        self.exposures = exposures
        self.open = open_to_all
        self.asked: list[str] = []
        self.became: list[tuple[str, str]] = []

    def answer(self, step: Step) -> object:
        if isinstance(step, Read):
            self.asked.append(step.path)
            found = self.files.get(step.path, FailureKind.MISSING)
            return ReadFailure(step.path, found, f"it is {found}") if isinstance(found, FailureKind) else found
        if isinstance(step, ReadSecret):
            held = self.answer(Read(step.path))
            return SecretText(Secret(held), step.path in self.open) if isinstance(held, str) else held
        if isinstance(step, Settle):
            return None
        if isinstance(step, Exposures):
            return self.exposures
        if isinstance(step, Become):
            self.became.append((step.user, step.group))
            return Became((("HOME", f"/home/{step.user}"),))
        assert isinstance(step, Glob)
        failed = self.files.get(step.directory)
        if isinstance(failed, FailureKind):
            return ReadFailure(step.directory, failed, f"it is {failed}")
        below = [
            path.removeprefix(f"{step.directory}/") for path in self.files if path.startswith(f"{step.directory}/")
        ]
        if not below:
            return ReadFailure(step.directory, FailureKind.MISSING, "it is missing")
        entries = {path.partition("/")[0] for path in below}
        return tuple(sorted(f"{step.directory}/{name}" for name in entries if name.endswith(step.suffix)))

    def drive(self, exchange: Exchange[Configuration]) -> Configuration:
        try:
            step = next(exchange)
            while True:
                step = exchange.send(self.answer(step))
        except StopIteration as done:
            result = done.value
            assert isinstance(result, Configuration)
            return result

    def load(
        self,
        config_path: str | None = None,
        *,
        cwd: str = "/root",
        environment: Mapping[str, str] | None = None,
        typed: tuple[Assignment, ...] = (),
        fallback: str | None = None,
    ) -> Configuration:
        found = load(config_path, cwd=cwd, environment=environment or {}, typed=typed, fallback=fallback)
        return self.drive(found)


def page(config: str, domains: str = "example.org\n", **more: str | FailureKind) -> Configuration:
    """A page of a configuration, a list of certificates, and other files by their whole path."""
    return Page({CONFIG: config, DOMAINS: domains, **more}).load()


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


def only(configuration: Configuration) -> PowerDnsSettings | None:
    """The one provider of the page, if there is one."""
    providers = configuration.settings.providers
    assert len(providers) <= 1
    return next((item.settings for item in providers if isinstance(item.settings, PowerDnsSettings)), None)
