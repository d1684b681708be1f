# shellcheck shell=bash
# The Debian packages that the tests and the demo need. Sourced, never run.
#
#   debian_need GROUP... [--yes]     makes the packages of these groups present, or says what is missing
#
# Returns 0 when everything is there, 3 when something is missing and could not (or should not) be installed.
# The caller goes on: tests without their program are skipped on a laptop and fail in CI.

. "$(dirname "${BASH_SOURCE[0]}")/say.sh"

DEBIAN_MISSING=3

# group, package, the program or file that shows it is there, what does not run without it
debian_table() {
    cat <<'TABLE'
tools  openssl               openssl                                                    comparing with openssl, the demo's OCSP responder
tools  iproute2              ip                                                         daemons on real low ports in a network namespace
tools  ca-certificates       /etc/ssl/certs/ca-certificates.crt                         verified downloads
dns    pdns-server           pdns_server                                                every test with a real PowerDNS
dns    pdns-backend-sqlite3  /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql  every test with a real PowerDNS
dns    sqlite3               sqlite3                                                    looking into a PowerDNS database by hand
more   bind9                 named                                                      tests of dynamic updates
more   mmdebstrap            mmdebstrap                                                 tests with PowerDNS and Dovecot of Debian 13
more   pdns-backend-mysql    /usr/share/pdns-backend-mysql/schema/schema.mysql.sql      tests with PowerDNS on MariaDB
more   mariadb-server-core   mariadbd                                                   tests with PowerDNS on MariaDB
more   nginx                 nginx                                                      tests with a proxy in front of PowerDNS
more   libnginx-mod-stream   /usr/lib/nginx/modules/ngx_stream_module.so                tests of tls-alpn-01 with a TLS server
more   curl                  curl                                                       proxies, side by side with curl
more   strace                strace                                                     what a run looks at, seen by the kernel
more   systemd               systemd-analyze                                            units for systemd, checked by itself
more   prometheus            promtool                                                   metrics, judged by Prometheus' own tool
tools  man-db                man                                                        manual pages, as man shows them
more   zsh                   zsh                                                        completion for zsh
more   fish                  fish                                                       completion for fish
more   chromium              chromium                                                   the page for browsers, in one
serve  postfix               postfix                                                    tests with a mail server
serve  dovecot-imapd         dovecot                                                    tests with an IMAP server
serve  dovecot-pop3d         /usr/lib/dovecot/pop3                                      tests with an IMAP server
serve  dovecot-lmtpd         /usr/lib/dovecot/lmtp                                      tests with an IMAP server
serve  dovecot-managesieved  /usr/lib/dovecot/managesieve                               tests with an IMAP server
serve  prosody               prosody                                                    tests with an XMPP server
serve  apache2-bin           apache2                                                    deployments to a web server
serve  haproxy               haproxy                                                    deployments to a proxy
serve  gnutls-bin            gnutls-cli                                                 must-staple, as its clients judge it
serve  slapd                 slapd                                                      handshakes with an LDAP server
serve  vsftpd                vsftpd                                                     handshakes with an FTP server
serve  postgresql            /usr/lib/postgresql                                        handshakes with PostgreSQL
dns    unbound               unbound                                                    tests with a validating resolver
peers  dehydrated            dehydrated                                                 tests that compare with dehydrated
peers  fiu-utils             /usr/lib/fiu/fiu_posix_preload.so                          tests with a disk that reports errors
peers  faketime              faketime                                                   tests with a clock that jumps
TABLE
}

debian_here() { have apt-get && have dpkg-query; }

# Prints the lines of the table, for the groups named, whose program or file is not there.
debian_missing() {
    local group package proof purpose
    debian_table | while read -r group package proof purpose; do
        [[ " $* " == *" $group "* ]] || continue
        case $proof in
            /*) [[ -e $proof ]] ;;
            *) have "$proof" ;;
        esac || printf '%s\t%s\t%s\t%s\n' "$group" "$package" "$proof" "$purpose"
    done
    debian_missing_venv
}

# venv is a package of its own only for Debian's python3.
debian_missing_venv() {
    local python=${CERTKEEPER_PYTHON:-}
    [[ -n $python ]] || return 0
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return 0
    [[ $("$python" -c 'import sys; print(sys.base_prefix)') == /usr ]] || return 0
    printf '%s\t%s\t%s\t%s\n' python "$(basename "$(readlink -f "$python")")-venv" ensurepip 'everything: no virtual environment can be made'
}

debian_report() {
    local package proof purpose
    while IFS=$'\t' read -r _ package proof purpose; do
        note "  $proof (package $package) is missing; does not run: $purpose"
    done <<<"$1"
}

# Who runs the privileged part: nobody in front of it (root), sudo, or no way.
debian_become_root() {
    if [[ $EUID == 0 ]]; then
        BECOME=()
    elif have sudo && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
        BECOME=(sudo)
    else
        return 1
    fi
}

debian_agreed() {
    local answer
    [[ $1 == yes ]] && return 0
    [[ -t 0 ]] || return 1
    read -r -p "install these Debian packages: $2? no daemon of theirs is started [y/N] " answer
    [[ $answer == [yY]* ]]
}

debian_need() {
    local yes=no groups=() word missing packages
    for word in "$@"; do
        case $word in --yes) yes=yes ;; *) groups+=("$word") ;; esac
    done
    missing=$(debian_missing "${groups[@]}")
    [[ -n $missing ]] || return 0
    packages=$(cut -f2 <<<"$missing" | sort -u | tr '\n' ' ')
    packages=${packages% }
    if ! debian_here; then
        note "this is no Debian: nothing was installed"
        hint "put these programs on PATH yourself; everything else runs without them"
    elif ! debian_become_root; then
        note "neither root nor sudo: nothing was installed"
        hint "as root: scripts/lib/debian-install $packages"
    elif ! debian_agreed "$yes" "$packages"; then
        note "not asked to install Debian packages"
        hint "say --yes, or as root: scripts/lib/debian-install $packages"
    else
        # shellcheck disable=SC2086  # package names, split on purpose
        "${BECOME[@]}" "$(dirname "${BASH_SOURCE[0]}")/debian-install" $packages || note "installing failed: $packages"
        hash -r
        missing=$(debian_missing "${groups[@]}")
        [[ -n $missing ]] || return 0
    fi
    debian_report "$missing"
    return "$DEBIAN_MISSING"
}
