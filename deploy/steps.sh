# shellcheck shell=sh
# Words that the scripts beside this file share: they source it, nobody runs it.

# say TEXT…: a line of progress, for people; standard output is left to answers.
say() {
    printf '%s\n' "$*" >&2
}

# fail TEXT…: the one sentence on what went wrong, and the end.
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# is_recent_python COMMAND: whether it runs, and is Python 3.11 or newer.
is_recent_python() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# find_python: prints the first Python of this machine that is recent enough.
find_python() {
    for name in python3 python3.11 python3.12 python3.13; do
        if command -v "$name" >/dev/null 2>&1 && is_recent_python "$name"; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

# as_root COMMAND…: runs it as root; false where nobody here may.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null 2>&1; then
        return 1
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# need_packages PACKAGE…: installs Debian packages; says what to type where it may not.
need_packages() {
    [ $# -gt 0 ] || return 0
    say "Installing with apt: $*"
    command -v apt-get >/dev/null 2>&1 ||
        fail "This machine has no apt; install what these Debian packages hold, then run this again: $*"
    as_root sh "${here:?}/debian-packages" "$@" >&2 </dev/null ||
        fail "These packages could not be installed; as root, run 'apt-get update && apt-get install $*', then run this again."
}
