# shellcheck shell=bash
# acme2certifier, a CA that somebody else wrote, in an environment of its own in a cache folder of ours. Sourced, never run.
#
#   acme2certifier_need    makes $(bed_cache)/acme2certifier present, and says which version is in it
#
# It is GPL and runs as a program of its own, served by gunicorn; nothing of ours imports it. Only the tests that are
# marked long need it, so only scripts/test --long gets it.

. "$(dirname "${BASH_SOURCE[0]}")/unstable.sh"

ACME2CERTIFIER_PACKAGES=(acme2certifier==0.46.3 gunicorn==27.0.1)

acme2certifier_works() { "$1/bin/gunicorn" --version >/dev/null 2>&1 && [[ -f $1/stamp && $(<"$1/stamp") == "${ACME2CERTIFIER_PACKAGES[*]}" ]]; }

acme2certifier_get() {
    local place=$1
    note "acme2certifier: making $place"
    rm -rf "$place"
    "$CERTKEEPER_PYTHON" -m venv "$place" || return 3
    "$place/bin/python" -m pip --disable-pip-version-check --quiet install "${ACME2CERTIFIER_PACKAGES[@]}" || return 3
    printf '%s\n' "${ACME2CERTIFIER_PACKAGES[*]}" >"$place/stamp"
}

acme2certifier_need() {
    local cache place
    cache=$(bed_cache) place=$cache/acme2certifier
    mkdir -p "$cache" || return 3
    (
        if have flock; then flock 9; fi
        acme2certifier_works "$place" || acme2certifier_get "$place" 9>&-
    ) 9>"$cache/lock.acme2certifier" || {
        note "acme2certifier is missing; does not run: the main job at a second CA"
        return 3
    }
    say "${ACME2CERTIFIER_PACKAGES[0]}: $place"
}
