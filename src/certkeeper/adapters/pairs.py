"""Port Pairs: a version's key and certificates in the forms that services want, tried with OpenSSL first."""

from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from OpenSSL import SSL

from certkeeper.adapters.keys import parse_own
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.lineage.model import VersionFiles
from certkeeper.service.target import Form


class UnusablePair(CertkeeperError):
    """A version that no service could load."""

    fault = Fault.OPERATOR
    local = True


def contents(subject: str, files: VersionFiles, forms: Sequence[Form]) -> Mapping[Form, bytes]:
    """As `Pairs.contents`.

    Raises:
        UnusablePair: OpenSSL does not load them, or there is no key here.
    """
    if not files.privkey:
        if secret := [form.value for form in forms if form.secret]:
            raise UnusablePair(f"{subject}: its key is kept elsewhere, and {', '.join(secret)} would hold it")
    elif trouble := _refusal(files):
        raise UnusablePair(f"{subject}: OpenSSL does not load it: {trouble}")
    return {form: _content(subject, files, form) for form in forms}


def _refusal(files: VersionFiles) -> str:
    """What OpenSSL says against them as a server's key and certificates."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    try:
        leaf, *rest = x509.load_pem_x509_certificates(files.fullchain)
        context.use_certificate(leaf)
        for certificate in rest:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(_private(files))
        context.check_privatekey()
    except (SSL.Error, ValueError, TypeError) as error:
        words = [str(entry[-1]) for entry in error.args[0]] if isinstance(error, SSL.Error) and error.args else []
        return printable(", ".join(words) or str(error), 200)
    return ""


def _private(files: VersionFiles) -> pkcs12.PKCS12PrivateKeyTypes:
    key = parse_own(files.privkey, "privkey.pem").private
    if not isinstance(key, pkcs12.PKCS12PrivateKeyTypes):
        raise TypeError(f"a key of a kind that no service takes: {type(key).__name__}")
    return key


def _content(subject: str, files: VersionFiles, form: Form) -> bytes:
    match form:
        case Form.PRIVKEY:
            return files.privkey
        case Form.CERT:
            return files.cert
        case Form.CHAIN:
            return files.chain
        case Form.FULLCHAIN:
            return files.fullchain
        case Form.KEY_FULLCHAIN:
            return _lines(files.privkey) + files.fullchain
        case Form.FULLCHAIN_KEY:
            return _lines(files.fullchain) + files.privkey
        case Form.PKCS12:
            leaf, *rest = x509.load_pem_x509_certificates(files.fullchain)
            return pkcs12.serialize_key_and_certificates(subject.encode(), _private(files), leaf, rest, NoEncryption())


def _lines(content: bytes) -> bytes:
    return content if content.endswith(b"\n") else content + b"\n"
