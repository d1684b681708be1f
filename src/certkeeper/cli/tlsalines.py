"""What `certkeeper status` says of TLSA records: where the last run left them. Nobody is asked."""

from collections.abc import Iterator, Mapping, Sequence

from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.config.settings import CertSpec
from certkeeper.plan.tlsastands import TlsaStand, TlsaStands

_UNKNOWN = "not looked at yet"


@dataclass(frozen=True, slots=True)
class InDns:
    """A certificate's records, by the last run that looked; none where there was no such run."""

    last: TlsaStands | None
    stands: Sequence[TlsaStand]

    @property
    def held(self) -> bool:
        """Something is in the way that does not end by itself."""
        return any(stand.trouble for stand in self.stands)

    @property
    def phrase(self) -> str:
        """A word, or two, for a row."""
        return f"TLSA {self.stands[0].phrase if self.stands else _UNKNOWN}"


def in_dns(spec: CertSpec, last: TlsaStands | None) -> InDns | None:
    """None where its page wants no records, and none are left."""
    stands = last.of(spec.alias) if last is not None else ()
    return InDns(last, stands) if stands or spec.tlsa is not None else None


def tlsa_lines(found: InDns | None, *, details: bool) -> Iterator[str]:
    """What is in the way; with `details` also where it stands otherwise."""
    for stand in found.stands if found is not None else ():
        if stand.trouble:
            yield f"    TLSA{f' {stand.owner}' if stand.owner else ''}: {_held(stand)}"
            yield f"    hint: {stand.hint}"
        elif details:
            yield f"    TLSA {stand.owner}: {stand.sentence}"


def _held(stand: TlsaStand) -> str:
    since = f", since {iso(stand.since)}" if stand.since is not None else ""
    return f"{stand.state}, held{since}: {stand.trouble}" if stand.owner else f"{stand.trouble}{since}"


def tlsa_document(found: InDns | None) -> Mapping[str, object] | None:
    if found is None:
        return None
    return {
        "state": found.stands[0].state if found.stands else None,
        "phrase": found.phrase.removeprefix("TLSA "),
        "at": iso(found.last.at) if found.last is not None else None,
        "owners": [
            {
                "owner": stand.owner or None,
                "state": stand.state,
                "sentence": stand.sentence,
                "until": iso(stand.until) if stand.until is not None else None,
                "trouble": stand.trouble or None,
                "hint": stand.hint or None,
                "since": iso(stand.since) if stand.since is not None else None,
            }
            for stand in found.stands
        ],
    }
