# shellcheck shell=bash
# Python programs in environments of their own, in a cache folder of ours. Sourced, never run.
#
#   environment_need NAME WORKS LACKS PIP... -- PACKAGE...
#
# makes $(bed_cache)/NAME present with these packages and says which version is in it. WORKS is run with the
# environment's folder as its argument and says whether it can be used; LACKS is what does not run without it.

. "$(dirname "${BASH_SOURCE[0]}")/unstable.sh"

environment_get() {
    local place=$1 pip=() packages
    shift
    while [[ $1 != -- ]]; do pip+=("$1") && shift; done
    shift
    packages=("$@")
    note "${place##*/}: making $place"
    rm -rf "$place"
    "$CERTKEEPER_PYTHON" -m venv "$place" || return 3
    "$place/bin/python" -m pip --disable-pip-version-check --quiet install "${pip[@]}" "${packages[@]}" || return 3
    printf '%s\n' "${packages[*]}" >"$place/stamp"
}

environment_need() {
    local name=$1 works=$2 lacks=$3 cache place
    shift 3
    cache=$(bed_cache) place=$cache/$name
    mkdir -p "$cache" || return 3
    (
        if have flock; then flock 9; fi
        { "$works" "$place" && [[ -f $place/stamp && $(<"$place/stamp") == "$(environment_packages "$@")" ]]; } ||
            environment_get "$place" "$@" 9>&-
    ) 9>"$cache/lock.$name" || {
        note "$name is missing; does not run: $lacks"
        return 3
    }
    say "$(environment_packages "$@" | cut -d ' ' -f 1): $place"
}

# What stands behind --.
environment_packages() {
    while [[ $1 != -- ]]; do shift; done
    shift
    printf '%s\n' "$*"
}
