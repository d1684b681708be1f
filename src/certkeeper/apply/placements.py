"""Where the copies of a certificate for a service are, and what they hold."""

from collections.abc import Collection, Mapping

from certkeeper.apply.deployports import Placement
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import UnusableKey, VersionFiles
from certkeeper.service.target import Form, Target


def placement(spec: CertSpec, target: Target) -> Placement:
    """The target's files for that certificate; none where the service reads certificates where they are.

    Without OCSP_FETCH nobody sees to it that a response is good, so there is no file for one.
    """
    named = [file for file in target.files if file.form is not Form.OCSP or spec.ocsp_fetch]
    files = {file.of(spec.alias, spec.identifiers[0]): file.form for file in named}
    return Placement(target.name, spec.alias, files, target.access, target.password_file)


def filled(place: Placement, contents: Mapping[Form, bytes]) -> Placement:
    """The same without a file for a response that is not there: services load no empty one."""
    if contents.get(Form.OCSP) != b"":
        return place
    return replace(place, files={path: form for path, form in place.files.items() if form is not Form.OCSP})


def contents(version: VersionFiles, forms: Collection[Form]) -> Mapping[Form, bytes]:
    """What files of these forms hold.

    PKCS#12 is made of key and chain by who writes it, since it is another one each time; these are in it then.

    Raises:
        UnusableKey: a form holds the key, and somebody else keeps that.
    """
    if not version.privkey and any(form.secret for form in forms):
        raise UnusableKey("its private key is kept elsewhere, and the service needs it in a file")
    parts = {Form.PRIVKEY, Form.FULLCHAIN} if Form.PKCS12 in forms else set()
    return {form: _content(version, form) for form in Form if form in {*forms, *parts} and form is not Form.PKCS12}


def _content(version: VersionFiles, form: Form) -> bytes:
    match form:
        case Form.PRIVKEY:
            return version.privkey
        case Form.CERT:
            return version.cert
        case Form.CHAIN:
            return version.chain
        case Form.FULLCHAIN:
            return version.fullchain
        case Form.KEY_FULLCHAIN:
            return _joined(version.privkey, version.fullchain)
        case Form.FULLCHAIN_KEY:
            return _joined(version.fullchain, version.privkey)
        case Form.OCSP:
            return version.staple
        case Form.PKCS12:
            raise ValueError(form)


def _joined(*blocks: bytes) -> bytes:
    """One after the other: a block that does not end its last line would spoil the first of the next."""
    return b"".join(block if block.endswith(b"\n") or not block else block + b"\n" for block in blocks)
