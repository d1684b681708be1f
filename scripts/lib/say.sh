# shellcheck shell=bash
# How the scripts speak: headings, notes and hints, all on standard error except headings.
# Sourced, never run.

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
hint() { printf 'hint: %s\n' "$*" >&2; }
heading() { printf '\n== %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# The tools of server packages live in sbin folders, which are not on every user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
