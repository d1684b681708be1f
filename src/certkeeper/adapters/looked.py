"""What a run looked at, so that a later one can tell whether all of it is as it was."""

import time


class Looked:
    """Files of the page, and folders with the files in them that were looked at.

    `began` is before the first look, in nanoseconds of the epoch: what changed since may have been seen as it was.
    """

    def __init__(self) -> None:
        self.began = time.time_ns()
        self.files: dict[str, None] = {}
        """Files of the page that were asked for, whether they are there or not."""
        self.lists: dict[tuple[str, str], None] = {}
        """Folders of the page whose files were asked for, and how the names of these end."""
        self.beyond = False
        """Whether something decided that cannot be watched."""
        self.folders: dict[str, dict[str, None]] = {}
        """By folder, the names in it."""

    def at_file(self, path: str) -> None:
        self.files[path] = None

    def at_list(self, folder: str, suffix: str) -> None:
        self.lists[folder, suffix] = None

    def at_folder(self, folder: str, names: tuple[str, ...]) -> None:
        # The same names for thousands of folders: one tuple of them.
        self.folders.setdefault(folder, {}).update(dict.fromkeys(names))
