#!/usr/bin/env bash
# Backs up only what changed since the snapshot before; all else is as in backup-database.sh.
exec "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/backup-database.sh" --incremental "$@"
