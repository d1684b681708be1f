"""A certificate's files for a service: where they are, and what they hold."""

from dataclasses import replace

import pytest

from builders.certificates import new_key, version_files
from certkeeper.apply.placements import contents, filled, placement
from certkeeper.base.access import Access
from certkeeper.base.errors import Location
from certkeeper.base.names import Alias, Identifier
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import UnusableKey
from certkeeper.service.kinds import Description, built_in, target
from certkeeper.service.target import Form, Kind, TargetFile

SPEC = CertSpec(
    alias=Alias("mail"),
    identifiers=(Identifier.parse("mail.example.org"), Identifier.parse("example.org")),
    where=Location("/etc/dehydrated/domains.txt", 1),
    ca="https://ca.example/directory",
)


def test_placeholders_are_the_certificate_s() -> None:
    found = placement(SPEC, built_in("prosody"))
    assert (found.target, found.alias, found.access) == ("prosody", Alias("mail"), Access(group="prosody"))
    assert found.files == {
        "/etc/prosody/certs/mail.example.org.crt": Form.FULLCHAIN,
        "/etc/prosody/certs/mail.example.org.key": Form.PRIVKEY,
    }
    assert placement(SPEC, built_in("postfix")).files == {"/etc/postfix/certs/mail.pem": Form.KEY_FULLCHAIN}


def test_who_reads_in_place_has_no_files() -> None:
    assert placement(SPEC, built_in("nginx")).files == {}


@pytest.mark.parametrize(
    "files",
    [
        (TargetFile(Form.FULLCHAIN_KEY, "/srv/{alias}.pem"),),
        (TargetFile(Form.FULLCHAIN_KEY, "/srv/{alias}.pem"), TargetFile(Form.OCSP, "/srv/{alias}.pem.ocsp")),
    ],
)
def test_haproxy_has_a_response_beside_each_certificate_that_wants_it_kept(files: tuple[TargetFile, ...]) -> None:
    found = target("edge", Description(Kind.HAPROXY, files=files))
    stapled = replace(SPEC, ocsp_fetch=True)
    assert placement(stapled, found).files == {"/srv/mail.pem": Form.FULLCHAIN_KEY, "/srv/mail.pem.ocsp": Form.OCSP}
    assert placement(SPEC, found).files == {"/srv/mail.pem": Form.FULLCHAIN_KEY}
    beside = "/etc/haproxy/certs/mail.pem.ocsp"
    assert placement(stapled, built_in("haproxy")).files[beside] is Form.OCSP
    assert not target("edge", Description(Kind.HAPROXY, files=())).files, "it reads in place"


def test_without_a_response_there_is_no_file_for_one() -> None:
    place = placement(replace(SPEC, ocsp_fetch=True), built_in("haproxy"))
    pem = "/etc/haproxy/certs/mail.pem"
    assert filled(place, {Form.OCSP: b""}).files == {pem: Form.FULLCHAIN_KEY}
    assert filled(place, {Form.OCSP: b"response"}) == place


def test_the_password_s_file_goes_along() -> None:
    said = Description(
        Kind.COMMAND,
        files=(TargetFile(Form.PKCS12, "/srv/x.p12"),),
        reload=(),
        password_file="/etc/x.password",
    )
    assert placement(SPEC, target("java", said)).password_file == "/etc/x.password"


def test_each_form_is_what_its_name_says() -> None:
    version = replace(version_files(new_key()), staple=b"response")
    found = contents(version, [form for form in Form if form is not Form.PKCS12])
    assert found == {
        Form.PRIVKEY: version.privkey,
        Form.CERT: version.cert,
        Form.CHAIN: version.chain,
        Form.FULLCHAIN: version.fullchain,
        Form.KEY_FULLCHAIN: version.privkey + version.fullchain,
        Form.FULLCHAIN_KEY: version.fullchain + version.privkey,
        Form.OCSP: b"response",
    }
    assert contents(version, [Form.CERT]) == {Form.CERT: version.cert}


def test_what_is_joined_keeps_its_lines_apart() -> None:
    version = replace(version_files(new_key()), privkey=b"KEY", fullchain=b"CHAIN")
    found = contents(version, [Form.KEY_FULLCHAIN, Form.FULLCHAIN_KEY])
    assert found == {Form.KEY_FULLCHAIN: b"KEY\nCHAIN\n", Form.FULLCHAIN_KEY: b"CHAIN\nKEY\n"}


def test_pkcs12_comes_as_what_it_is_made_of() -> None:
    version = version_files(new_key())
    assert contents(version, [Form.PKCS12]) == {Form.PRIVKEY: version.privkey, Form.FULLCHAIN: version.fullchain}


@pytest.mark.parametrize("form", [form for form in Form if form.secret])
def test_a_key_that_somebody_else_keeps_is_in_no_file(form: Form) -> None:
    version = replace(version_files(new_key()), privkey=b"")
    with pytest.raises(UnusableKey, match="kept elsewhere"):
        contents(version, [form])
    assert contents(version, [Form.FULLCHAIN]) == {Form.FULLCHAIN: version.fullchain}
