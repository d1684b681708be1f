"""RRsets as PowerDNS's API reads and writes them."""

from collections.abc import Iterator, Mapping

from certkeeper.adapters.dns.powerdns_api import objects, text
from certkeeper.adapters.dns.powerdns_lookup import name_of
from certkeeper.base.value import dataclass
from certkeeper.zone.changes import Key
from certkeeper.zone.rrset import RRset, canonical_txt

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Held:
    """RRsets as the server holds them. `spelled` has the server's own forms of a canonical content: a text may be cut
    into character-strings in more than one way, and the server compares letter by letter.
    """

    rrsets: Mapping[Key, RRset]
    spelled: Mapping[Key, Mapping[str, frozenset[str]]]

    def forms(self, rrset: RRset, content: str) -> list[str]:
        """How the server spells a content of this RRset; as we do where it has none."""
        return sorted(self.spelled.get((rrset.owner, rrset.type), {}).get(content, {content}))


def read_rrsets(document: object) -> Held:
    """The RRsets of a zone object, but for those at names that are none of ours."""
    rrsets: dict[Key, RRset] = {}
    spelled: dict[Key, Mapping[str, frozenset[str]]] = {}
    for item in objects(document.get("rrsets") if isinstance(document, dict) else None):
        owner, type_, ttl = name_of(item), text(item, "type"), item.get("ttl")
        if owner is None or not isinstance(ttl, int):
            continue
        forms: dict[str, frozenset[str]] = {}
        enabled: set[str] = set()
        disabled: set[str] = set()
        for record in objects(item.get("records")):
            form = text(record, "content")
            content = canonical_txt(form) if type_ == "TXT" else form
            forms[content] = forms.get(content, frozenset()) | {form}
            (disabled if record.get("disabled") is True else enabled).add(content)
        rrsets[owner, type_] = RRset(owner, type_, ttl, frozenset(enabled), frozenset(disabled - enabled))
        spelled[owner, type_] = forms
    return Held(rrsets, spelled)


def replacement(rrset: RRset, held: Held) -> Json:
    """The RRset as a whole. What was written in between by others is lost."""
    if not rrset.rdata and not rrset.disabled:
        return _change(rrset, "DELETE")
    return _change(rrset, "REPLACE") | {
        "records": [
            {"content": form, "disabled": content in rrset.disabled}
            for content in sorted(rrset.rdata | rrset.disabled)
            for form in held.forms(rrset, content)
        ]
    }


def suits_single_records(rrset: RRset, held: Held) -> bool:
    """Whether the server can take single records: it forgets the disabled ones of an RRset when it does, and keeps the
    TTL.
    """
    before = held.rrsets.get((rrset.owner, rrset.type))
    return before is None or (not before.disabled and before.ttl == rrset.ttl)


def single_records(rrset: RRset, held: Held) -> Iterator[Json]:
    """The same by single records, so that nothing of others is touched. One record in each, as the server wants it.

    The TTL is the one that is there: the server would change it, or refuse.
    """
    before = held.rrsets.get((rrset.owner, rrset.type))
    rdata = before.rdata if before else frozenset()
    for content in sorted(rrset.rdata - rdata):
        yield _change(rrset, "EXTEND") | {"records": [{"content": content, "disabled": False}]}
    for content in sorted(rdata - rrset.rdata):
        for form in held.forms(rrset, content):
            yield _change(rrset, "PRUNE") | {"records": [{"content": form, "disabled": False}]}


def _change(rrset: RRset, changetype: str) -> Json:
    return {"name": rrset.owner.absolute, "type": rrset.type, "ttl": rrset.ttl, "changetype": changetype}
