# Places, and how the scripts talk. Sourced; needs $root.
# shellcheck shell=bash disable=SC2034

export HOLDFAST_CACHE=${HOLDFAST_CACHE:-$HOME/.cache/holdfast}
tools=$HOLDFAST_CACHE/tools
venv=$tools/venv
rust_server=$tools/secantus-rs/bin/secantusd-rs
logs=$HOLDFAST_CACHE/logs
mkdir -p "$tools" "$logs"

# One compiler cache for every clone: paths below the clone are hashed relative to it.
export CCACHE_DIR=${CCACHE_DIR:-$HOLDFAST_CACHE/ccache} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
export PYTHONDONTWRITEBYTECODE=1

jobs=$(nproc)

say() { printf '%s\n' "$*"; }

fail() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# step LABEL COMMAND…: runs it with its output in a log, prints one line, and the log's end if it
# failed. The command runs outside `set -e`: a function given here joins its parts with &&.
step() {
  local label=$1 began=$SECONDS status=0 log
  shift
  log=$logs/$(printf '%s' "$label" | tr -cs 'A-Za-z0-9' '-').log
  printf '  %s … ' "$label"
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    printf 'done (%d s)\n' $((SECONDS - began))
    return 0
  fi
  printf 'FAILED (%d s)\n' $((SECONDS - began))
  if grep -q -m1 -E '(^FAILED: |error:)' "$log"; then
    # A compiler's complaint: what came first is the cause.
    grep -n -m12 -A6 -E '(^FAILED: |error:)' "$log" | cut -c1-400 | head -60 >&2
  else
    tail -n 40 "$log" | cut -c1-400 >&2
  fi
  printf 'dev: "%s" failed; everything it said is in %s\n' "$label" "$log" >&2
  return "$status"
}

# version_at_least HAVE WANT
version_at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}
