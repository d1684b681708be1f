# shellcheck shell=bash
# Pebble 2.10 or newer, the test CA, in a cache folder of ours. Sourced, never run.
#
#   pebble_need        makes $(bed_cache)/pebble/usr/bin/pebble present, prints where and which version
#
# Debian 12 and 13 package older ones; the binary of Debian's unstable suite runs on both. It is downloaded by apt with
# a sources list, a lists folder and a state of its own, so the machine's apt never hears of unstable; apt verifies it
# with the archive's keyring. Nothing is installed: dpkg -x into the cache. Root is not needed. With a filled cache
# nothing is downloaded. $CERTKEEPER_PEBBLE names a binary of your own instead.

. "$(dirname "${BASH_SOURCE[0]}")/say.sh"

PEBBLE_LEAST=2.10
PEBBLE_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

bed_cache() { printf '%s\n' "${CERTKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certkeeper-bed}"; }

pebble_works() { [[ -x $1 ]] && "$1" -version >/dev/null 2>&1; }

# The machine's own mirror: the first one that its apt uses for Debian's main archive.
pebble_mirror() {
    local sources='$(CREATED_BY)|$(COMPONENT)|$(REPO_URI)|$(RELEASE)' codename mirror
    if [[ -n ${CERTKEEPER_DEBIAN_MIRROR:-} ]]; then
        printf '%s\n' "$CERTKEEPER_DEBIAN_MIRROR"
        return
    fi
    mirror=$(apt-get indextargets --format "$sources|\$(ORIGIN)|\$(LABEL)" |
        awk -F'|' '$1 == "Packages" && $2 == "main" && $5 == "Debian" && $6 == "Debian" && $3 !~ /^cdrom/ { print $3 }')
    if [[ -z $mirror ]]; then
        # origin and label are known only after an update; before one, the suite with the release's own name will do
        codename=$(. /etc/os-release && [[ $ID == debian ]] && printf '%s' "${VERSION_CODENAME:-sid}")
        mirror=$(apt-get indextargets --no-release-info --format "$sources" |
            awk -F'|' -v name="$codename" '
                $1 == "Packages" && $2 == "main" && $3 !~ /^cdrom/ && ($4 == name || $4 ~ /^(stable|testing|unstable|sid)$/) { print $3 }')
    fi
    head -n 1 <<<"$mirror"
}

pebble_fetch() {
    local work=$1 mirror=$2 options owner=()
    mkdir -p "$work"/apt/{state/lists/partial,cache/archives/partial,none} "$work/deb"
    cat >"$work/apt/unstable.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: unstable
Components: main
Targets: Packages
Languages: none
Architectures: $(dpkg --print-architecture)
Signed-By: $PEBBLE_KEYRING
SOURCES
    options=(
        -q -o "Dir::Etc::SourceList=$work/apt/unstable.sources" -o "Dir::Etc::SourceParts=$work/apt/none"
        -o "Dir::Etc::Preferences=$work/apt/none/preferences" -o "Dir::Etc::PreferencesParts=$work/apt/none"
        -o "Dir::State=$work/apt/state" -o "Dir::State::Status=/dev/null" -o "Dir::Cache=$work/apt/cache"
        -o "APT::Default-Release=" -o "Acquire::AllowInsecureRepositories=false" -o "Acquire::Retries=3"
        # A mirror that is behind will do: signatures are verified, and any Pebble that is new enough is fine.
        -o "Acquire::Check-Valid-Until=false"
    )
    # as root, apt downloads as the user _apt, who must be able to write where we stand
    if [[ $EUID == 0 ]] && id _apt >/dev/null 2>&1; then
        owner=(_apt)
        chmod 755 "$work"
        chown _apt "$work/deb"
    fi
    (
        cd "$work/deb"
        apt-get "${options[@]}" update && apt-get "${options[@]}" download pebble
    ) >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        return 1
    }
    [[ -z ${owner[*]:-} ]] || chown -R root: "$work/deb"
}

pebble_unpack() {
    local deb=$1 cache=$2 version target
    version=$(dpkg-deb -f "$deb" Version)
    if ! dpkg --compare-versions "$version" ge "$PEBBLE_LEAST"; then
        note "pebble $version is too old: $PEBBLE_LEAST or newer is needed"
        return 1
    fi
    target=$cache/pebble-$version
    rm -rf "$target.partial" "$target"
    mkdir "$target.partial"
    dpkg -x "$deb" "$target.partial"
    printf '%s\n' "$version" >"$target.partial/VERSION"
    if ! pebble_works "$target.partial/usr/bin/pebble"; then
        note "pebble $version does not run here"
        return 1
    fi
    mv "$target.partial" "$target"
    ln -sfn "${target##*/}" "$cache/pebble"
}

pebble_get() {
    local cache=$1 mirror status=0
    if ! have apt-get || ! have dpkg; then
        note "pebble: this is no Debian, and it is packaged nowhere else"
        return 3
    fi
    [[ -r $PEBBLE_KEYRING ]] || { note "pebble: $PEBBLE_KEYRING is missing"; hint "install debian-archive-keyring"; return 3; }
    mirror=$(pebble_mirror)
    [[ -n $mirror ]] || { note "pebble: this machine's apt sources name no Debian mirror"; return 3; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT # of the subshell that holds the lock
    note "pebble: taking it from Debian's unstable suite"
    if pebble_fetch "$work" "$mirror"; then
        pebble_unpack "$work"/deb/pebble_*.deb "$cache" || status=3
    else
        status=3
    fi
    return "$status"
}

pebble_need() {
    local cache
    if [[ -n ${CERTKEEPER_PEBBLE:-} ]]; then
        pebble_works "$CERTKEEPER_PEBBLE" && { say "pebble: $CERTKEEPER_PEBBLE"; return 0; }
        note "CERTKEEPER_PEBBLE does not run: $CERTKEEPER_PEBBLE"
        return 3
    fi
    cache=$(bed_cache)
    mkdir -p "$cache" || return 3
    (
        # two runs at once fill the cache once; machines without flock have nothing to fill it with either
        if have flock; then flock 9; fi
        pebble_works "$cache/pebble/usr/bin/pebble" || pebble_get "$cache" 9>&-
    ) 9>"$cache/lock" || {
        note "pebble is missing; does not run: every test with a real CA"
        hint "put pebble $PEBBLE_LEAST or newer in \$CERTKEEPER_PEBBLE"
        return 3
    }
    say "pebble $(<"$cache/pebble/VERSION"): $cache/pebble/usr/bin/pebble"
}
