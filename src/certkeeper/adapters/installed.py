"""Copies of certificates for services, in the services' own folders.

The caller sees to it that nobody else writes: the run's lock does. A copy that has its name is whole, and its contents
are never written again; one rename of `.live` leads all names of a certificate to another one.
"""

from collections.abc import Callable, Mapping, Sequence

from certkeeper.adapters.copies import (
    Site,
    made,
    ownership,
    refuse_obstacles,
    refuse_unwritable,
    refuse_writers,
    site,
)
from certkeeper.adapters.files import FileMissing, FileTrouble, Folder
from certkeeper.adapters.ownership import Ownership
from certkeeper.adapters.replacing import listed, make_lasting, put_right, remove_copy, switch
from certkeeper.adapters.wanted import Wanted, wanted
from certkeeper.apply.deployports import Placed, Placement
from certkeeper.base.errors import CertkeeperError
from certkeeper.service import copies
from certkeeper.service.copies import Copy, Making
from certkeeper.service.target import Form


class Installed:
    """Implements the port TargetFiles."""

    def check(self, placement: Placement) -> None:
        """Raises FileTrouble or NoSuchOwner, with the way out; changes nothing."""
        ownership(placement)
        with site(placement) as there:
            refuse_writers(there)
            refuse_obstacles(there)
            refuse_unwritable(there)
        if placement.password_file:
            from certkeeper.adapters.pkcs12 import password_of  # noqa: PLC0415 - few services want PKCS#12

            password_of(placement.password_file)

    def look(self, placement: Placement) -> Placed:
        """Raises FileTrouble, NoSuchOwner."""
        owned = ownership(placement)
        with site(placement) as there:
            live = there.live()
            others = [name for name in there.files if not there.is_ours(name) and there.folder.status(name) is not None]
            whole = live is not None and _whole(there, live)
            older = [copy for copy in there.all() if live is None or copy.stamp != live.stamp]
            older.sort(key=lambda copy: _is_found(_place(there), copy.name))
            kept = dict.fromkeys(copy.stamp for copy in older)
            return Placed(
                stamp=live.stamp if live is not None and whole else None,
                others=tuple(there.folder.path_of(name) for name in others),
                kept=tuple(kept),
                astray=live is not None and whole and not _in_order(there, live, owned),
            )

    def same(self, placement: Placement, stamp: int, contents: Mapping[Form, bytes]) -> bool:
        """Raises FileTrouble, NoSuchOwner."""
        owned = ownership(placement)
        with site(placement) as there:
            live, copy = there.live(), there.newest(stamp)
            if there.place is None or copy is None:
                return False
            if live is not None and live.stamp == stamp and live != copy:
                # A killed run did not come to the switch.
                return False
            return _in_order(there, copy, owned) and _holds(there, there.place, copy, wanted(placement, contents))

    def stage(self, placement: Placement, stamp: int, contents: Mapping[Form, bytes]) -> None:
        """Raises FileTrouble, NoSuchOwner; what was half written is gone on with the next time."""
        owned = ownership(placement)
        with made(placement, owned) as there:
            place = _place(there)
            place.sweep()
            if place.target(copies.LIVE) is None:
                # A killed run may have made the folders, and not have come to this.
                make_lasting(there)
            copy, content = there.newest(stamp), wanted(placement, contents)
            if copy is not None and _holds(there, place, copy, content):
                put_right(place, copy, owned, there.files)
                place.sync()
            else:
                _write(there, place, copy.following if copy is not None else Copy(stamp), content, owned)

    def switch(self, placement: Placement, stamp: int) -> int | None:
        """Raises FileTrouble, NoSuchOwner; the old set stays then."""
        before = _switch(placement, stamp, Site.newest)
        return before.stamp if before is not None else None

    def has_older(self, placement: Placement, stamp: int) -> bool:
        """Raises FileTrouble."""
        with site(placement) as there:
            return there.older(stamp) is not None

    def switch_to_older(self, placement: Placement, stamp: int) -> None:
        """Raises FileTrouble, NoSuchOwner; the newer set stays then."""
        _switch(placement, stamp, Site.older)

    def keep(self, placement: Placement, stamps: Sequence[int]) -> None:
        """What is live stays in any case. Raises FileTrouble where a copy holds what we did not put there."""
        with site(placement) as there:
            place = there.place
            if place is None:
                return
            refuse_writers(there)
            place.sweep()
            troubles = []
            for name in _superfluous(there, place, stamps):
                try:
                    _remove(there, place, name)
                except CertkeeperError as error:
                    troubles.append(error)
            for trouble in troubles:
                raise trouble


