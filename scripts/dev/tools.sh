# Test servers, at exact versions, into the cache. Sourced.
# shellcheck shell=bash

secantus_rust_version=0.5.3-beta.196
secantus_rust_needs_cargo=1.95
secantus_python_version=0.7.0b3
pymongo_version=4.20.0

# What could not be brought, and why: "kind<TAB>reason" lines. The test summary excuses skips
# that name one of these kinds.
unavailable=$tools/unavailable.tsv

# bring_tools all|python: `all` brings every server; `python` only what the demo cannot do without.
bring_tools() {
  (
    flock 9
    : >"$unavailable"
    bring_python_server
    [ "$1" != all ] || bring_rust_server
  ) 9>"$tools/.lock"
}

bring_python_server() {
  if "$venv/bin/python" - "$secantus_python_version" "$pymongo_version" 2>/dev/null <<'CHECK'; then
import sys, pymongo
from importlib.metadata import version
sys.exit([version("SecantusDB"), version("pymongo")] != sys.argv[1:])
CHECK
    return 0
  fi
  step "bring the Python test server $secantus_python_version and pymongo" make_venv ||
    fail "without pymongo neither the demo nor the end-to-end tests can run"
}

make_venv() {
  local python
  python=$(python_for_venv) || {
    echo "no CPython 3.10 to 3.13 with the venv module; ./dev setup installs Debian's"
    return 1
  }
  rm -rf "$venv" && "$python" -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --pre \
      "SecantusDB==$secantus_python_version" "pymongo==$pymongo_version"
}

bring_rust_server() {
  local have
  if [ -x "$rust_server" ] &&
    "$rust_server" --version 9>&- | grep -qF "$secantus_rust_version"; then
    return 0
  fi
  have=$(cargo --version 2>/dev/null | awk '{print $2}') || true
  if [ -z "$have" ] || ! version_at_least "$have" "$secantus_rust_needs_cargo"; then
    say "  no fast (Rust) test server: it needs cargo $secantus_rust_needs_cargo or newer," \
      "and there is ${have:-none}"
    printf 'rust\tno cargo %s\n' "$secantus_rust_needs_cargo" >>"$unavailable"
    return 0
  fi
  step "build the Rust test server $secantus_rust_version (6 to 8 minutes, once)" \
    cargo install secantus-mdb --version "$secantus_rust_version" --ignore-rust-version \
    --force --root "$tools/secantus-rs" ||
    step "build the Rust test server, second try" \
      cargo install secantus-mdb --version "$secantus_rust_version" --ignore-rust-version \
      --force --root "$tools/secantus-rs" ||
    fail "the Rust test server could not be built"
}
