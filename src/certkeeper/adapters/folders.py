"""The folders of lineages: where each is, and who may read what is in it. No certificate and no key is opened."""

from collections.abc import Mapping

from certkeeper.adapters.files import FileMissing, Folder
from certkeeper.adapters.ownership import Ownership
from certkeeper.adapters.permissions import check_folders, let_into, put_right
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, field
from certkeeper.lineage import layout


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders under CERTDIR, but for those of lineages that are kept `elsewhere`, in that folder's place.

    `owned` says whose files are to be that are not to be this user's alone; `entered` is whose group gets through
    CERTDIR.
    """

    certdir: str
    elsewhere: Mapping[Alias, str] = field(default_factory=dict)
    owned: Mapping[Alias, Ownership] = field(default_factory=dict)
    entered: Ownership | None = None

    def path(self, alias: Alias) -> str:
        """The folder of that lineage, whether it is there or not."""
        return f"{self.elsewhere.get(alias, self.certdir)}/{alias.text}"

    def with_config(self) -> tuple[str, ...]:
        """The folders of CERTDIR with settings of their own, sorted.

        Raises:
            FileTrouble: CERTDIR cannot be read.
        """
        try:
            certdir = Folder.open(self.certdir)
        except FileMissing:
            return ()
        with certdir:
            candidates = [name for name in certdir.names() if not name.startswith(".")]
            return tuple(name for name in candidates if certdir.leads_to_file(f"{name}/{layout.CONFIG}"))

    def put_right(self, alias: Alias) -> tuple[str, ...]:
        """Give the files that services read of the lineage the owner, group and mode that the page asks for.

        The answer is what was not so; nothing is opened where all of it is, and nothing is done where nothing is asked.

        Raises:
            FileTrouble: it cannot be done, or somebody else can write in one of the folders.
        """
        owned = self.owned.get(alias)
        if owned is None:
            return ()
        changed = put_right(self.path(alias), owned)
        return (*changed, *self.let_into_certdir(alias))

    def check(self, alias: Alias) -> None:
        """Raises FileTrouble where `put_right` would because somebody else can write in one of the folders."""
        if alias in self.owned:
            check_folders(self.path(alias))

    def let_into_certdir(self, alias: Alias) -> tuple[str, ...]:
        """The group of that lineage's files gets through CERTDIR; what was not so.

        Raises:
            FileTrouble: it is not this user's to change.
        """
        if self.entered is None or alias in self.elsewhere or alias not in self.owned:
            return ()
        return let_into(self.certdir, self.entered)
