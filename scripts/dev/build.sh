# Configuring and building. Sourced.
# shellcheck shell=bash

# Always at the same place below the clone: relative paths are then the same in every clone, and
# the compiler cache serves a fresh one.
build_folder() { echo "$root/build/$1"; }

configure_preset() {
  local preset=$1 folder
  folder=$(build_folder "$preset")
  if [ -f "$folder/CMakeCache.txt" ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
    rm -rf "$folder" # the clone has been moved or copied
  fi
  # Ninja configures again by itself when a CMakeLists.txt changes, but not for the presets.
  if [ -f "$folder/build.ninja" ] && [ "$folder/build.ninja" -nt "$root/CMakePresets.json" ]; then
    return 0
  fi
  step "configure $preset" cmake -S "$root" --preset "$preset" -B "$folder" \
    -D HOLDFAST_PYTHON="$venv/bin/python" -D HOLDFAST_TOOLS="$tools"
}

# build_preset PRESET [TARGET…]
build_preset() {
  local preset=$1 folder targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  folder=$(build_folder "$preset")
  configure_preset "$preset" || return
  if [ -t 1 ]; then
    cmake --build "$folder" -j "$jobs" "${targets[@]}"
  else
    step "build $preset" cmake --build "$folder" -j "$jobs" "${targets[@]}"
  fi
}

run_build() {
  local preset=${1:-dev}
  [ $# -eq 0 ] || shift
  case $preset in
    fuzz) setup_packages build fuzz ;;
    *) setup_packages build ;;
  esac
  build_preset "$preset" "$@"
  say "built in $(build_folder "$preset")"
}
