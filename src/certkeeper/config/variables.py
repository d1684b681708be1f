"""The names of dehydrated's settings, of pdns_api.sh's and of our own, and what dehydrated starts them with."""

# dehydrated assigns these before it reads the first file, so a file may use them under `set -u`.
DEFAULTS = {
    "CA": "letsencrypt",
    "OLDCA": "",
    "CERTDIR": "",
    "ALPNCERTDIR": "",
    "ACCOUNTDIR": "",
    # Not dehydrated's 4096: every request is signed, two per name, and 2048 bits are signed six times as fast.
    "ACCOUNT_KEYSIZE": "2048",
    "ACCOUNT_KEY_ALGO": "rsa",
    "CHALLENGETYPE": "http-01",
    "CONFIG_D": "",
    "CURL_OPTS": "",
    "DOMAINS_D": "",
    "DOMAINS_TXT": "",
    "HOOK": "",
    "HOOK_CHAIN": "no",
    "RENEW_DAYS": "32",
    "KEYSIZE": "4096",
    "WELLKNOWN": "",
    "PRIVATE_KEY_RENEW": "yes",
    "PRIVATE_KEY_ROLLOVER": "no",
    "KEY_ALGO": "secp384r1",
    "OPENSSL": "openssl",
    "OPENSSL_CNF": "",
    "CONTACT_EMAIL": "",
    "LOCKFILE": "",
    "OCSP_MUST_STAPLE": "no",
    "OCSP_FETCH": "no",
    "OCSP_DAYS": "5",
    "IP_VERSION": "",
    "CHAINCACHE": "",
    "AUTO_CLEANUP": "no",
    "AUTO_CLEANUP_DELETE": "no",
    "DEHYDRATED_USER": "",
    "DEHYDRATED_GROUP": "",
    "API": "auto",
    "ACME_PROFILE": "",
    "ORDER_TIMEOUT": "0",
    "VALIDATION_TIMEOUT": "0",
    "KEEP_GOING": "no",
}

# The names of pdns_api.sh before version 0.3: they count in files only, since an environment may hold any HOST.
LEGACY_PDNS = ("HOST", "PORT", "KEY", "SERVER", "VERSION", "WAIT")

_ACTED_ON = (
    "ACME_PROFILE_PREFERRED ALERT_COMMAND ALERT_DAYS ALERT_MAIL ALERT_SUMMARY ALERT_URLS ALERT_URLS_FILE "
    "ARI BASEDIR CAA_CHECK CA_BUNDLE CERT_GROUP CERT_OWNER DEPLOY DEPLOY_CONFIG DNS_IGNORE DNS_PROVIDER "
    "EAB_HMAC_KEY EAB_KID EXTRA_NAMESERVERS HEARTBEAT_FAIL_URL HEARTBEAT_URL "
    "HOOK_TIMEOUT HTTP_LISTEN KEEP_DAYS KEEP_VERSIONS KEY_MODE LICENSE "
    "METRICS_FILE NAMESERVERS ON_NAME_FAILURE ORDER_RATE REPORT_FILE RUN_LIMIT "
    "PDNS_CA_BUNDLE PDNS_CLIENT_CERT PDNS_CLIENT_KEY PDNS_CURL_OPTS PDNS_DEPLOY_CERT_HOOK PDNS_EXIT_HOOK "
    "PDNS_HOST PDNS_KEY PDNS_KEY_FILE PDNS_NO_NOTIFY "
    "PDNS_PORT PDNS_SERVER PDNS_SUFFIX PDNS_VERSION PDNS_WAIT PREFERRED_CHAIN PROBE PROPAGATION SOURCE_CONFIG "
    "STAGING_CA STATEDIR TEST_CA TEST_CERTDIR TLSA TLSA_ISSUERS TLSA_MARGIN TLSA_PUBLISH TLSA_TTL TLSA_TYPES "
    "TLS_ALPN_LISTEN TRUST_ANCHOR VALIDATING_RESOLVER VANTAGE_RESOLVERS PDNS_ZONES_TXT ZONES_D DEBUG "
    "LEXICON_PROVIDER RFC2136_KEY RFC2136_KEY_ALGORITHM RFC2136_KEY_FILE RFC2136_KEY_NAME RFC2136_SERVER"
)
KNOWN = frozenset({*DEFAULTS, *LEGACY_PDNS, *_ACTED_ON.split()})

# What dehydrated lets a certificate's own file set, and what we add to it.
PER_CERTIFICATE = frozenset(
    {
        "ACME_PROFILE",
        "ACME_PROFILE_PREFERRED",
        "CA",
        "CERT_GROUP",
        "CERT_OWNER",
        "CHALLENGETYPE",
        "DEPLOY",
        "DNS_PROVIDER",
        "HOOK",
        "HOOK_CHAIN",
        "HOOK_TIMEOUT",
        "KEEP_DAYS",
        "KEEP_GOING",
        "KEEP_VERSIONS",
        "KEYSIZE",
        "KEY_ALGO",
        "KEY_MODE",
        "OCSP_DAYS",
        "OCSP_FETCH",
        "OCSP_MUST_STAPLE",
        "ON_NAME_FAILURE",
        "OPENSSL_CNF",
        "ORDER_TIMEOUT",
        "PREFERRED_CHAIN",
        "PROBE",
        "PRIVATE_KEY_RENEW",
        "PRIVATE_KEY_ROLLOVER",
        "RENEW_DAYS",
        "STAGING_CA",
        "TEST_CA",
        "TLSA",
        "TLSA_ISSUERS",
        "TLSA_PUBLISH",
        "TLSA_TTL",
        "TLSA_TYPES",
        "VALIDATION_TIMEOUT",
        "WELLKNOWN",
    }
)

_PER_ZONE = frozenset(
    {
        "DNS_PROVIDER",
        "HOOK",
        "HOOK_CHAIN",
        "HOOK_TIMEOUT",
        "LEXICON_PROVIDER",
        "PDNS_CA_BUNDLE",
        "PDNS_CLIENT_CERT",
        "PDNS_CLIENT_KEY",
        "PDNS_CURL_OPTS",
        "PDNS_HOST",
        "PDNS_KEY",
        "PDNS_KEY_FILE",
        "PDNS_NO_NOTIFY",
        "PDNS_PORT",
        "PDNS_SERVER",
        "PDNS_SUFFIX",
        "PDNS_VERSION",
        "PDNS_ZONES_TXT",
        "RFC2136_KEY",
        "RFC2136_KEY_ALGORITHM",
        "RFC2136_KEY_FILE",
        "RFC2136_KEY_NAME",
        "RFC2136_SERVER",
    }
)

# The page's, and a zone is named in their value.
NAMES_ZONES = frozenset({"DNS_IGNORE", "EXTRA_NAMESERVERS", "NAMESERVERS"})


def per_zone(name: str) -> bool:
    """Whether a zone's own file, in ZONES_D, may set it."""
    return name in _PER_ZONE or name.startswith("LEXICON_")
