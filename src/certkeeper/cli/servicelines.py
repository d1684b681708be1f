"""What services have of a certificate, for people and for machines."""

from collections.abc import Iterator, Mapping, Sequence

from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.plan.inservices import InService, Progress


def service_lines(alias: Alias, services: Sequence[InService], *, details: bool) -> Iterator[str]:
    """What does not run by itself; with `details` also where all is well."""
    for item in services:
        match item.progress:
            case Progress.FAILED:
                again = f", tried again from {iso(item.retry_at)}" if item.retry_at is not None else ""
                yield f"    {item.service}: not taken{again}: {item.message}"
                yield f"    hint: to try at once: certkeeper deploy {alias}"
            case Progress.OWED if details or item.message:
                yield f"    {item.service}: owed" + (f": {item.message}" if item.message else "")
            case Progress.UNPROVEN if details:
                yield f"    {item.service}: given, and not seen there" + (f": {item.message}" if item.message else "")
            case _:
                pass
    seen = [item.service for item in services if item.progress is Progress.SEEN]
    if details and seen:
        yield f"    seen at {', '.join(seen)}"


def services_document(services: Sequence[InService]) -> list[Mapping[str, object]]:
    return [
        {
            "service": item.service,
            "progress": item.progress.value,
            "version": item.stamp,
            "failures": item.failures,
            "retry_at": iso(item.retry_at) if item.retry_at is not None else None,
            "message": item.message,
        }
        for item in services
    ]
