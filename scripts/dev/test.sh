# Tests, sanitizers and fuzzers. Sourced.
# shellcheck shell=bash

run_tests() {
  local quick='' filter='' folder results status=0 select=()
  while [ $# -gt 0 ]; do
    case $1 in
      --quick) quick=1 ;;
      -*) fail "test: no such option: $1" ;;
      *) filter=$1 ;;
    esac
    shift
  done

  if [ -n "$quick" ]; then
    setup_packages build
    bring_tools python
    export HOLDFAST_TEST_QUICK=1
    select+=(--label-exclude '^long$')
  else
    setup_packages build peers
    bring_tools all
  fi
  build_preset ci || exit

  choose_server
  folder=$(build_folder ci)
  results=$folder/test-results
  rm -rf "$results"
  mkdir -p "$results"
  : >"$results/output.txt" # it must be there before anybody follows it
  if [ -n "$filter" ]; then
    if ctest --test-dir "$folder" -N -R "$filter" | grep -q '^Total Tests: [1-9]'; then
      select+=(-R "$filter")
    else
      export GTEST_FILTER="*$filter*" # no module of that name: a test inside one
      select+=(-L '^module$' -E 'python$')
    fi
  fi

  ctest --test-dir "$folder" --output-on-failure --no-label-summary --no-tests=error \
    -j "${HOLDFAST_TEST_JOBS:-$jobs}" --output-junit "$results/ctest.xml" "${select[@]}" \
    >"$results/output.txt" 2>&1 &
  local ctest=$!
  # Everything is shown as it comes, but the closing lines are held back to the very end.
  tail -n +1 -f --pid="$ctest" -s 0.5 "$results/output.txt" |
    awk -v closing="$results/closing.txt" '
      /^[0-9]+% tests passed/ { held = 1 }
      held { print > closing; next }
      { print; fflush() }'
  wait "$ctest" || status=$?

  python3 "$root/scripts/dev/test_summary.py" --results "$results" \
    --unavailable "$unavailable" || status=1
  [ ! -f "$results/closing.txt" ] || cat "$results/closing.txt"
  return "$status"
}

# Which server the C++ fixture starts, unless the caller has said so: the fast one where it is.
choose_server() {
  if [ -z "${HOLDFAST_TEST_URI:-}${HOLDFAST_TEST_SERVER:-}" ]; then
    if [ -x "$rust_server" ]; then
      export HOLDFAST_TEST_SERVER=rust
    elif ! command -v mongod >/dev/null; then
      export HOLDFAST_TEST_SERVER=python
    fi
  fi
}

# run_sanitized PRESET [MODULE…]: builds and runs only those modules' tests.
run_sanitized() {
  local preset=${1:-} folder modules targets=() module
  case $preset in
    asan-ubsan) modules=(base bson dataset blob repository changelog) ;;
    tsan) modules=(base blob repository) ;;
    *) fail "sanitize: say asan-ubsan or tsan" ;;
  esac
  shift
  [ $# -eq 0 ] || modules=("$@")
  setup_packages build
  configure_preset "$preset" || return
  folder=$(build_folder "$preset")
  for module in "${modules[@]}"; do
    # A module without tests has no such target.
    if ninja -C "$folder" -t query "${module}_test" >/dev/null 2>&1; then
      targets+=("${module}_test")
    else
      say "  $module has no tests"
    fi
  done
  [ ${#targets[@]} -gt 0 ] || fail "sanitize: nothing to run"
  build_preset "$preset" "${targets[@]}" || return
  choose_server
  # GCC 12's thread sanitizer does not know the address layouts of newer kernels: no randomising.
  HOLDFAST_TEST_QUICK=1 ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=second_deadlock_stack=1 \
    setarch "$(uname -m)" -R ctest --test-dir "$folder" --output-on-failure \
    --no-label-summary --no-tests=error -j "$jobs" \
    -R "^($(IFS='|' && echo "${targets[*]%_test}"))\$"
}

# run_fuzzers [SECONDS] [NAME]: SECONDS are shared by all targets; what is found grows the corpus
# in the cache, what crashes stays in the build folder.
run_fuzzers() {
  local seconds=${1:-60} only=${2:-} folder fuzzers=() fuzzer name corpus seed status=0 each
  setup_packages build fuzz
  build_preset fuzz fuzzers || return
  folder=$(build_folder fuzz)
  for fuzzer in "$folder"/fuzzers/*_fuzz; do
    [ -x "$fuzzer" ] || continue
    case $fuzzer in *"$only"*) fuzzers+=("$fuzzer") ;; esac
  done
  [ ${#fuzzers[@]} -gt 0 ] || fail "fuzz: no target${only:+ named $only}"
  each=$((seconds / ${#fuzzers[@]}))
  [ "$each" -gt 0 ] || each=1
  mkdir -p "$folder/crashes"
  for fuzzer in "${fuzzers[@]}"; do
    name=$(basename "$fuzzer")
    corpus=$HOLDFAST_CACHE/fuzz/$name
    mkdir -p "$corpus"
    seed=$(dirname "$(find "$root/src" -name "$name.cpp")")/fuzz_corpus
    [ -d "$seed" ] || seed=
    step "fuzz $name for $each s" "$fuzzer" -max_total_time="$each" -timeout=20 \
      -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$folder/crashes/$name-" \
      "$corpus" ${seed:+"$seed"} || {
      status=1
      say "  the input is in $folder/crashes; again: $fuzzer FILE"
    }
  done
  return "$status"
}
