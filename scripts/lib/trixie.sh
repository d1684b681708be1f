# shellcheck shell=bash
# PowerDNS and Dovecot of Debian 13 (trixie), unpacked with their libraries into a cache folder. Sourced, never run.
#
#   trixie_need        makes $(bed_cache)/trixie present and says which versions are in it
#
# Debian 12's PowerDNS is older than the changetypes EXTEND and PRUNE, and its Dovecot is 2.3, whose settings have other
# names than those of 2.4. The packages come from the machine's own mirror, verified by apt with the archive's keyring,
# and are unpacked by mmdebstrap: nothing of them is configured, installed or started. PowerDNS runs with the loader and
# the libraries of that folder, without chroot. Dovecot starts programs and loads modules by their full paths: for it
# the folder takes the place of /usr in a mount namespace of its own (tests/bed/trixie.py).

. "$(dirname "${BASH_SOURCE[0]}")/unstable.sh"

TRIXIE_PACKAGES=pdns-server,pdns-backend-sqlite3,dovecot-imapd,dovecot-pop3d,dovecot-lmtpd,dovecot-managesieved

# Their versions, if they run here. Asked for it, pdns_server ends with a status of its own.
trixie_version() {
    local root=$1 loader said dovecot
    for loader in "$root"/usr/lib/*/ld-linux*.so.*; do
        [[ -x $loader ]] || continue
        dovecot=$("$loader" --library-path "${loader%/*}:$root/usr/lib/dovecot" "$root/usr/sbin/dovecot" --version 2>&1)
        [[ $dovecot =~ ^2\.([4-9]|[1-9][0-9])\. ]] || return 1
        said=$("$loader" --library-path "${loader%/*}" "$root/usr/sbin/pdns_server" --version 2>&1)
        [[ $said =~ Authoritative\ Server\ ([0-9.]+) ]] || return 1
        printf 'pdns-server %s, dovecot %s\n' "${BASH_REMATCH[1]}" "${dovecot%% *}"
        return 0
    done
    return 1
}

trixie_get() {
    local cache=$1 mirror
    have mmdebstrap && have apt-get || { note "mmdebstrap is missing"; return 3; }
    [[ -r $UNSTABLE_KEYRING ]] || { note "$UNSTABLE_KEYRING is missing"; hint "install debian-archive-keyring"; return 3; }
    mirror=$(unstable_mirror)
    [[ -n $mirror ]] || { note "this machine's apt sources name no Debian mirror"; return 3; }
    # not in the cache: apt's user _apt cannot get into root's home
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT # of the subshell that holds the lock
    chmod 755 "$work"
    note "trixie: unpacking PowerDNS and Dovecot of Debian 13 with their libraries"
    if ! mmdebstrap --variant=extract --include="$TRIXIE_PACKAGES" --keyring="$UNSTABLE_KEYRING" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
        --aptopt='Acquire::Check-Valid-Until "false"' trixie "$work/root" "$mirror" >"$work/log" 2>&1; then
        cat "$work/log" >&2
        return 3
    fi
    if ! trixie_version "$work/root" >/dev/null; then
        note "trixie: its pdns_server or its dovecot does not run here"
        return 3
    fi
    rm -rf "$cache/trixie.partial" "$cache/trixie"
    mkdir "$cache/trixie.partial"
    cp -a "$work/root/usr" "$cache/trixie.partial/usr"
    mv "$cache/trixie.partial" "$cache/trixie"
}

trixie_need() {
    local cache
    cache=$(bed_cache)
    mkdir -p "$cache" || return 3
    (
        if have flock; then flock 9; fi
        trixie_version "$cache/trixie" >/dev/null || trixie_get "$cache" 9>&-
    ) 9>"$cache/lock" || {
        note "PowerDNS and Dovecot of Debian 13 are missing; does not run: every test with EXTEND and PRUNE, or with Dovecot 2.4"
        hint "install the Debian package mmdebstrap"
        return 3
    }
    say "$(trixie_version "$cache/trixie") of Debian 13: $cache/trixie"
}
