"""A key that nobody announced."""

from pathlib import Path

import trustme


def another_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """Chain and key for a name, in files."""
    made = trustme.CA().issue_cert(name)
    fullchain, key = folder / "swapped.pem", folder / "swapped.key"
    made.cert_chain_pems[0].write_to_path(fullchain)
    made.private_key_pem.write_to_path(key)
    return fullchain, key
