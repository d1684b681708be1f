# shellcheck shell=bash
# acme2certifier, a CA that somebody else wrote. Sourced, never run.
#
#   acme2certifier_need    makes $(bed_cache)/acme2certifier present, and says which version is in it
#
# It is GPL and runs as a program of its own, served by gunicorn; nothing of ours imports it. Only the tests that are
# marked long need it, so only scripts/test --long gets it.

. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

acme2certifier_works() { "$1/bin/gunicorn" --version >/dev/null 2>&1; }

acme2certifier_need() {
    environment_need acme2certifier acme2certifier_works "the main job at a second CA" \
        -- acme2certifier==0.46.3 gunicorn==27.0.1
}
