"""What `certkeeper dehydrated --help` prints."""

_COMMANDS = (
    ("--version (-v)", "Say which program this is, and what it works with"),
    ("--display-terms", "Say where the CA's terms of service are"),
    ("--register", "Make an account at the CA"),
    ("--account", "Tell the CA the contact address of the config file"),
    ("--cron (-c)", "Issue what is missing, what has other names now, and what ends soon"),
    ("--signcsr (-s) path/to/csr.pem", "Have this request signed, and print the certificate"),
    ("--revoke (-r) path/to/cert.pem", "Have this certificate revoked"),
    ("--deactivate", "Give the account up for good"),
    ("--cleanup (-gc)", "Move files that nothing uses to the archive folder"),
    ("--cleanup-delete (-gcd)", "Delete (!) files that nothing uses"),
    ("--help (-h)", "Show this text"),
    ("--env (-e)", "Print settings for other scripts to read"),
)
_PARAMETERS = (
    ("--accept-terms", "Agree to the CA's terms of service"),
    ("--full-chain (-fc)", "With --signcsr: print the issuer's certificate, too"),
    ("--ipv4 (-4)", "Reach the CA over IPv4 only"),
    ("--ipv6 (-6)", "Reach the CA over IPv6 only"),
    ("--domain (-d) domain.tld", "One certificate for these names, in place of those in domains.txt"),
    ("--ca url/preset", "Ask this CA"),
    ("--alias certalias", "With --domain: name of the certificate's folder and of its own settings"),
    ("--keep-going (-g)", "Go on with the next certificate after one that failed"),
    ("--force (-x)", "Issue although nothing is due"),
    ("--force-validation", "With --force: prove names once more that the CA takes as proven"),
    ("--no-lock (-n)", "Run without the lock file"),
    ("--lock-suffix example.com", "Add this to the lock file's name"),
    ("--ocsp", "Ask for the must-staple extension"),
    ("--privkey (-p) path/to/key.pem", "Use this key in place of the account's"),
    ("--domains-txt path/to/domains.txt", "Read this list of certificates"),
    ("--config (-f) path/to/config", "Read this config file"),
    ("--hook (-k) path/to/hook.sh", "Call this script"),
    ("--preferred-chain issuer-cn", "Take the chain with this issuer"),
    ("--out (-o) certs/directory", "Put certificates into this folder"),
    ("--alpn alpn-certs/directory", "Put certificates for tls-alpn-01 into this folder"),
    ("--challenge (-t) http-01|dns-01|tls-alpn-01", "Prove names in this way"),
    ("--algo (-a) rsa|prime256v1|secp384r1|secp521r1", "Make keys of this kind"),
    ("--acme-profile profile_name", "Ask the CA for this profile"),
    ("--order-timeout seconds", "Wait that long for the CA to make a certificate"),
    ("--validation-timeout seconds", "Wait that long for the CA to validate names"),
    ("--source-config", "Have bash evaluate config files, commands and functions included (certkeeper's own)"),
)


def usage(program: str) -> str:
    """All of it, for a program of that name."""
    lines = [f"Usage: {program} [-h] [command [argument]] [parameter [argument]] [parameter [argument]] ...", ""]
    lines += ["Default command: help", "", "Commands:"]
    lines += [f" {words:<32} {meaning}" for words, meaning in _COMMANDS]
    lines += ["", "Parameters:"]
    lines += [f" {words:<32} {meaning}" for words, meaning in _PARAMETERS]
    return "\n".join([*lines, ""])
