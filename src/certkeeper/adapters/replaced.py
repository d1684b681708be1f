"""What a copy may take the place of, where another user says for which certificate it is made.

The alias is in the copy's path, and that user chooses it: `{alias}` alone could be the name of any file in the folder.
"""

from contextlib import suppress

from certkeeper.adapters.copies import site
from certkeeper.adapters.files import FileMissing, FileTrouble
from certkeeper.apply.deployports import Placement
from certkeeper.service.target import Form

_PEM, _DER = b"-----BEGIN ", b"\x30"


def refuse_foreign(placement: Placement) -> None:
    """Let no file go that holds neither a certificate nor a key. Where the folder is missing there is none.

    Raises:
        FileTrouble: it would be replaced.
    """
    with suppress(FileMissing), site(placement) as there:
        for name, form in there.files.items():
            if there.is_ours(name) or not there.folder.is_file(name):
                # What is neither a file nor ours is refused by who would replace it.
                continue
            found = there.folder.read_here(name)
            expected = found.startswith(_DER) if form in {Form.PKCS12, Form.OCSP} else _PEM in found
            if found and not expected:
                path = there.folder.path_of(name)
                raise FileTrouble(
                    f"{path}: holds neither a certificate nor a key, and would be replaced by one of {placement.alias}",
                    hint=f"move it away; or name the aliases that may be deployed: certificates = […] in "
                    f"[target.{placement.target}]",
                )