def _switch(placement: Placement, stamp: int, which: Callable[[Site, int], Copy | None]) -> Copy | None:
    owned = ownership(placement)
    with made(placement, owned) as there:
        place = _place(there)
        place.sweep()
        copy = which(there, stamp)
        if copy is None:
            raise FileMissing(
                f"{place.path_of(str(stamp))}: there is no copy of that version", hint="certkeeper deploy"
            )
        return switch(there, place, copy, owned)


def _holds(there: Site, place: Folder, copy: Copy, content: Wanted) -> bool:
    with place.child(copy.name) as version:
        return all(_is(version, name, form, content) for name, form in there.files.items())


def _is(version: Folder, name: str, form: Form, content: Wanted) -> bool:
    if content.lacks(form):
        return True
    return version.is_file(name) and content.in_file(form, version.read_here(name))


def _write(there: Site, place: Folder, copy: Copy, content: Wanted, owned: Ownership) -> None:
    partial = copy.named(Making.PARTIAL)
    with place.make_child(partial) as version:
        version.sweep()
        for name in listed(version) - set(there.files):
            version.remove(name)
        files = {name: form for name, form in there.files.items() if not content.lacks(form)}
        version.point(copies.MADE, copies.listing(files))
        for name, form in files.items():
            if _is(version, name, form, content):
                version.give(name, owned, name)
            else:
                version.put(name, content.octets(form), owned)
        version.let_in(owned)
        version.sync()
    place.rename(partial, copy.name)
    place.sync()


def _place(there: Site) -> Folder:
    if there.place is None:
        raise FileMissing(f"{there.folder.path}: the folder of the copies is gone")
    return there.place


def _whole(there: Site, copy: Copy) -> bool:
    """The service's names all lead to files of that copy."""
    with _place(there).child(copy.name) as version:
        return all(there.is_ours(name) and version.is_file(name) for name in _names(there, version))


def _names(there: Site, version: Folder) -> list[str]:
    """The files that a copy of these has to have: there may be no OCSP response of its version."""
    return [name for name, form in there.files.items() if form is not Form.OCSP or version.is_file(name)]


def _in_order(there: Site, copy: Copy, owned: Ownership) -> bool:
    """Owners, groups and modes are what they have to be, and the group gets in."""
    if any(owned.shut(folder.own_status()) for folder in there.inner):
        return False
    with _place(there).child(copy.name) as version:
        found = {name: version.status(name) for name in _names(there, version)}
        astray = any(status is None or owned.astray(name, status) for name, status in found.items())
        return not astray and not owned.shut(version.own_status())


def _superfluous(there: Site, place: Folder, stamps: Sequence[int]) -> list[str]:
    """The folders that nobody needs: other versions, older copies of the same, and what killed runs left of such.

    What somebody else had put there stays: it may be all that there is of a key.
    """
    live = there.live()
    stay = {live, *(there.newest(stamp) for stamp in stamps)}
    found = []
    for name in place.names():
        known = copies.entry(name)
        if known is None or not place.is_folder(name):
            continue
        copy, making = known
        needed = copy.stamp in stamps if making is Making.PARTIAL else making is Making.COMPLETE and copy in stay
        if not needed and not (making is Making.COMPLETE and _is_found(place, name)):
            found.append((making is not Making.REMOVING, name))
    # What is half removed has the name that the next one of the same stamp needs for that.
    return [name for _, name in sorted(found)]


def _is_found(place: Folder, name: str) -> bool:
    with place.child(name) as version:
        return version.target(copies.FOUND) is not None


def _remove(there: Site, place: Folder, name: str) -> None:
    with place.child(name) as version:
        version.sweep()
        ours = listed(version)
        foreign = [file for file in version.names() if file not in ours | set(copies.LISTS) or version.is_folder(file)]
        if foreign:
            raise FileTrouble(
                f"{version.path}: holds what certkeeper did not put there: {', '.join(foreign)}",
                hint=f"move it away: ls -la {version.path}",
            )
    _unlink_dropped(there, ours - set(there.files))
    found = copies.entry(name)
    removing = found[0].named(Making.REMOVING) if found is not None else name
    if removing != name:
        # Nobody meets a copy that is half empty.
        place.rename(name, removing)
        place.sync()
    remove_copy(place, removing)


def _unlink_dropped(there: Site, names: frozenset[str]) -> None:
    """Names that the target no longer has, and that lead to nothing."""
    gone = [name for name in names if there.is_ours(name) and not there.folder.leads_to_file(name)]
    for name in gone:
        there.folder.remove(name)
    if gone:
        there.folder.sync()
