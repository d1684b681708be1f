"""What is in a certificate's folder: what the names that services use show, and the versions. Reads only."""

from collections.abc import Collection, Mapping

from certkeeper.adapters.files import FileId, FileMissing, FileTrouble, Folder
from certkeeper.adapters.keys import own_key_id, parse_own
from certkeeper.adapters.places import before_the_first_switch, live_stamp
from certkeeper.lineage import layout, origin, pem
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain, Leaf, Origin, UnusableKey, Version, VersionFiles
from certkeeper.lineage.revocation import UNSPECIFIED, Revocation, is_compromised, read_revocations, reason_of


def read_certificate(folder: Folder) -> tuple[Leaf | None, str, str]:
    """The live leaf, why there is none, and how the certificate's three files contradict each other."""
    path = folder.path_of(layout.CERT)
    try:
        content = folder.read(layout.CERT)
        leaf = parse_leaf(content)
    except FileMissing:
        dangling = folder.target(layout.CERT)
        return None, f"{path}: a link to nothing ({dangling})" if dangling else "", ""
    except FileTrouble as error:
        return None, str(error), ""
    except BadChain as error:
        return None, f"{path}: {'; '.join(error.mismatches)}", ""
    chain, fullchain = _if_readable(folder, layout.CHAIN), _if_readable(folder, layout.FULLCHAIN)
    for name, found in ((layout.CHAIN, chain), (layout.FULLCHAIN, fullchain)):
        if found is None:
            # A service that is started again would miss it.
            return leaf, "", f"{name} is missing"
    return leaf, "", pem.disagreement(content, chain, fullchain)


def _if_readable(folder: Folder, name: str) -> bytes | None:
    try:
        return folder.read(name)
    except FileTrouble:
        return None


def read_key_id(folder: Folder, name: str) -> tuple[str | None, str]:
    """The key_id of that file, and why there is none."""
    path = folder.path_of(name)
    try:
        # Whoever made it: only its public half is looked at here.
        return own_key_id(folder.read(name), path), ""
    except FileMissing:
        dangling = folder.target(name) if not before_the_first_switch(folder, name) else None
        return None, f"{path}: a link to nothing ({dangling})" if dangling else ""
    except (FileTrouble, UnusableKey) as error:
        return None, str(error)


def revocations(folder: Folder) -> tuple[Revocation, ...]:
    """What was revoked of the lineage. A file that cannot be read says nothing."""
    if folder.status(layout.REVOKED) is None:
        return ()
    return read_revocations(_if_readable(folder, layout.REVOKED) or b"")


def read_origin(folder: Folder) -> Origin | None:
    """What was written down of the live version; nothing where that cannot be read, or it is not ours."""
    if live_stamp(folder) is None:
        return None
    content = _if_readable(folder, layout.live_target(layout.ORIGIN))
    return origin.parse(content) if content is not None else None


def checked(version: Folder) -> str | None:
    """The key_id of a version whose files are there and belong together; None where its key is kept elsewhere."""
    if layout.key_elsewhere({layout.ORIGIN: if_there(version, layout.ORIGIN)}):
        if parse_leaf(version.read(layout.CERT)).key_id != parse_leaf(version.read(layout.FULLCHAIN)).key_id:
            raise BadChain(("cert.pem is not the first of fullchain.pem",), name=version.path)
        return None
    key = parse_own(version.read(layout.PRIVKEY), version.path_of(layout.PRIVKEY))
    fullchain = version.read(layout.FULLCHAIN)
    if parse_leaf(version.read(layout.CERT)).key_id != key.key_id:
        raise BadChain(("privkey.pem is not the key of cert.pem",), name=version.path)
    if parse_leaf(fullchain).key_id != key.key_id:
        raise BadChain(("privkey.pem is not the key of fullchain.pem",), name=version.path)
    return key.key_id


def holds(versions: Folder, name: str, contents: Mapping[str, bytes], files: Collection[str]) -> bool:
    with versions.child(name) as version:
        return all(if_there(version, file) == contents.get(file) for file in files)


