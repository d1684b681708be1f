from certkeeper.base.errors import Location
from certkeeper.config.findings import Severity
from unit.config.pages import page

CNF = """\
# SAN
[ req ]
distinguished_name = dn
req_extensions = v3_req
[v3_req]
keyUsage = critical, digitalSignature
[ SAN ]
subjectAltName = DNS:old.example.org
extendedKeyUsage = \\
   serverAuth = 1
  1.3.6.1.5.5.7.1.24=DER:30:03:02:01:05
# basicConstraints = CA:FALSE
[other]
keyUsage = x
"""
OWN = "/etc/dehydrated/certs/a.org/config"


def test_what_dehydrated_would_have_asked_for_is_found_with_its_line() -> None:
    found = page("OPENSSL_CNF=/x.cnf", "", **{"/x.cnf": CNF}).findings
    assert [(item.severity, item.where) for item in found] == [
        (Severity.WARNING, Location("/x.cnf", 9)),
        (Severity.WARNING, Location("/x.cnf", 11)),
    ]
    assert found[0].message == "OPENSSL_CNF: extendedKeyUsage in section [SAN] is not asked for"


def test_any_other_file_is_accepted_without_a_word() -> None:
    ordinary = CNF.partition("[ SAN ]")[0]
    assert page("OPENSSL_CNF=/x.cnf LICENSE=https://x", "", **{"/x.cnf": ordinary}).findings == ()
    assert page("OPENSSL_CNF=/missing.cnf", "").findings == ()


def test_a_certificate_may_have_one_of_its_own() -> None:
    found = page("X=", "a.org\nb.org\n", **{"/x.cnf": CNF, OWN: "OPENSSL_CNF=/x.cnf"})
    assert [item.code for item in found.findings] == ["request-extension"] * 2
    assert len(found.certificates) == 2
