"""What kind of value each setting has, which values are secret, and what counts where a page says nothing."""

import re
from enum import StrEnum

from certkeeper.config.variables import KNOWN

_LEXICON = "LEXICON_"


class Kind(StrEnum):
    """How certkeeper.toml writes a value; a string does for all of them."""

    TEXT = "a string"
    TRUTH = "true or false"
    NUMBER = "a whole number"
    WORDS = "a list of strings"


_TRUTHS = (
    "ARI AUTO_CLEANUP AUTO_CLEANUP_DELETE CAA_CHECK HOOK_CHAIN KEEP_GOING OCSP_FETCH OCSP_MUST_STAPLE PDNS_NO_NOTIFY "
    "PRIVATE_KEY_RENEW PRIVATE_KEY_ROLLOVER SOURCE_CONFIG TEST_CA"
)
_NUMBERS = (
    "ACCOUNT_KEYSIZE ALERT_DAYS API HOOK_TIMEOUT IP_VERSION KEEP_DAYS KEEP_VERSIONS KEYSIZE OCSP_DAYS ORDER_TIMEOUT "
    "PDNS_PORT PDNS_VERSION "
    "PDNS_WAIT RENEW_DAYS RUN_LIMIT TLSA_MARGIN TLSA_TTL VALIDATION_TIMEOUT"
)
_WORDS = (
    "ALERT_URLS "
    "CHALLENGETYPE CURL_OPTS DEPLOY DNS_IGNORE EXTRA_NAMESERVERS HTTP_LISTEN NAMESERVERS PDNS_CURL_OPTS PROBE TLSA "
    "TLSA_ISSUERS TLSA_TYPES TLS_ALPN_LISTEN VANTAGE_RESOLVERS"
)
TRUTHS, NUMBERS, WORDS = (frozenset(names.split()) for names in (_TRUTHS, _NUMBERS, _WORDS))
_SECRETS = frozenset(
    {"ALERT_URLS", "EAB_HMAC_KEY", "HEARTBEAT_FAIL_URL", "HEARTBEAT_URL", "KEY", "PDNS_KEY", "RFC2136_KEY"}
)
# What counts where nothing is set, as text; paths below BASEDIR are in Settings, dehydrated's are in DEFAULTS.
OUR_DEFAULTS = {
    "ALERT_DAYS": "10",
    "ARI": "yes",
    "CAA_CHECK": "yes",
    "DEPLOY_CONFIG": "/etc/certkeeper/deploy.toml",
    "KEEP_DAYS": "30",
    "KEEP_VERSIONS": "3",
    "PDNS_WAIT": "300",
    "PROPAGATION": "reachable",
    "RUN_LIMIT": "0",
    "TLSA": "no",
    "TLSA_MARGIN": "3600",
    "TLSA_PUBLISH": "zone",
    "TLSA_TTL": "3600",
    "TLSA_TYPES": "311",
    "WELLKNOWN": "/var/www/dehydrated",
}

# Passwords may hold what should be escaped in a URL.
_USERINFO = re.compile(r"(?<=://)\S+@")
# Their arguments may be anything, among that tokens.
_COMMANDS = frozenset({"ALERT_COMMAND", "PDNS_DEPLOY_CERT_HOOK", "PDNS_EXIT_HOOK"})
_OPTION = re.compile(r"-[A-Za-z0-9]+|--[a-z0-9-]+")
# curl's options whose word may be a secret: users with passwords, and headers.
_CREDENTIALS = re.compile(r"(?:^|\s)(?:-[uUH]|--(?:proxy-)?(?:user|header)|--oauth2-bearer|--pass)")
REQUIRED = "required"
"""OCSP_MUST_STAPLE, where nothing is ordered without."""
MASK = "********"


def kind_of(name: str) -> Kind:
    """The kind of a setting's value."""
    if name in TRUTHS:
        return Kind.TRUTH
    if name in NUMBERS:
        return Kind.NUMBER
    return Kind.WORDS if name in WORDS else Kind.TEXT


def is_setting(name: str) -> bool:
    """Whether the name means something; options of lexicon's providers are too many to be listed."""
    return name in KNOWN or (name.startswith(_LEXICON) and name != _LEXICON)


def is_secret(name: str) -> bool:
    """Whether whoever knows the value can do harm with it."""
    return name in _SECRETS or (name.startswith(_LEXICON) and name != "LEXICON_PROVIDER")


def masked(name: str, text: str) -> str:
    """The value as it may be shown. A name that nobody knows is a hook's, and may hold anything."""
    if not text:
        return text
    curl = name.endswith("CURL_OPTS")
    if is_secret(name) or not is_setting(name) or (curl and _CREDENTIALS.search(text)):
        return MASK
    if (curl or name in _COMMANDS) and (words := text.split()):
        first = MASK if curl and not _OPTION.fullmatch(words[0]) else _USERINFO.sub(f"{MASK}@", words[0])
        return f"{first} {MASK}" if words[1:] else first
    return _USERINFO.sub(f"{MASK}@", text)
