"""Which of a certificate's files CERT_OWNER, CERT_GROUP and KEY_MODE are about."""

from certkeeper.lineage.layout import CERT, CHAIN, FULLCHAIN, PRIVKEY, STAPLE

READ = (PRIVKEY, CERT, CHAIN, FULLCHAIN, STAPLE)
"""The names that services read. What else is in a folder is for this program and for dehydrated, and stays private."""
