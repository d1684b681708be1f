"""The directory object (RFC 8555 §7.1.1)."""

from collections.abc import Mapping
from datetime import UTC, timedelta

from certkeeper.acme.address import askable
from certkeeper.acme.body import MalformedBody, member_text, members
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Response

NO_DIRECTORY_HINT = "CA must be the URL of an ACME (RFC 8555) directory"
_MOST_IDENTITIES = 20
_MOST_PROFILES = 100


@dataclass(frozen=True, slots=True)
class Directory:
    """Where a CA takes which request. Unknown members are ignored, as §7.1.1 asks: CAs add random ones on purpose.

    `caa_identities` are the names that the CA takes for its own in CAA records, `profiles` the names of the profiles
    that an order may ask for. `renewal_info` is where it tells when to renew (RFC 9773 §4.1), empty where it does not.
    `revoke_cert` and `key_change` are demanded by §7.1.1, and empty only where a CA leaves them out all the same.
    """

    new_nonce: str
    new_account: str
    new_order: str
    terms_of_service: str = ""
    external_account_required: bool = False
    caa_identities: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    renewal_info: str = ""
    revoke_cert: str = ""
    key_change: str = ""


def read_directory(response: Response, url: str) -> Directory:
    """Read a directory response.

    Raises:
        MalformedBody: not a directory of RFC 8555 (an ACME v1 directory has `new-authz` instead of newOrder).
    """
    document = members(response, f"directory {url}")
    missing = [name for name in ("newNonce", "newAccount", "newOrder") if not member_text(document, name)]
    if missing:
        raise MalformedBody(
            f"directory {url}: no {', '.join(missing)} in it",
            hint=NO_DIRECTORY_HINT,
        )
    meta = document.get("meta")
    meta_members: Mapping[str, object] = meta if isinstance(meta, dict) else {}
    profiles = meta_members.get("profiles")
    renewal_info = member_text(document, "renewalInfo")
    return Directory(
        new_nonce=member_text(document, "newNonce"),
        new_account=member_text(document, "newAccount"),
        new_order=member_text(document, "newOrder"),
        terms_of_service=member_text(meta_members, "termsOfService"),
        external_account_required=meta_members.get("externalAccountRequired") is True,
        caa_identities=_texts(meta_members.get("caaIdentities"))[:_MOST_IDENTITIES],
        profiles=tuple(profiles)[:_MOST_PROFILES] if isinstance(profiles, dict) else (),
        renewal_info=renewal_info if askable(renewal_info, url) else "",
        revoke_cert=member_text(document, "revokeCert"),
        key_change=member_text(document, "keyChange"),
    )


def clock_behind(response: Response) -> timedelta | None:
    """By how much our clock is behind the server's, which wrote its Date (RFC 9110 §6.6.1) a moment before; negative
    where it is ahead, None where the server does not say.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - once in a run that has something to do

    try:
        said = parsedate_to_datetime(response.header("date") or "")
        # A time without a zone is UTC (RFC 5322 §3.3 "-0000").
        return (said if said.tzinfo is not None else said.replace(tzinfo=UTC)) - response.at
    except (TypeError, ValueError, OverflowError):
        return None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()
