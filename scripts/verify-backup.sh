#!/usr/bin/env bash
# Is this dump whole? A .tar.gz, folder or archive: every document is decoded, and collections that
# must be there are looked for.
#
#   scripts/verify-backup.sh FILE [COLLECTION…]
#
# Exit code 0: whole; 4: damaged, or a collection is missing; it says what. HOLDFAST names the
# program where it is not on PATH.
set -euo pipefail

if [ $# -lt 1 ] || [ "$1" = --help ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0"
  exit 2
fi
file=$1
shift
required=()
for collection in "$@"; do required+=(--require "$collection"); done
# A name without a folder could be a snapshot's.
case $file in */*) ;; *) file=./$file ;; esac
exec "${HOLDFAST:-holdfast}" verify "$file" "${required[@]}"
