"""What is raised where something of a stranger's is taken apart by cryptography."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

MALFORMED = (
    ValueError,
    TypeError,
    OverflowError,
    # A TLS feature that cryptography has no name for.
    KeyError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""Some of it is raised only when a field is looked at."""
