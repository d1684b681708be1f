"""A CA for each certificate, an account for each CA, and test CAs."""

import pytest

from certkeeper.base.accounts import account_folder
from certkeeper.base.keys import KeyAlgorithm, KeySpec
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST, PRESETS
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import AccountSettings, CertSpec, Configuration, ExternalAccount, Purpose, Secret
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page, codes, page

OWN = "/etc/dehydrated/certs/example.org/config"
OTHER = "https://other.test/directory"
ACCOUNT = f"/etc/dehydrated/accounts/{account_folder(OTHER)}/config"
PAIR = "EAB_KID=kid-1\nEAB_HMAC_KEY=YWJj\n"
FIRST = ExternalAccount("kid-1", Secret("YWJj"))


def loaded(own: str = "", config: str = "", account: str | None = None, **environment: str) -> Configuration:
    files = {CONFIG: POWERDNS + config, DOMAINS: "example.org\nexample.net\n", OWN: own}
    if account is not None:
        files[ACCOUNT] = account
    return Page(files).load(environment=environment)


def mine(found: Configuration) -> CertSpec:
    return found.certificates[0]


def account(found: Configuration) -> AccountSettings:
    (only,) = found.settings.other_accounts
    return only


class TestCa:
    def test_a_certificate_may_have_its_own(self) -> None:
        found = loaded(f"CA={OTHER}\n")
        assert [item.ca for item in found.certificates] == [OTHER, LETSENCRYPT]
        assert found.cas == (OTHER, LETSENCRYPT)
        assert found.settings.ca == LETSENCRYPT
        assert found.findings == ()

    @pytest.mark.parametrize(("text", "url"), [("zerossl", PRESETS["zerossl"]), ("letsencrypt-test", LETSENCRYPT_TEST)])
    def test_presets_count_there_too(self, text: str, url: str) -> None:
        assert mine(loaded(f"CA={text}\n")).ca == url

    def test_the_pages_own_by_another_name_is_the_pages_own(self) -> None:
        found = loaded("CA=letsencrypt\n", "EAB_KID=k\nEAB_HMAC_KEY=YWJj\n")
        assert (found.cas, found.settings.other_accounts) == ((LETSENCRYPT,), ())

    def test_what_is_none_rejects_that_certificate_alone(self) -> None:
        found = loaded("CA=letsencrpyt\n")
        (rejected,) = found.rejected
        assert "neither a preset nor a URL" in str(rejected.error)
        assert [item.alias.text for item in found.certificates] == ["example.net"]

    def test_acme_v1_is_told_of_there_too(self) -> None:
        found = loaded("CA=https://acme-staging.api.letsencrypt.org/directory\n")
        assert mine(found).ca == LETSENCRYPT_TEST
        assert codes(found.findings) == ["acme-v1-url"]


class TestAccounts:
    def test_each_ca_has_its_own_file(self) -> None:
        text = f"{PAIR}CONTACT_EMAIL=b@example.org\nACCOUNT_KEY_ALGO=secp384r1\n"
        found = loaded(f"CA={OTHER}\n", "CONTACT_EMAIL=a@example.org\n", text)
        there = found.settings.at(OTHER)
        assert (there.ca, there.external_account, there.contact_email) == (OTHER, FIRST, "b@example.org")
        assert there.account_key.algorithm is KeyAlgorithm.P384
        assert (found.settings.contact_email, found.settings.external_account) == ("a@example.org", None)
        assert found.settings.at(LETSENCRYPT) == found.settings
        assert found.findings == ()

    def test_what_the_page_says_of_accounts_counts_but_for_its_customer(self) -> None:
        found = loaded(f"CA={OTHER}\n", f"{PAIR}CONTACT_EMAIL=a@example.org\nACCOUNT_KEYSIZE=3072\n")
        assert account(found) == AccountSettings(OTHER, "a@example.org", KeySpec(KeyAlgorithm.RSA, 3072))
        assert found.settings.external_account == FIRST

    def test_nor_does_the_environment_count(self) -> None:
        found = loaded(f"CA={OTHER}\n", EAB_KID="kid-1", EAB_HMAC_KEY="YWJj")
        assert account(found).external_account is None
        assert found.settings.external_account == FIRST

    def test_a_ca_that_nobody_reads_of_is_shown_no_customer_either(self) -> None:
        found = loaded(config=PAIR)
        there = found.settings.at(OTHER)
        assert (there.ca, there.external_account) == (OTHER, None)

    def test_its_file_sees_what_dehydrateds_sees(self) -> None:
        found = loaded(f"CA={OTHER}\n", "NAME=me\n", 'CONTACT_EMAIL="$NAME@$CAHASH"\n')
        assert account(found).contact_email == f"me@{account_folder(OTHER)}"

    @pytest.mark.parametrize("text", ["EAB_KID=k\n", "CONTACT_EMAIL=nobody\n", "ACCOUNT_KEY_ALGO=dsa\n", "if\n"])
    def test_a_file_that_is_wrong_rejects_its_certificates_alone(self, text: str) -> None:
        found = loaded(f"CA={OTHER}\n", account=text)
        (rejected,) = found.rejected
        assert rejected.label == "example.org"
        assert isinstance(rejected.error, ConfigError)
        assert rejected.error.where.file == ACCOUNT
        assert [item.alias.text for item in found.certificates] == ["example.net"]

    def test_a_file_that_no_certificate_needs_is_not_read(self) -> None:
        assert loaded(account="if\n").rejected == ()

    def test_other_settings_have_no_effect_there(self) -> None:
        found = loaded(f"CA={OTHER}\n", account="RENEW_DAYS=5\n")
        assert (codes(found.findings), mine(found).renew.days) == (["not-per-account"], 32)


