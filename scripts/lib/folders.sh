# shellcheck shell=bash
# Folders with a whole Debian 13 in them, in the cache. Sourced, never run; root only.
#
#   folder_need build     Debian 13 with what the package is built with
#   folder_need clean     Debian 13 with systemd and a web server; what the package depends on is downloaded, not installed
#   folder_in NAME COMMAND...   runs a command in a copy of such a folder that is thrown away afterwards
#
# mmdebstrap makes them of the machine's own mirror, verified by apt with the archive's keyring. What is done in one
# goes into a layer above it (overlayfs), so it stays as it was made. Nothing is started while they are made.

. "$(dirname "${BASH_SOURCE[0]}")/unstable.sh"

FOLDER_BUILD=dpkg-dev,debhelper,dh-python,pybuild-plugin-pyproject,python3-all,python3-hatchling
FOLDER_CLEAN=systemd,systemd-sysv,dbus,nginx-light,man-db,procps
FOLDER_LIBRARIES="ca-certificates python3 python3-cryptography python3-dnspython python3-urllib3 python3-idna python3-rich python3-openssl"

folder_path() { printf '%s/debian13-%s\n' "$(bed_cache)" "$1"; }

# What it was made from; written last, so a half-made folder has none.
folder_stamp() {
    case $1 in
        build) printf '%s %s\n' "$FOLDER_BUILD" "$FOLDER_LIBRARIES" ;;
        clean) printf '%s (%s)\n' "$FOLDER_CLEAN" "$FOLDER_LIBRARIES" ;;
    esac
}

folder_make() {
    local name=$1 place mirror options
    place=$(folder_path "$name")
    [[ $EUID == 0 ]] && unshare --mount true 2>/dev/null || { note "only root can make and enter such a folder, in a container with CAP_SYS_ADMIN"; return 3; }
    have mmdebstrap || { note "mmdebstrap is missing"; return 3; }
    [[ -r $UNSTABLE_KEYRING ]] || { note "$UNSTABLE_KEYRING is missing"; hint "install debian-archive-keyring"; return 3; }
    mirror=$(unstable_mirror)
    [[ -n $mirror ]] || { note "this machine's apt sources name no Debian mirror"; return 3; }
    case $name in
        build) options=(--include="$FOLDER_BUILD,${FOLDER_LIBRARIES// /,}") ;;
        clean)
            options=(
                --include="$FOLDER_CLEAN" --skip=cleanup/apt
                --customize-hook="APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get --yes --download-only --no-install-recommends install $FOLDER_LIBRARIES"
            )
            ;;
    esac
    note "Debian 13: making $place"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT # of the subshell that holds the lock
    chmod 755 "$work"
    rm -rf "$place"
    if ! mmdebstrap --mode=root --variant=minbase "${options[@]}" --keyring="$UNSTABLE_KEYRING" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
        --aptopt='Acquire::Check-Valid-Until "false"' trixie "$work/root" "$mirror" >"$work/log" 2>&1; then
        cat "$work/log" >&2
        return 3
    fi
    mv "$work/root" "$place"
    folder_stamp "$name" >"$place.stamp"
}

folder_need() {
    local name=$1 place
    place=$(folder_path "$name")
    mkdir -p "$(bed_cache)" || return 3
    (
        if have flock; then flock 9; fi
        { [[ -d $place && -f $place.stamp && $(<"$place.stamp") == "$(folder_stamp "$name")" ]]; } ||
            folder_make "$name" 9>&-
    ) 9>"$(bed_cache)/lock.debian13-$name" || {
        note "no folder with Debian 13; does not run: building the Debian package, and tests of it"
        return 3
    }
    say "Debian 13: $place"
}

# With SHARED, a folder of this machine's that is /shared there.
folder_in() {
    local name=$1 layer
    shift
    layer=$(mktemp -d)
    FOLDER=$(folder_path "$name") LAYER=$layer unshare --mount --propagation private bash -c '
        set -e
        mount -t tmpfs none "$LAYER"
        mkdir "$LAYER"/{upper,work,root}
        mount -t overlay overlay -o "lowerdir=$FOLDER,upperdir=$LAYER/upper,workdir=$LAYER/work" "$LAYER/root"
        mount -t proc proc "$LAYER/root/proc"
        mkdir "$LAYER/root/shared"
        [[ -z ${SHARED:-} ]] || mount --bind "$SHARED" "$LAYER/root/shared"
        exec chroot "$LAYER/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"' - "$@"
    local status=$?
    rmdir "$layer"
    return "$status"
}
