"""The one place that names adapters: puts a machine together for a command."""

from certkeeper.cli.compose.equipment import USER_AGENT, HookOutput
from certkeeper.cli.compose.machine import Machine
from certkeeper.cli.compose.opening import (
    handed_files,
    open_hook_machine,
    open_machine,
    read_hook_commands,
    write_units,
)

__all__ = [
    "USER_AGENT",
    "HookOutput",
    "Machine",
    "handed_files",
    "open_hook_machine",
    "open_machine",
    "read_hook_commands",
    "write_units",
]
