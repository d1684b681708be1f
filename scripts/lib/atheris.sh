# shellcheck shell=bash
# atheris, the fuzzer that looks at which code a text reaches, in an environment of its own in a cache folder of ours.
# Sourced, never run.
#
#   atheris_need    makes $(bed_cache)/atheris present, and says which version is in it
#
# Its wheels are for some Pythons and for x86-64 only, and it brings 35 MB, so it is in no locked list: only
# scripts/fuzz needs it, which scripts/test --long calls. idna is all that the two parsers need beside the standard library.

. "$(dirname "${BASH_SOURCE[0]}")/unstable.sh"

ATHERIS_PACKAGES=(atheris==3.0.0 idna==3.10)

atheris_works() { "$1/bin/python" -c 'import atheris, idna' 2>/dev/null && [[ -f $1/stamp && $(<"$1/stamp") == "${ATHERIS_PACKAGES[*]}" ]]; }

atheris_get() {
    local place=$1
    note "atheris: making $place"
    rm -rf "$place"
    "$CERTKEEPER_PYTHON" -m venv "$place" || return 3
    "$place/bin/python" -m pip --disable-pip-version-check --quiet install --only-binary :all: "${ATHERIS_PACKAGES[@]}" || return 3
    printf '%s\n' "${ATHERIS_PACKAGES[*]}" >"$place/stamp"
}

atheris_need() {
    local cache place
    cache=$(bed_cache) place=$cache/atheris
    mkdir -p "$cache" || return 3
    (
        if have flock; then flock 9; fi
        atheris_works "$place" || atheris_get "$place" 9>&-
    ) 9>"$cache/lock.atheris" || {
        note "atheris is missing; does not run: the search for texts that the parsers of a page die of"
        return 3
    }
    say "${ATHERIS_PACKAGES[0]}: $place"
}
