"""Port Pairs: OpenSSL's word on a version's key and certificates, before a service is given them."""

from typing import cast

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import PKey

from certkeeper.adapters.keys import parse_own
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.lineage.model import VersionFiles


class UnusablePair(CertkeeperError):
    """A version that no service could load."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


class OpenSslPairs:
    """Implements the port Pairs."""

    def check(self, subject: str, files: VersionFiles) -> None:
        """A version whose key is kept elsewhere has nothing to load.

        Raises:
            UnusablePair: OpenSSL does not load it as a server's.
        """
        if files.privkey and (trouble := _refusal(files)):
            raise UnusablePair(f"{subject}: OpenSSL does not load it: {trouble}")


def _refusal(files: VersionFiles) -> str:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    try:
        leaf, *rest = x509.load_pem_x509_certificates(files.fullchain)
        context.use_certificate(leaf)
        for certificate in rest:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(cast("PKey", parse_own(files.privkey, "privkey.pem").private))
        context.check_privatekey()
    except (SSL.Error, ValueError, TypeError) as error:
        words = [str(entry[-1]) for entry in error.args[0]] if isinstance(error, SSL.Error) and error.args else []
        return printable(", ".join(words) or str(error), 200)
    return ""
