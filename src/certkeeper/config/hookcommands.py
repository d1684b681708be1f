"""Commands in the place of pdns_api.sh's hooks: PDNS_DEPLOY_CERT_HOOK and PDNS_EXIT_HOOK, run without arguments."""

from certkeeper.base.value import dataclass
from certkeeper.config.values import Values


@dataclass(frozen=True, slots=True)
class HookCommands:
    """Command lines that stand in for a hook of dehydrated's, as words; empty where there is none."""

    deploy_cert: tuple[str, ...] = ()
    exit_hook: tuple[str, ...] = ()


def hook_commands_of(values: Values) -> HookCommands:
    """What is run at deploy_cert and exit_hook. Words end at blanks, since no shell reads them."""
    return HookCommands(
        tuple(values.text("PDNS_DEPLOY_CERT_HOOK").split()), tuple(values.text("PDNS_EXIT_HOOK").split())
    )