class TestTestCa:
    @pytest.mark.parametrize(
        ("ca", "purpose"),
        [(name, Purpose.REHEARSE if name.endswith("-test") else Purpose.SERVE) for name in PRESETS]
        + [
            ("https://acme-staging.api.letsencrypt.org/directory", Purpose.REHEARSE),
            ("https://acme-staging.example/directory", Purpose.REHEARSE),
            ("https://localhost:14000/dir", Purpose.SERVE),
            ("https://example.org/acme-staging/directory", Purpose.SERVE),
        ],
    )
    def test_the_url_says_it(self, ca: str, purpose: Purpose) -> None:
        assert mine(loaded(config=f"CA={ca}\n")).purpose is purpose
        assert mine(loaded(f"CA={ca}\n")).purpose is purpose

    @pytest.mark.parametrize(("word", "purpose"), [("yes", Purpose.REHEARSE), ("no", Purpose.SERVE)])
    def test_a_word_counts_before_it(self, word: str, purpose: Purpose) -> None:
        for ca in ("letsencrypt", "letsencrypt-test"):
            assert mine(loaded(config=f"CA={ca}\nTEST_CA={word}\n")).purpose is purpose
            assert mine(loaded(f"CA={ca}\nTEST_CA={word}\n")).purpose is purpose
            assert mine(loaded(f"TEST_CA={word}\n", f"CA={ca}\n")).purpose is purpose

    def test_the_pages_word_is_about_the_pages_ca(self) -> None:
        found = loaded("CA=zerossl\n", "CA=https://ca.test/dir\nTEST_CA=yes\n")
        assert [item.purpose for item in found.certificates] == [Purpose.SERVE, Purpose.REHEARSE]
        found = loaded("CA=letsencrypt-test\n", "CA=https://ca.test/dir\nTEST_CA=no\n")
        assert [item.purpose for item in found.certificates] == [Purpose.REHEARSE, Purpose.SERVE]

    def test_the_same_word_in_both_files_counts_for_both(self) -> None:
        found = loaded(f"CA={OTHER}\nTEST_CA=yes\n", "CA=https://ca.test/dir\nTEST_CA=yes\n")
        assert {item.purpose for item in found.certificates} == {Purpose.REHEARSE}

    def test_an_accounts_own_file_may_say_it(self) -> None:
        assert mine(loaded(f"CA={OTHER}\n", account="TEST_CA=yes\n")).purpose is Purpose.REHEARSE
        assert mine(loaded(f"CA={OTHER}\nTEST_CA=no\n", account="TEST_CA=yes\n")).purpose is Purpose.SERVE

    def test_its_certificates_are_in_a_folder_of_their_own(self) -> None:
        found = loaded("CA=letsencrypt-test\nHOOK=/hook.sh\nDNS_PROVIDER=powerdns\n")
        first, second = found.certificates
        assert found.settings.folder(first) == "/etc/dehydrated/certs-test/example.org"
        assert found.settings.folder(second) == "/etc/dehydrated/certs/example.net"
        assert (first.hook, first.deploy_hook) == ("/hook.sh", "")
        (stand_in, other) = found.with_stand_ins().certificates
        assert (stand_in.purpose, stand_in.deploy_hook, other) == (Purpose.STAND_IN, "/hook.sh", second)
        assert found.settings.folder(stand_in) == "/etc/dehydrated/certs/example.org"

    def test_the_folder_can_be_set(self) -> None:
        assert loaded(config="TEST_CERTDIR=/var/tests/\n").settings.test_certdir == "/var/tests"
        assert loaded(config="CERTDIR=/var/certs\n").settings.test_certdir == "/var/certs-test"

    @pytest.mark.parametrize("text", ["TEST_CERTDIR=/etc/dehydrated/certs", "CERTDIR=/x\nTEST_CERTDIR=/x/"])
    def test_it_is_another_one_than_services_read(self, text: str) -> None:
        with pytest.raises(ConfigError, match="TEST_CERTDIR: the folder that services read from") as caught:
            page(text + "\n", "")
        assert "--allow-test-ca-live" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "wished"),
    [
        ("", ""),
        ("KEYSIZE=2048\n", ""),
        ("KEY_ALGO=rsa\n", "rsa"),
        ("KEY_ALGO=rsa\nKEYSIZE=2048\n", "rsa-2048"),
        ("KEY_ALGO=prime256v1\nKEYSIZE=2048\n", "prime256v1"),
    ],
)
def test_a_kind_of_key_is_wished_where_a_file_says_it(text: str, wished: str) -> None:
    assert mine(loaded(config=text)).wished_key == wished
    assert mine(loaded(text)).wished_key == wished
