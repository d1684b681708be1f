"""Days that were played, as lines of plain text for a terminal of 80 columns."""

from collections.abc import Iterator, Sequence

from certkeeper.base.errors import printable
from certkeeper.base.events import count
from certkeeper.base.times import duration_text, iso
from certkeeper.plan.rehearsal.ca import LIMITS_SOURCE
from certkeeper.plan.rehearsal.result import Load, Nearest, Rehearsed

_COLUMNS = 80
_ROWS = 60
_WIDE = 48
_LISTED = 10


def picture(done: Rehearsed) -> Iterator[str]:
    """All that is to be told, the load first."""
    yield from _wrapped(_head(done))
    yield ""
    yield from _load(done.loads)
    yield ""
    for part in (_replacement(done), _ends(done), _limits(done), _left_out(done)):
        yield from _wrapped(part)


def _wrapped(lines: Iterator[str]) -> Iterator[str]:
    """A word that is longer than a line, as a URL may be, stays whole."""
    from textwrap import wrap  # noqa: PLC0415 - for people alone

    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        yield from wrap(line, _COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _head(done: Rehearsed) -> Iterator[str]:
    question = done.question
    yield (
        f"{count(done.certificates, 'certificate')}, {count(question.days, 'day')} from {question.start:%Y-%m-%d}, "
        f"a run every {duration_text(question.every)}"
    )
    if question.outage is not None:
        yield f"the CAs take no order from {iso(question.outage.start)} to {iso(question.outage.end)}"
    if question.revoked_at is not None:
        yield f"the CAs want all certificates replaced at {iso(question.revoked_at)}"
    busiest = done.busiest
    yield (
        f"{done.issued} issued, {done.issued / len(done.loads):.1f} a day; most on {busiest.day}: {busiest.issued}; "
        f"most in a run: {max(load.run for load in done.loads)}"
    )
    for (ca, profile), life in done.lives.items():
        yield f"new certificates of {ca}{f' ({printable(profile, 40)})' if profile else ''} live {duration_text(life)}"


def _load(loads: Sequence[Load]) -> Iterator[str]:
    """A row for each day, or for several where there are more than a screen or two has rows."""
    step = -(-len(loads) // _ROWS)
    rows = [loads[at : at + step] for at in range(0, len(loads), step)]
    most = max(load.issued for load in loads)
    each = max(-(-most // _WIDE), 1)
    if step == 1:
        yield f"{'day':10} {'issued':>7} {'waiting':>8}  a # is {count(each, 'certificate')}"
    else:
        yield f"{f'{step} days':10} {'issued':>7} {'waiting':>8}  a # is {each} a day, to the + on the busiest day"
    for row in rows:
        total, busiest = sum(load.issued for load in row), max(load.issued for load in row)
        mean, top = -(-total // (len(row) * each)), -(-busiest // each)
        waiting = max(load.waiting for load in row)
        yield f"{row[0].day} {total:7} {waiting or '':>8}  {'#' * mean}{'+' * (top - mean)}".rstrip()


def _replacement(done: Rehearsed) -> Iterator[str]:
    found = done.replacement
    if found is None:
        return
    if found.certificates and found.replaced == found.certificates and found.last is not None:
        taken = duration_text(found.last - found.at)
        yield f"revocation: all {found.certificates} replaced by {iso(found.last)}, {taken} after it"
    elif found.certificates:
        yield f"revocation: {found.replaced} of {found.certificates} replaced by the end"
    if found.unaware:
        yield (
            f"revocation: {count(found.unaware, 'certificate')} not replaced: the CA has no ARI, or ARI is switched "
            "off, so that no run learns of it"
        )


def _ends(done: Rehearsed) -> Iterator[str]:
    lapses = done.lapses
    yield f"expired: {count(len(lapses), 'certificate') if lapses else 'none'}"
    for lapse in lapses[:_LISTED]:
        until = f", replaced {iso(lapse.until)}" if lapse.until is not None else ", not replaced"
        yield f"    {lapse.alias} {iso(lapse.at)}{until}"
    yield from _more(len(lapses))
    if done.nearest:
        yield "nearest to their end when they were replaced:"
    yield from (_near(near) for near in done.nearest[:3])


def _near(near: Nearest) -> str:
    return f"    {near.alias} {iso(near.at)}, {duration_text(near.left)} left"


def _limits(done: Rehearsed) -> Iterator[str]:
    for touched in done.limits:
        what = f"{touched.limit}, {touched.rate}"
        least = f"at least {touched.least} left"
        if touched.counted:
            whose = f" for {printable(touched.key, 60)}" if touched.key else ""
            least = f"fewest left {touched.least}{whose}, {iso(touched.at)}"
        yield f"limit at {touched.ca}: {what}: {least}; {touched.counted} counted, {touched.refused} refused"
    for ca, exempt in done.exempt.items():
        if exempt:
            yield f"at {ca}: {count(exempt, 'renewal')} at the time that the CA suggested, which it does not count"
    if done.limits:
        yield f"limits as {LIMITS_SOURCE} told them; other CAs do not tell theirs"


def _left_out(done: Rehearsed) -> Iterator[str]:
    if done.stuck:
        yield f"not to be issued at all: {count(len(done.stuck), 'certificate')}"
    for alias, why in list(done.stuck.items())[:_LISTED]:
        yield f"    {alias}: {why}"
    yield from _more(len(done.stuck))
    if done.held:
        yield f"held back, and left out: {', '.join(str(alias) for alias in done.held[:_LISTED])}"
    yield from _more(len(done.held))


def _more(number: int) -> Iterator[str]:
    if number > _LISTED:
        yield f"    and {number - _LISTED} more"
