# Sourced by the commands of the top folder: leaves a working virtual environment in $venv.
#   environment EXTRAS     e.g. environment "" or environment "[dev]"
# CAPSIM_PYTHON names the interpreter, CAPSIM_VENV the folder; both have defaults.

venv=${CAPSIM_VENV:-.venv}

# A name on the PATH may be a stand-in that cannot start, so each candidate is really started.
usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${CAPSIM_PYTHON:-python3 python python3.13 python3.12 python3.11}; do
        if usable "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    echo "capsim needs Python 3.11 or newer with its venv module; set CAPSIM_PYTHON to one" >&2
    return 1
}

environment() {
    stamp="$venv/installed$1"
    if [ -f "$stamp" ] && [ ! pyproject.toml -nt "$stamp" ] && "$venv/bin/python" -c "" 2>/dev/null; then
        return 0
    fi
    python=$(find_python) || return 1
    "$venv/bin/python" -c "" 2>/dev/null || "$python" -m venv --clear "$venv" || return 1
    echo "installing capsim$1 into $venv (once)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".$1" || return 1
    : >"$stamp"
}
