# shellcheck shell=bash
# dehydrated 0.7.2 or newer, whose installations we take over, in a cache folder of ours. Sourced, never run.
#
#   dehydrated_need    makes $(bed_cache)/dehydrated/usr/bin/dehydrated present, prints where and which version;
#                      and that of Debian 12 (0.7.0), in $(bed_cache)/dehydrated-bookworm
#
# Debian 12 and 13 package older ones; it is a script, so that of Debian's unstable suite runs on both: see unstable.sh.
# What it needs (curl, openssl) comes with the package that debian.sh names. $CERTKEEPER_DEHYDRATED names your own.

. "$(dirname "${BASH_SOURCE[0]}")/unstable.sh"

DEHYDRATED_LEAST=0.7.2
DEHYDRATED_BEFORE=0.7.0

dehydrated_works() { [[ -x $1 ]] && "$1" --help >/dev/null 2>&1; }

dehydrated_need() {
    suite_need bookworm dehydrated "$DEHYDRATED_BEFORE" usr/bin/dehydrated dehydrated_works || {
        note "dehydrated of Debian 12 is missing; does not run: what compares with it"
    }
    if [[ -n ${CERTKEEPER_DEHYDRATED:-} ]]; then
        dehydrated_works "$CERTKEEPER_DEHYDRATED" && { say "dehydrated: $CERTKEEPER_DEHYDRATED"; return 0; }
        note "CERTKEEPER_DEHYDRATED does not run: $CERTKEEPER_DEHYDRATED"
        return 3
    fi
    unstable_need dehydrated "$DEHYDRATED_LEAST" usr/bin/dehydrated dehydrated_works || {
        note "dehydrated $DEHYDRATED_LEAST is missing; an older installed one is compared with instead, but not in CI"
        hint "put dehydrated $DEHYDRATED_LEAST or newer in \$CERTKEEPER_DEHYDRATED"
        return 3
    }
}
