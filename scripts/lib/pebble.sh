# shellcheck shell=bash
# Pebble 2.10 or newer, the test CA, in a cache folder of ours. Sourced, never run.
#
#   pebble_need        makes $(bed_cache)/pebble/usr/bin/pebble present, prints where and which version
#
# Debian 12 and 13 package older ones; the binary of Debian's unstable suite runs on both: see unstable.sh.
# $CERTKEEPER_PEBBLE names a binary of your own instead.

. "$(dirname "${BASH_SOURCE[0]}")/unstable.sh"

PEBBLE_LEAST=2.10

pebble_works() { [[ -x $1 ]] && "$1" -version >/dev/null 2>&1; }

pebble_need() {
    if [[ -n ${CERTKEEPER_PEBBLE:-} ]]; then
        pebble_works "$CERTKEEPER_PEBBLE" && { say "pebble: $CERTKEEPER_PEBBLE"; return 0; }
        note "CERTKEEPER_PEBBLE does not run: $CERTKEEPER_PEBBLE"
        return 3
    fi
    unstable_need pebble "$PEBBLE_LEAST" usr/bin/pebble pebble_works || {
        note "pebble is missing; does not run: every test with a real CA"
        hint "put pebble $PEBBLE_LEAST or newer in \$CERTKEEPER_PEBBLE"
        return 3
    }
}
