"""The one place that names adapters: puts a machine together for a command."""

from certkeeper.cli.compose.equipment import USER_AGENT, HookOutput
from certkeeper.cli.compose.machine import Machine
from certkeeper.cli.compose.opening import (
    check_page,
    dane_without_page,
    handed_files,
    house_findings,
    listed_beside,
    look_at,
    machine_of,
    open_hook_machine,
    open_machine,
    read_hook_commands,
    stands_file,
    system_clock,
    write_units,
)
from certkeeper.cli.compose.owners import access_findings, group_findings, obstacle_findings, unreadable

__all__ = [
    "USER_AGENT",
    "HookOutput",
    "Machine",
    "access_findings",
    "check_page",
    "dane_without_page",
    "group_findings",
    "handed_files",
    "house_findings",
    "listed_beside",
    "look_at",
    "machine_of",
    "obstacle_findings",
    "open_hook_machine",
    "open_machine",
    "read_hook_commands",
    "stands_file",
    "system_clock",
    "unreadable",
    "write_units",
]
