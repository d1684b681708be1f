"""Unit files for systemd, which replace nobody else's."""

from collections.abc import Mapping

from certkeeper.adapters.files import FileMissing, FileTrouble, Folder

_FOR_ALL = 0o644


def write_units(path: str, units: Mapping[str, str], mark: str) -> tuple[str, ...]:
    """Write these files into that folder; `mark` is how the first line of ours begins.

    Returns:
        The files that were written; those that are there with the same content are left out.

    Raises:
        FileTrouble: a file of somebody else's has that name, or something cannot be written.
    """
    written = []
    with Folder.open(path) as folder:
        wanted = [name for name, text in units.items() if _differs(folder, name, text, mark)]
        for name in wanted:
            folder.put(name, units[name].encode())
            folder.set_mode(name, _FOR_ALL)
            written.append(folder.path_of(name))
        folder.sync()
    return tuple(written)


def _differs(folder: Folder, name: str, text: str, mark: str) -> bool:
    """Whether ours has to be written."""
    if folder.status(name) is None:
        return True
    try:
        present = folder.read(name)
    except FileMissing:
        # A link to nowhere.
        present = b""
    if not present.startswith(mark.encode()):
        raise FileTrouble(
            f"{folder.path_of(name)}: not written by certkeeper timer", hint="move it away, or change it by hand"
        )
    return present != text.encode()
