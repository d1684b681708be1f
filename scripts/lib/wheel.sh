# shellcheck shell=bash
# The wheel, and environments with nothing of this checkout but the wheel. Sourced, never run.
#
#   wheel_build              makes $WHEEL_FOLDER anew, with the wheel of this checkout in it
#   wheel_file               prints its path
#   wheel_installed          puts it into the environment of the tests, in the place of the checkout
#   wheel_pythons            prints every other Python that is supported and can be had here, one of each version
#   wheel_environment PYTHON makes .venv-wheel-VERSION with the locked dependencies and the wheel, prints its Python

. "$(dirname "${BASH_SOURCE[0]}")/python.sh"

WHEEL_FOLDER=$PWD/.wheel

wheel_file() { printf '%s\n' "$WHEEL_FOLDER"/certkeeper-*.whl; }

wheel_build() {
    rm -rf "$WHEEL_FOLDER"
    "$VENV/bin/python" -m pip --disable-pip-version-check --quiet wheel --no-deps --no-build-isolation \
        --wheel-dir "$WHEEL_FOLDER" . || return
    say "$(wheel_file)"
}

# python_environment installs the checkout again at the next run that does not do this.
wheel_installed() {
    wheel_build || return
    rm -f "$VENV/stamp.project"
    wheel_into "$VENV" || return
    "$VENV/bin/python" -P -c '
import sys, certkeeper
print(certkeeper.__file__)
sys.exit(not certkeeper.__file__.startswith(sys.prefix))'
}

wheel_into() {
    "$1/bin/python" -m pip --disable-pip-version-check --quiet install --no-deps --force-reinstall "$(wheel_file)"
}

# Of a version manager a shim may be on PATH without a Python behind it, and a Python without one on PATH.
wheel_pythons() {
    local least=${PYTHON_LEAST##* } ours minor candidate found
    ours=$("$CERTKEEPER_PYTHON" -c 'import sys; print(sys.version_info.minor)')
    for minor in $(seq "$least" 13); do
        [[ $minor != "$ours" ]] || continue
        found=
        for candidate in "python3.$minor" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$minor".*/bin/python3."$minor"; do
            have "$candidate" && "$candidate" -c 'import ensurepip, venv' 2>/dev/null || continue
            found=$(command -v "$candidate")
            break
        done
        if [[ -n $found ]]; then printf '%s\n' "$found"; else note "Python 3.$minor is not here: not tried"; fi
    done
}

wheel_environment() {
    local python=$1 place stamp pip
    place=$PWD/.venv-wheel-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || return
    pip=("$place/bin/python" -m pip --disable-pip-version-check --quiet)
    stamp=$("$python" -c 'import sys; print(sys.version, sys.base_prefix)' && sha256sum requirements/run.txt) || return
    if [[ ! -f $place/stamp || $(<"$place/stamp") != "$stamp" ]]; then
        rm -rf "$place"
        "$python" -m venv "$place" || return
        "${pip[@]}" install --require-hashes --requirement requirements/run.txt || return
        printf '%s\n' "$stamp" >"$place/stamp"
    fi
    wheel_into "$place" || return
    printf '%s\n' "$place/bin/python"
}
