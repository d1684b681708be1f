"""What stops the reading of a page, always with the file and the line that is to blame."""

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Location


class ConfigError(CertkeeperError):
    """A file of the operator's that cannot be read as it stands. `str()` starts with `FILE:LINE: `.

    Attributes:
        where: the guilty place; its line is 0 where the file as a whole is meant.
        reason: the message without the place.
    """

    label = "configuration"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE

    def __init__(self, where: Location, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{where}: {reason}", hint=hint)
        self.where = where
        self.reason = reason


class NoConfiguration(ConfigError):
    """None was named, and there is none in the usual places."""
