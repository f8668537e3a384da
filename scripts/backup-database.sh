#!/usr/bin/env bash
# Takes a backup, for cron: one at a time, with a log, and an exit code that means what it says.
#
#   backup-database.sh [OPTIONS OF holdfast backup]
#
# Everything is configured as for holdfast itself: MONGODB_URI, BACKUP_PATH or HOLDFAST_REPOSITORY,
# HOLDFAST_PASSWORD_FILE or HOLDFAST_KEY_FILE, or /etc/holdfast/holdfast.yaml. Besides:
#   HOLDFAST            the program (default: holdfast)
#   HOLDFAST_LOG_FILE   where its messages go, too (default: backup.log in the repository's folder)
#   HOLDFAST_TAR_FOLDER where the backup goes as TIMESTAMP.tar.gz too, a mongodump folder for others
#                       (readable by whoever reads that folder: it is not encrypted)
#   HOLDFAST_LOCK_WAIT  seconds to wait for a backup that is still running (default: 0)
#
# After a good backup the repository's folder holds last_backup.txt: one line, its time as
# YYYYMMDD_HHMMSS in UTC (LAST_BACKUP_ZONE=Asia/Tehran for another zone).
#
# Exit codes: holdfast's own (docs/reference/exit-codes.md); 11 if another backup is running.
set -euo pipefail
umask 077

program=${HOLDFAST:-holdfast}
fail() {
  echo "backup-database: $1" >&2
  exit "${2:-1}"
}
command -v "$program" >/dev/null || fail "no program '$program'; HOLDFAST names it"

# The same setting that holdfast will use, wherever it comes from.
folder=$("$program" config show | awk '$1 == "repository" { print $2 }')
case $folder in
  '' | -) fail "no repository is configured; set BACKUP_PATH" 2 ;;
  file://*) folder=${folder#file://} ;;
esac
[ -d "$folder" ] || fail "there is no folder $folder; 'holdfast init' makes the repository" 10

exec 9>"$folder/.backup.lock"
flock --wait "${HOLDFAST_LOCK_WAIT:-0}" 9 || fail "another backup into $folder is running" 11

log=${HOLDFAST_LOG_FILE:-$folder/backup.log}
stamp() { TZ=${LAST_BACKUP_ZONE:-UTC} date "$@"; }
{
  echo "$(stamp '+%Y-%m-%d %H:%M:%S %Z') backup begins"
  status=0
  "$program" backup "$@" 2>&1 || status=$?
  # 4: the backup is good, and something was found in an earlier one.
  if [ "$status" -eq 0 ] || [ "$status" -eq 4 ]; then
    stamp +%Y%m%d_%H%M%S >"$folder/.last_backup.new"
    mv -f "$folder/.last_backup.new" "$folder/last_backup.txt"
    if [ -n "${HOLDFAST_TAR_FOLDER:-}" ]; then
      name=$(cat "$folder/last_backup.txt").tar.gz
      "$program" export latest --to "$HOLDFAST_TAR_FOLDER/$name" 2>&1 || status=$?
    fi
  fi
  echo "$(stamp '+%Y-%m-%d %H:%M:%S %Z') backup ends with exit code $status"
  exit "$status"
} 9>&- | tee -a "$log"
exit "${PIPESTATUS[0]}"
