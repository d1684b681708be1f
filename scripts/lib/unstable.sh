# shellcheck shell=bash
# Single programs of other suites of Debian's, in a cache folder of ours. Sourced, never run.
#
#   bed_cache                                   prints the cache folder
#   unstable_need PACKAGE LEAST FILE WORKS      makes $(bed_cache)/PACKAGE/FILE present and says which version it is
#   suite_need SUITE PACKAGE LEAST FILE WORKS   the same of another suite, in $(bed_cache)/PACKAGE-SUITE
#
# WORKS is a function that is given the file. Debian's releases package older versions of what is taken this way; those
# of unstable run on them too. They are downloaded by apt with a sources list, a lists folder and a state of its own, so
# the machine's apt never hears of the suite; apt verifies them with the archive's keyring. Nothing is installed: dpkg -x
# into the cache. Root is not needed. With a filled cache nothing is downloaded.

. "$(dirname "${BASH_SOURCE[0]}")/say.sh"

UNSTABLE_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

bed_cache() { printf '%s\n' "${CERTKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certkeeper-bed}"; }

# The machine's own mirror: the first one that its apt uses for Debian's main archive.
unstable_mirror() {
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

suite_fetch() {
    local suite=$1 package=$2 work=$3 mirror=$4 options owner=()
    mkdir -p "$work"/apt/{state/lists/partial,cache/archives/partial,none} "$work/deb"
    cat >"$work/apt/suite.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: $suite
Components: main
Targets: Packages
Languages: none
Architectures: $(dpkg --print-architecture)
Signed-By: $UNSTABLE_KEYRING
SOURCES
    options=(
        -q -o "Dir::Etc::SourceList=$work/apt/suite.sources" -o "Dir::Etc::SourceParts=$work/apt/none"
        -o "Dir::Etc::Preferences=$work/apt/none/preferences" -o "Dir::Etc::PreferencesParts=$work/apt/none"
        -o "Dir::State=$work/apt/state" -o "Dir::State::Status=/dev/null" -o "Dir::Cache=$work/apt/cache"
        -o "APT::Default-Release=" -o "Acquire::AllowInsecureRepositories=false" -o "Acquire::Retries=3"
        # A mirror that is behind will do: signatures are verified, and any version that is new enough is fine.
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
        apt-get "${options[@]}" update && apt-get "${options[@]}" download "$package"
    ) >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        return 1
    }
    [[ -z ${owner[*]:-} ]] || chown -R root: "$work/deb"
}

suite_unpack() {
    local name=$1 package=$2 least=$3 file=$4 works=$5 deb=$6 cache=$7 version target
    version=$(dpkg-deb -f "$deb" Version)
    if ! dpkg --compare-versions "$version" ge "$least"; then
        note "$package $version is too old: $least or newer is needed"
        return 1
    fi
    target=$cache/$name-$version
    rm -rf "$target.partial" "$target"
    mkdir "$target.partial"
    dpkg -x "$deb" "$target.partial"
    printf '%s\n' "$version" >"$target.partial/VERSION"
    if ! "$works" "$target.partial/$file"; then
        note "$package $version does not run here"
        return 1
    fi
    mv "$target.partial" "$target"
    ln -sfn "${target##*/}" "$cache/$name"
}

suite_get() {
    local suite=$1 name=$2 package=$3 least=$4 file=$5 works=$6 cache=$7 mirror status=0
    if ! have apt-get || ! have dpkg; then
        note "$package: this is no Debian, and only Debian packages it new enough"
        return 3
    fi
    [[ -r $UNSTABLE_KEYRING ]] || { note "$package: $UNSTABLE_KEYRING is missing"; hint "install debian-archive-keyring"; return 3; }
    mirror=$(unstable_mirror)
    [[ -n $mirror ]] || { note "$package: this machine's apt sources name no Debian mirror"; return 3; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT # of the subshell that holds the lock
    note "$package: taking it from Debian's suite $suite"
    if suite_fetch "$suite" "$package" "$work" "$mirror"; then
        suite_unpack "$name" "$package" "$least" "$file" "$works" "$work/deb/${package}"_*.deb "$cache" || status=3
    else
        status=3
    fi
    return "$status"
}

suite_present() {
    local suite=$1 name=$2 package=$3 least=$4 file=$5 works=$6 cache
    cache=$(bed_cache)
    mkdir -p "$cache" || return 3
    (
        # two runs at once fill the cache once; machines without flock have nothing to fill it with either
        if have flock; then flock 9; fi
        "$works" "$cache/$name/$file" || suite_get "$suite" "$name" "$package" "$least" "$file" "$works" "$cache" 9>&-
    ) 9>"$cache/lock" || return 3
    say "$package $(<"$cache/$name/VERSION"): $cache/$name/$file"
}

unstable_need() { suite_present unstable "$1" "$@"; }

suite_need() {
    local suite=$1
    shift
    suite_present "$suite" "$1-$suite" "$@"
}
