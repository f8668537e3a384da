# Debian packages, in groups so that each command installs only what it needs. Sourced.
# shellcheck shell=bash

packages_of() {
  case $1 in
    build)
      echo g++ cmake ninja-build pkg-config ccache mold git ca-certificates \
        libmongoc-dev libbson-dev libsodium-dev libzstd-dev libxxhash-dev libfmt-dev \
        zlib1g-dev \
        libspdlog-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev \
        libgtest-dev libgmock-dev librapidcheck-dev \
        libhowardhinnant-date-dev libre2-dev tzdata
      packages_of python
      ;;
    # Any CPython that the servers take will do; Debian's is installed where there is none.
    python) python_for_venv >/dev/null || echo python3 python3-venv ;;
    lint) echo clang-14 clang-tidy-14 clang-format-14 shellcheck ;;
    format) echo clang-format-14 ;;
    fuzz) echo clang-14 libclang-rt-14-dev ;;
    peers) echo strace restic borgbackup groff-base fish ;;
    *) fail "no such package group: $1 (build, lint, fuzz, peers, python)" ;;
  esac
}

# A Python that can make virtual environments and is of a version that the test server takes.
python_for_venv() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
    if "$candidate" -c 'import ensurepip, sys, venv
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@" || sudo "$@"; fi
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# setup_packages GROUP…: installs what is missing of these groups.
setup_packages() {
  local group package missing=() names=("$@")
  [ "${names[0]}" != all ] || names=(build lint fuzz peers)
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "  not a Debian system: nothing is installed; README.md lists what the build needs"
    return 0
  fi
  for group in "${names[@]}"; do
    for package in $(packages_of "$group"); do
      is_installed "$package" || missing+=("$package")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "these packages are missing, and there is no sudo to install them with. As root:
  apt-get install --no-install-recommends ${missing[*]}"
  fi
  [ "$(id -u)" -eq 0 ] || sudo -v || fail "sudo was refused; as root:
  apt-get install --no-install-recommends ${missing[*]}"
  step "refresh Debian's package lists" as_root apt-get update -qq ||
    say "  going on with the package lists that are there"
  step "install ${#missing[@]} Debian packages" install_packages "${missing[@]}" ||
    fail "Debian packages could not be installed: ${missing[*]}"
}
