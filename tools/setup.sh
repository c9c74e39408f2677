# Shared by tools/fleet and tools/test, which source it: makes and keeps the environment in .venv.
#
# The caller has set ROOT and calls `prepare run` for the program, `prepare test` for the gate too.
# When everything is in place this costs a few small processes and no Python; otherwise each step
# says one line on stderr, and what pip and apt-get have to say goes to .venv/setup.log.

VENV=$ROOT/.venv
LOG=$VENV/setup.log

# Pip is told what to do by its arguments here and where to fetch by the user's own configuration,
# so that proxies, mirrors and wheel folders work. PIP_USER would make it leave the environment.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0

say() {
    printf 'setup: %s\n' "$*" >&2
}

# fail ADVICE - show the end of the log, then what to do, and stop.
fail() {
    tail -n 15 "$LOG" >&2
    say "$1 (all of it: $LOG)"
    exit 1
}

# What the environment was made for: the part of the project file that pip reads, the place of the
# checkout, the interpreter.
state() {
    awk '/^\[/ { read = /^\[(build-system|project|tool\.hatch)/ } read' "$ROOT/pyproject.toml" | cksum
    printf '%s\n' "$ROOT"
    readlink -f "$VENV/bin/python" || true
}

# ready PURPOSE - true when a set-up for PURPOSE was finished and the state is still the same.
ready() {
    [ -x "$VENV/bin/fleet" ] && [ "$(cat "$VENV/done-$1" 2>/dev/null)" = "$(state)" ]
}

# The first Python that is new enough and can fill an environment by one of the two ways below.
find_python() {
    fit='import sys, venv; from importlib.util import find_spec as has
sys.exit(sys.version_info < (3, 11) or not (has("ensurepip") or has("pip")))'
    for PYTHON in python3 python3.11 python3.12 python3.13 python3.14; do
        "$PYTHON" -c "$fit" >/dev/null 2>&1 && return
    done
    say "needs Python 3.11 or newer with pip; on Debian: apt-get install python3 python3-pip"
    exit 1
}

# True when .venv is whole, was made at this place, and its Python is still the one it was made for.
venv_fits() {
    [ ! -e "$VENV/unfinished" ] && grep -qF "$VENV" "$VENV/bin/activate" 2>/dev/null &&
        "$VENV/bin/python" -c 'import os, sys, sysconfig
sys.exit(sys.version_info < (3, 11) or not os.path.isdir(sysconfig.get_path("purelib")))' 2>/dev/null
}

make_venv() {
    say "making .venv with $("$PYTHON" --version 2>&1)"
    : >"$VENV/unfinished"
    # Not `venv --clear`: it would remove the lock and the log that are in use.
    (cd "$VENV" && rm -rf bin include lib lib64 share pyvenv.cfg)
    # Debian keeps ensurepip in a package of its own; pip can fill an environment from outside.
    "$PYTHON" -m venv "$VENV" >>"$LOG" 2>&1 ||
        "$PYTHON" -m venv --without-pip "$VENV" >>"$LOG" 2>&1 ||
        fail "no virtual environment could be made; on Debian: apt-get install python3-venv"
}

run_pip() {
    if "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
        "$VENV/bin/python" -m pip "$@"
    else
        "$PYTHON" -m pip --python "$VENV/bin/python" "$@"
    fi
}

# install PURPOSE - put the project, editable, and what it needs into .venv.
install() {
    case $1 in
    test) what='.[test]' ;;
    *) what=. ;;
    esac
    say "installing the project and what it needs (a minute or two, once)"
    : >"$VENV/unfinished"
    code=0
    (cd "$ROOT" && run_pip install --editable "$what") >>"$LOG" 2>&1 || code=$?
    # Pip tidies up after its own failures; only when it was killed can .venv not be trusted.
    [ "$code" -ge 128 ] || rm -f "$VENV/unfinished"
    [ "$code" = 0 ] ||
        fail "pip failed: check the network, the proxy and 'pip config list', then start again"
}

# True when pyzbar finds the shared library that it is a wrapper of.
zbar_loads() {
    "$VENV/bin/python" -c 'import pyzbar.wrapper' 2>/dev/null
}

# Programs that the tests start by themselves, and the Debian packages that have them.
TEST_PROGRAMS='pg_createcluster:postgresql mosquitto:mosquitto mosquitto_sub:mosquitto-clients
chromium:chromium Xvfb:xvfb'

# see_to_packages PURPOSE - install Debian packages where that needs no password: libzbar0, the
# program ip for `fleet lan`, which is root's business alone, and for the tests servers and clients
# of others to compare with. Without them the set-up is complete all the same.
see_to_packages() {
    rm -f "$VENV/no-zbar"
    packages=
    zbar_loads || packages=libzbar0
    command -v ip >/dev/null || packages="$packages iproute2"
    for pair in $TEST_PROGRAMS; do
        [ "$1" != test ] || command -v "${pair%:*}" >/dev/null || packages="$packages ${pair#*:}"
    done
    if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        # shellcheck disable=SC2086 # packages, and below the options, are words of their own
        say "installing from Debian:" $packages
        export DEBIAN_FRONTEND=noninteractive
        net='-o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=60'
        # shellcheck disable=SC2086
        { apt-get $net update && apt-get $net install -y --no-install-recommends $packages; } \
            </dev/null >>"$LOG" 2>&1 9>&- || say "apt-get failed, see $LOG"
    fi
    case $packages in
    libzbar0*) zbar_loads || : >"$VENV/no-zbar" ;;
    esac
}

# Without libzbar, say on each start what to do and make zxing-cpp the default of --decoder.
choose_decoder() {
    [ -e "$VENV/no-zbar" ] || return 0
    if zbar_loads; then
        rm -f "$VENV/no-zbar" || true
    else
        export FLEET_DECODER="${FLEET_DECODER:-zxing}"
        say "no libzbar, so QR codes are read by zxing-cpp; to have pyzbar, as root: apt-get install -y libzbar0"
    fi
}

# set_up PURPOSE - all that a first start, or a start after a change, has to do; one at a time. The
# kernel drops the lock when this shell and pip have ended, however they end. (flock is part of
# util-linux and of BusyBox; where it is missing, do not start twice at once.)
set_up() {
    if ! mkdir -p "$VENV" 2>/dev/null || [ ! -w "$VENV" ]; then
        say "cannot write $VENV; use a checkout of your own"
        exit 1
    fi
    # In every shell: wait for pip, then go without believing what its exit code says.
    trap 'exit 130' INT
    exec 9>>"$VENV/lock"
    if command -v flock >/dev/null && ! flock -n 9; then
        say "another start is setting up; waiting for it"
        flock 9
    fi
    if ! ready "$1"; then
        : >"$LOG"
        find_python
        venv_fits || make_venv
        install "$1"
        see_to_packages "$1"
        state >"$VENV/new"
        mv "$VENV/new" "$VENV/done-$1"
    fi
    exec 9>&-
    trap - INT
}

# prepare PURPOSE - the one function that the launchers call. What the tests need includes the rest.
prepare() {
    ready "$1" || ready test || set_up "$1"
    choose_decoder
}