def files_of(version: Folder) -> VersionFiles | None:
    """The contents of a version; None where it is not whole. The request may be missing: it is then empty.

    Raises:
        FileTrouble: a file is there and cannot be read.
    """
    contents = {name: if_there(version, name) for name in (*layout.NAMES, layout.ORIGIN)}
    if judged(contents)[2]:
        return None
    return VersionFiles(
        privkey=contents[layout.PRIVKEY] or b"",
        csr=contents[layout.CSR] or b"",
        cert=contents[layout.CERT] or b"",
        chain=contents[layout.CHAIN] or b"",
        fullchain=contents[layout.FULLCHAIN] or b"",
        staple=if_there(version, layout.STAPLE) or b"",
    )


def judged(contents: Mapping[str, bytes | None]) -> tuple[str | None, Leaf | None, str]:
    """The key_id and the leaf of a version with these files, and why it cannot go live; empty where it is whole."""
    elsewhere = layout.key_elsewhere(contents)
    spared = {layout.CSR, layout.PRIVKEY} if elsewhere else {layout.CSR}
    missing = [name for name in layout.NAMES if name not in spared and contents.get(name) is None]
    troubles = [f"lacks {', '.join(missing)}"] if missing else []
    key_id, leaf = None, None
    try:
        if (key := contents.get(layout.PRIVKEY)) is not None:
            key_id = own_key_id(key, layout.PRIVKEY)
    except UnusableKey as error:
        troubles.append(str(error))
    try:
        if (cert := contents.get(layout.CERT)) is not None:
            leaf = parse_leaf(cert)
    except BadChain as error:
        troubles.append(f"{layout.CERT}: {'; '.join(error.mismatches)}")
    if elsewhere and leaf is not None:
        key_id = leaf.key_id
    if not troubles and leaf is not None and leaf.key_id != key_id:
        troubles.append("privkey.pem is not the key of cert.pem")
    if not troubles:
        different = pem.disagreement(*(contents.get(name) for name in (layout.CERT, layout.CHAIN, layout.FULLCHAIN)))
        troubles += [different] if different else []
    return key_id, leaf, "; ".join(troubles)


def described(folder: Folder, versions: Folder) -> tuple[Version, ...]:
    """Every version, newest first.

    Raises:
        FileTrouble: the folders cannot be listed.
    """
    live = layout.live_stamp(folder.target(layout.LIVE) or "")
    behind, known = _behind_links(folder), revocations(folder)
    found = []
    for stamp in layout.version_stamps(versions.names()):
        name = layout.version_name(stamp)
        if not versions.is_folder(name):
            continue
        with versions.child(name) as version:
            contents, unreadable = _contents(version)
            key_id, leaf, trouble = judged(contents)
            found.append(
                Version(
                    stamp=stamp,
                    key_id=key_id,
                    leaf=leaf,
                    trouble=unreadable or trouble,
                    adopted=version.is_file(layout.ADOPTED),
                    live=stamp == live,
                    shown=not behind.isdisjoint(_files(folder, version, stamp)),
                    origin=origin.parse(contents.get(layout.ORIGIN) or b""),
                    revoked=_taken_away(version) if leaf is None else reason_of(leaf, known),
                    compromised=is_compromised(key_id, known),
                )
            )
    return tuple(found)


def _taken_away(version: Folder) -> int | None:
    """dehydrated, when it revokes a certificate, gives it another name and keeps no reason."""
    return UNSPECIFIED if version.is_file(layout.revoked_name(layout.CERT)) else None


def _contents(version: Folder) -> tuple[Mapping[str, bytes | None], str]:
    """The contents of a version, and what could not be read."""
    contents: dict[str, bytes | None] = {}
    troubles = []
    for name in (*layout.NAMES, layout.ORIGIN):
        try:
            contents[name] = if_there(version, name)
        except FileTrouble as error:
            troubles.append(str(error))
    return contents, "; ".join(troubles)


def _behind_links(folder: Folder) -> frozenset[FileId]:
    """The files that links in the folder lead to."""
    found = (folder.behind(name) for name in folder.names() if folder.target(name) is not None)
    return frozenset(file for file in found if file is not None)


def _files(folder: Folder, version: Folder, stamp: int) -> frozenset[FileId]:
    """The files of a version, and those under its stamped names: where hard links fail these are others."""
    found = [version.behind(name) for name in version.names()]
    found += [folder.behind(layout.stamped_name(name, stamp)) for name in layout.NAMES]
    return frozenset(file for file in found if file is not None)


def if_there(folder: Folder, name: str) -> bytes | None:
    try:
        return folder.read(name)
    except FileMissing:
        return None
