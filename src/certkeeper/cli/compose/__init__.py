"""The one place that names adapters: puts a machine together for a command."""

from certkeeper.cli.compose.equipment import USER_AGENT
from certkeeper.cli.compose.machine import Machine
from certkeeper.cli.compose.opening import handed_files, look_at, open_machine, system_clock

__all__ = ["USER_AGENT", "Machine", "handed_files", "look_at", "open_machine", "system_clock"]
