"""A hook that notes each call with its arguments and what dehydrated puts into its environment, and serves records."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from bed.world import World

VARIABLES = (
    "BASEDIR",
    "CERTDIR",
    "WELLKNOWN",
    "ALPNCERTDIR",
    "CONFIG",
    "COMMAND",
    "alias",
    "altnames",
    "CHALLENGETYPE",
    "KEY_ALGO",
    "PRIVATE_KEY_ROLLOVER",
)
BRICKER = "this_hookscript_is_broken"

# One write for each call, since calls may come side by side. What ends a field is in no name and no message.
# For dns-01 it also writes the records, since certkeeper waits until the name servers have them.
# A file fail-HOOK makes that hook fail, for the name in it alone where there is one.
_SCRIPT = r"""#!/bin/bash
shopt -s extglob
about=$2
record=$(printf '%s\x1f' "$@"; printf '\x1e'; for name in {names}; do
    [[ -v $name ]] && printf '%s=%s\x1f' "$name" "${{!name}}"
done; printf '\x1e'; for place in "$WELLKNOWN" "$ALPNCERTDIR"; do
    [[ $place == {top}/* && -d $place ]] && (cd "$place" && find . -type f -printf '%P %m %s\037')
done; printf '\x1d')
printf '%s' "$record" >>{folder}/calls
if [[ $CHALLENGETYPE == dns-01 && $1 == *_challenge && $1 != invalid* ]]; then
    exec 9>{folder}/lock && flock 9
    action=$1; shift
    while (($#)); do
        values={folder}/values-$1
        touch "$values"
        grep -vxF -e "$3" "$values" >"$values.new"
        [[ $action == clean_challenge ]] || echo "$3" >>"$values.new"
        mv "$values.new" "$values"
        records=$(sed 's/.*/{{"content":"\\"&\\"","disabled":false}}/' "$values" | paste -sd,)
        change=$([[ -s $values ]] && echo REPLACE || echo DELETE)
        printf '{{"rrsets":[{{"name":"%s","type":"TXT","ttl":60,"changetype":"%s","records":[%s]}}]}}' \
            "_acme-challenge.$1." "$change" "$records" |
            curl -sSf --noproxy '*' -X PATCH -H 'X-API-Key: {key}' -d @- \
                {url}/api/v1/servers/localhost/zones/{zone} || exit 1
        shift 3
    done
    set -- "$action"
fi
[[ ! -f {folder}/says ]] || {{ echo "$1 on stdout"; echo "$1 on stderr" >&2; }}
[[ ! -f {folder}/fail-$1 ]] || [[ -s {folder}/fail-$1 && $(<{folder}/fail-$1) != "$about" ]]
"""


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    there: tuple[str, ...] = ()
    """What was in WELLKNOWN and ALPNCERTDIR meanwhile: name, mode and size of each file."""

    @property
    def about(self) -> str:
        """The alias that it is about, as far as the environment says."""
        return dict(self.environment).get("alias", "")


class Logger:
    """The script in a folder of its own."""

    def __init__(self, folder: Path, world: World) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.path = folder / "hook.sh"
        self.path.write_text(
            _SCRIPT.format(
                names=" ".join(VARIABLES),
                folder=shlex.quote(str(folder)),
                top=shlex.quote(str(folder.parent)),
                url=world.primary.api_url,
                key=world.primary.api_key,
                zone=world.zone,
            ),
            encoding="utf-8",
        )
        self.path.chmod(0o755)
        self.forget()

    def calls(self) -> list[Call]:
        found = []
        for record in (self._folder / "calls").read_text(encoding="utf-8").split("\x1d")[:-1]:
            words, environment, there = record.split("\x1e")
            name, *arguments = words.split("\x1f")[:-1]
            pairs = (entry.partition("=") for entry in environment.split("\x1f")[:-1])
            given = tuple((key, value) for key, _, value in pairs)
            found.append(Call(name, tuple(arguments), given, tuple(sorted(there.split("\x1f")[:-1]))))
        return found

    def forget(self) -> None:
        (self._folder / "calls").write_bytes(b"")

    def says(self) -> None:
        """It prints a line on each stream from now on."""
        (self._folder / "says").touch()

    def fails(self, *names: str, about: str = "") -> None:
        """These hooks, and no others, end with 1 from now on; where a name is given, only about that one."""
        for old in self._folder.glob("fail-*"):
            old.unlink()
        for name in names:
            (self._folder / f"fail-{name}").write_text(about, encoding="utf-8")
