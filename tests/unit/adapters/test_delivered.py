"""A store made of what another user handed over: only certificates with their own keys, and PEM alone."""

import pytest
from cryptography.x509.ocsp import OCSPCertStatus

from builders.certificates import NOW, new_key, version_files
from builders.responder import LIFE, Says, answer, delegate
from certkeeper.adapters.delivered import DeliveredStore, NotTrue, OnlyHandedOver
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import replace
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import UnusableKey, VersionFiles
from certkeeper.ocsp.request import issued
from certkeeper.plan.delivery import Delivered

ALIAS = Alias("a.org")
KEY = new_key()
FILES, OTHERS = version_files(KEY), version_files(new_key())
ITEM = Delivered(ALIAS, (Identifier.parse("a.org"),), ("nginx",), True, 5, FILES.privkey, FILES.fullchain)


ISSUED = issued(FILES.cert, FILES.chain)


def store(privkey: bytes = FILES.privkey, fullchain: bytes = FILES.fullchain, staple: bytes = b"") -> DeliveredStore:
    return DeliveredStore([replace(ITEM, privkey=privkey, fullchain=fullchain, staple=staple)], "keeper", NOW)


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


def test_a_response_that_is_proven_goes_along() -> None:
    good = answer(ISSUED)
    found = store(staple=good).version(ALIAS, 5)
    assert found is not None
    assert found.staple == good


@pytest.mark.parametrize(
    "staple",
    [
        b"include /etc/shadow",
        answer(issued(OTHERS.cert, OTHERS.chain)),
        answer(ISSUED, signer=delegate(usage=None)),
        answer(ISSUED, Says(this_update=NOW - 9 * LIFE, next_update=NOW - 8 * LIFE)),
        answer(ISSUED, Says(status=OCSPCertStatus.UNKNOWN)),
        answer(ISSUED, Says(status=OCSPCertStatus.REVOKED, revoked_at=NOW)),
    ],
    ids=["no response", "another certificate", "not entrusted", "ended", "unknown", "revoked"],
)
def test_one_that_is_not_keeps_no_certificate_back_and_goes_nowhere(staple: bytes) -> None:
    found = store(staple=staple).version(ALIAS, 5)
    assert found is not None
    assert (found.cert, found.staple) == (FILES.cert, b"")


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
