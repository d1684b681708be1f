"""What is in a folder."""

from pathlib import Path


def names(folder: Path) -> list[str]:
    """The names in it, hidden ones too, sorted."""
    return sorted(path.name for path in folder.iterdir())
