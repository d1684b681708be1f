"""A store made of what another user handed over: only certificates with their own keys, and PEM alone."""

import pytest

from builders.certificates import new_key, version_files
from certkeeper.adapters.delivered import DeliveredStore, NotTrue, OnlyHandedOver
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import replace
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import UnusableKey, VersionFiles
from certkeeper.plan.delivery import Delivered

ALIAS = Alias("a.org")
KEY = new_key()
FILES = version_files(KEY)
ITEM = Delivered(ALIAS, (Identifier.parse("a.org"),), ("nginx",), True, 5, FILES.privkey, FILES.fullchain)


def store(privkey: bytes = FILES.privkey, fullchain: bytes = FILES.fullchain) -> DeliveredStore:
    return DeliveredStore([replace(ITEM, privkey=privkey, fullchain=fullchain)], "keeper")


def version(privkey: bytes = FILES.privkey, fullchain: bytes = FILES.fullchain) -> VersionFiles:
    found = store(privkey, fullchain).version(ALIAS, 5)
    assert found is not None
    return found


def test_what_is_live_is_the_only_version() -> None:
    lineage, (only,) = store().lineage(ALIAS), store().versions(ALIAS)
    assert (lineage.stamp, lineage.leaf, lineage.torn) == (5, parse_leaf(FILES.cert), False)
    assert (only.stamp, only.leaf, only.live) == (5, lineage.leaf, True)
    assert store().version(ALIAS, 4) is None
    found = version()
    assert (found.cert, found.chain, found.fullchain) == (FILES.cert, FILES.chain, FILES.fullchain)
    assert found.privkey == FILES.privkey


def test_services_get_pem_and_nothing_else() -> None:
    more = b"include /etc/shadow\n-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"
    found = version(fullchain=more + FILES.fullchain + more, privkey=more + FILES.privkey + more)
    assert (found.fullchain, found.privkey) == (FILES.fullchain, FILES.privkey)


@pytest.mark.parametrize(
    "changed",
    [
        {"privkey": new_key().pem},
        {"privkey": b"nonsense"},
        {"privkey": FILES.privkey + new_key().pem},
        {"fullchain": FILES.chain},
        {"fullchain": FILES.fullchain * 11},
        {"fullchain": FILES.cert + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    ],
)
def test_what_is_no_certificate_with_its_key_is_not_deployed(changed: dict[str, bytes]) -> None:
    with pytest.raises((NotTrue, UnusableKey)):
        version(**changed)


@pytest.mark.parametrize(
    "fullchain", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_no_lineage(fullchain: bytes) -> None:
    with pytest.raises(NotTrue, match="user keeper"):
        store(fullchain=fullchain).lineage(ALIAS)


def test_a_key_that_is_kept_elsewhere_is_none() -> None:
    assert version(privkey=b"").privkey == b""


def test_root_changes_nothing_of_the_user_s() -> None:
    with pytest.raises(OnlyHandedOver):
        store().activate(ALIAS, 4)
    with pytest.raises(OnlyHandedOver):
        store().begin(ALIAS, 6)
