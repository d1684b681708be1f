"""Whom a page may trust by its own word: DEHYDRATED_USER and DEHYDRATED_GROUP.

Who can change the page can write these lines, too. So a user may name himself, with a group that he is in; members of a
group may name the group and one of them. Nobody makes himself root, or somebody in a group of root's, in that way.
"""

import os
import pwd

from certkeeper.adapters.writers import Writer, group_id, user_id


def trusted(writer: Writer, user: str, group: str) -> bool:
    """Whether these lines of a page may stand where he can change it."""
    uid, gid = user_id(user), group_id(group)
    if uid in {None, 0} or outside(user, group):
        return False
    return not writer.users - {uid} or (gid is not None and writer.gid == gid)


def outside(user: str, group: str) -> bool:
    """Whether a group is named that the user is not in."""
    gid = group_id(group)
    try:
        return gid is not None and gid not in os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    except KeyError:
        return False
