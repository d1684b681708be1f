# shellcheck shell=bash
# Python and the virtual environment of this checkout. Sourced, never run; the current folder is the checkout.
#
#   python_find           prints a Python that is new enough
#   python_environment    makes .venv agree with requirements/dev.txt and pyproject.toml
#   python_lowest         makes .venv-lowest: the same tools, without the checkout, and the oldest dependencies that pyproject.toml admits

. "$(dirname "${BASH_SOURCE[0]}")/say.sh"

PYTHON_LEAST="3, 11"
VENV=$PWD/.venv

python_find() {
    local name
    for name in "${CERTKEEPER_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        have "${name:-no-name}" || continue
        # a version manager's shim may be on PATH without a Python behind it
        "$name" -c "import sys; sys.exit(sys.version_info < ($PYTHON_LEAST))" 2>/dev/null || continue
        command -v "$name"
        return
    done
    note "no python of version ${PYTHON_LEAST/, /.} or newer found"
    hint "name one in CERTKEEPER_PYTHON"
    return 1
}

# What the environment was made from; the stamp is written last, so a half-made environment has none.
python_stamp() {
    "$CERTKEEPER_PYTHON" -c 'import sys; print(sys.version, sys.base_prefix)'
    sha256sum requirements/dev.txt
}

python_environment() {
    local stamp pip=("$VENV/bin/python" -m pip --disable-pip-version-check --quiet)
    stamp=$(python_stamp) || return
    if [[ ! -f $VENV/stamp || $(<"$VENV/stamp") != "$stamp" ]]; then
        say "making $VENV with $CERTKEEPER_PYTHON"
        if [[ -e $VENV && ! -f $VENV/pyvenv.cfg ]]; then
            note "$VENV is no virtual environment: left alone"
            return 1
        fi
        rm -rf "$VENV"
        "$CERTKEEPER_PYTHON" -m venv "$VENV" || return
        "${pip[@]}" install --require-hashes --requirement requirements/dev.txt || return
        printf '%s\n' "$stamp" >"$VENV/stamp"
    fi
    stamp=$(sha256sum pyproject.toml)
    if [[ ! -f $VENV/stamp.project || $(<"$VENV/stamp.project") != "$stamp" ]]; then
        say "installing the checkout itself, editable"
        "${pip[@]}" install --no-deps --no-build-isolation --editable . || return
        printf '%s\n' "$stamp" >"$VENV/stamp.project"
    fi
    "$VENV/bin/python" --version
}

python_lowest() {
    local lowest=$PWD/.venv-lowest stamp pip
    pip=("$lowest/bin/python" -m pip --disable-pip-version-check --quiet)
    stamp=$(python_stamp && sha256sum requirements/lowest.txt pyproject.toml) || return
    [[ ! -f $lowest/stamp || $(<"$lowest/stamp") != "$stamp" ]] || return 0
    rm -rf "$lowest"
    "$CERTKEEPER_PYTHON" -m venv "$lowest" || return
    "${pip[@]}" install --require-hashes --requirement requirements/dev.txt || return
    "${pip[@]}" install --require-hashes --requirement requirements/lowest.txt || return
    printf '%s\n' "$stamp" >"$lowest/stamp"
}
