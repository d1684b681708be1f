"""What the files of a copy are to hold; PKCS#12 is made here, from key and chain."""

from collections.abc import Mapping

from certkeeper.apply.deployports import Placement
from certkeeper.base.value import dataclass, field
from certkeeper.service.target import Form


@dataclass(frozen=True, slots=True)
class Wanted:
    """The contents by form. `password` is what PKCS#12 is locked with, empty where it is not."""

    name: str
    contents: Mapping[Form, bytes] = field(repr=False)
    password: bytes = field(repr=False)

    def lacks(self, form: Form) -> bool:
        """There is no such file of that version: it has no OCSP response."""
        return form is Form.OCSP and not self.contents[form]

    def octets(self, form: Form) -> bytes:
        """What to write; of PKCS#12 other octets each time.

        Raises:
            CertkeeperError: PKCS#12 cannot be made of it.
        """
        if form is not Form.PKCS12:
            return self.contents[form]
        from certkeeper.adapters.pkcs12 import bundle  # noqa: PLC0415 - few services want it

        return bundle(self.contents[Form.PRIVKEY], self.contents[Form.FULLCHAIN], self.name, self.password)

    def in_file(self, form: Form, found: bytes) -> bool:
        """Whether a file with these octets holds what it is to hold."""
        if form is not Form.PKCS12:
            return found == self.contents[form]
        from certkeeper.adapters.pkcs12 import holds  # noqa: PLC0415 - as above

        return holds(found, self.contents[Form.PRIVKEY], self.contents[Form.FULLCHAIN], self.password)


def wanted(placement: Placement, contents: Mapping[Form, bytes]) -> Wanted:
    """Raises FileTrouble where a password is needed and cannot be read."""
    password = b""
    if Form.PKCS12 in placement.files.values():
        from certkeeper.adapters.pkcs12 import password_of  # noqa: PLC0415 - as above

        password = password_of(placement.password_file)
    return Wanted(placement.alias.text, contents, password)
