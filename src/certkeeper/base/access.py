"""Who may read files that hold keys, or go with them: an owner, a group and a mode, as names and numbers."""

from certkeeper.base.value import dataclass

PRIVATE = 0o600
SHARED = 0o640
PUBLIC = 0o644


@dataclass(frozen=True, slots=True)
class Access:
    """What the page says of owner, group and the key's mode; None and empty where it says nothing."""

    owner: str = ""
    group: str = ""
    mode: int | None = None

    @property
    def asked(self) -> bool:
        """The page says something; else files are made as private as they can be, and nobody touches them later."""
        return bool(self.owner or self.group) or self.mode is not None

    @property
    def key_mode(self) -> int:
        """A group that is named is there to read."""
        if self.mode is not None:
            return self.mode
        return SHARED if self.group else PRIVATE

    @property
    def public_mode(self) -> int | None:
        """The mode of what is no secret; None leaves it as it is."""
        return PUBLIC if self.owner or self.group else None


NO_ACCESS = Access()
