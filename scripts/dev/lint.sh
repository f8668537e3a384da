# Layout and static checks. Sourced.
# shellcheck shell=bash

cpp_files() {
  find "$root/src" "$root/tests" "$root/bench" "$root/cmake" \
    \( -name '*.h' -o -name '*.cpp' \) -type f | sort
}

run_format() {
  setup_packages format
  if [ "${1:-}" = --check ]; then
    step "clang-format agrees" check_format
  else
    cpp_files | xargs -r -P "$jobs" -n 20 clang-format-14 -i
  fi
}

check_format() {
  cpp_files | xargs -r -P "$jobs" -n 20 clang-format-14 --dry-run -Werror ||
    { echo "error: run ./dev format" && return 1; }
}

# run_lint [--all]
run_lint() {
  local status=0 which=--changed
  [ "${1:-}" != --all ] || which=--all
  setup_packages build lint
  step "clang-format agrees" check_format || status=1
  step "architecture" python3 "$root/tests/architecture/include_check.py" "$root" || status=1
  step "shellcheck" check_scripts || status=1
  configure_preset lint || return
  # Shows its own progress: this is the long one.
  python3 "$root/scripts/dev/tidy.py" --build "$(build_folder lint)" --root "$root" \
    --cache "$HOLDFAST_CACHE/lint" --jobs "$jobs" "$which" || status=1
  return "$status"
}

check_scripts() {
  (cd "$root" && shellcheck -x -a dev .ci/run scripts/dev/demo.sh scripts/*.sh) &&
    python3 -c 'import ast, sys
for name in sys.argv[1:]: ast.parse(open(name).read(), name)' \
      "$root/bench/run" "$root"/scripts/dev/*.py "$root"/tests/*/*.py
}
