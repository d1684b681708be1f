# shellcheck shell=bash
# atheris, the fuzzer that looks at which code a text reaches. Sourced, never run.
#
#   atheris_need    makes $(bed_cache)/atheris present, and says which version is in it
#
# Its wheels are for some Pythons and for x86-64 only, and it brings 35 MB, so it is in no locked list: only
# scripts/fuzz needs it, which scripts/test --long calls. idna is all that the two parsers need beside the standard library.

. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

atheris_works() { "$1/bin/python" -c 'import atheris, idna' 2>/dev/null; }

atheris_need() {
    environment_need atheris atheris_works "the search for texts that the parsers of a page die of" \
        --only-binary :all: -- atheris==3.0.0 idna==3.10
}
