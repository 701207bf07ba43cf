#!/bin/sh
# Make a virtual environment, or say in one sentence what is missing. Debian splits venv off from python3;
# as root it is installed, else the command to do so is shown.
set -eu
python=$1 venv=$2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Python 3.11 or newer is needed, and '$python' is not; name another one: make PYTHON=python3.12" >&2
  exit 2
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
  else
    echo "Python's venv module is missing; install it (on Debian: sudo apt-get install python3-venv)." >&2
    exit 2
  fi
fi
"$python" -m venv "$venv"
