import pytest

from certkeeper.acme.accountlabel import account_label, dns_account01_owner
from certkeeper.base.names import DnsName

# The example of the draft.
ACCOUNT = "https://example.com/acme/acct/ExampleAccount"


def test_the_owner_is_that_of_the_draft() -> None:
    owner = dns_account01_owner(DnsName("example.org"), ACCOUNT)
    assert owner == DnsName("_ujmmovf2vn55tgye._acme-challenge.example.org")
    assert DnsName.parse(owner.text.upper()) == owner


@pytest.mark.parametrize("other", [ACCOUNT + "/", ACCOUNT.lower(), "https://example.com/acme/acct/2"])
def test_every_account_has_a_label_of_its_own(other: str) -> None:
    assert account_label(other) != account_label(ACCOUNT)
