#!/usr/bin/env bash
# ./dev demo [--keep]: back up a busy database, lose it, restore it, and prove it is the same.
# Run by ./dev; HOLDFAST_DEMO_SERVER (rust, python, mongod) and HOLDFAST_DEMO_SIZE change it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/dev/common.sh
source "$root/scripts/dev/common.sh"
# shellcheck source=scripts/dev/setup.sh
source "$root/scripts/dev/setup.sh"
# shellcheck source=scripts/dev/tools.sh
source "$root/scripts/dev/tools.sh"
# shellcheck source=scripts/dev/build.sh
source "$root/scripts/dev/build.sh"

keep=''
case ${1:-} in
  --keep) keep=1 ;;
  '') ;;
  *) fail "demo: no such option: $1" ;;
esac

database=smokava
work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-demo-XXXXXX")
server_pid='' traffic_pid='' long_log=()
cleanup() {
  [ -z "$traffic_pid" ] || kill "$traffic_pid" 2>/dev/null || true
  if [ -n "$server_pid" ]; then
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  cd / && rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi
chapter() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# run COMMAND…: shows a holdfast command as one would type it, then runs it.
run() {
  printf '%s$ holdfast %s%s\n' "$dim" "${*//$work\//}" "$plain"
  "$holdfast" "$@"
}

# How many writes the application has been told are done.
writes_so_far() {
  "$python" -c 'import sys, bson
print(sum(1 for _ in bson.decode_file_iter(open(sys.argv[1], "rb"))))' "$work/traffic.bson" \
    2>/dev/null || echo 0
}

setup_packages build
bring_tools python
build_preset ci holdfast || exit
holdfast=$(build_folder ci)/holdfast
python=$venv/bin/python
demo_began=$SECONDS

kind=${HOLDFAST_DEMO_SERVER:-}
if [ -z "$kind" ]; then
  if [ -x "$rust_server" ]; then kind=rust; else kind=python; fi
fi
# The Python server takes about a tenth of what the others take.
if [ "$kind" = python ]; then size=1000 rate=50; else size=20000 rate=500; fi
size=${HOLDFAST_DEMO_SIZE:-$size}

chapter "1. A database in use"
# Bringing everything back writes more than this server's log holds by default.
[ "$kind" != rust ] || long_log=(-- --oplog-max-entries 5000000)
"$python" "$root/scripts/dev/server.py" "$kind" --storage "$work/server" \
  --uri-file "$work/uri" "${long_log[@]}" >"$work/server.out" 2>&1 &
server_pid=$!
for _ in $(seq 300); do
  [ ! -s "$work/uri" ] || break
  kill -0 "$server_pid" 2>/dev/null || fail "the server did not start: $(cat "$work/server.out")"
  sleep 0.2
done
export MONGODB_URI
MONGODB_URI=$(cat "$work/uri" 2>/dev/null)/$database
cd "$work"
run smokava seed --userpackages "$size" --seed 7
"$holdfast" smokava traffic --rate "$rate" --record "$work/traffic.bson" \
  >"$work/traffic.out" 2>&1 &
traffic_pid=$!
for _ in $(seq 300); do
  [ ! -s "$work/traffic.bson" ] || break
  kill -0 "$traffic_pid" 2>/dev/null || fail "no traffic: $(cat "$work/traffic.out")"
  sleep 0.2
done
say "From now on an application writes, $rate times a second."

chapter "2. Back it up while it is being written to"
head -c 24 /dev/urandom | base64 >"$work/password"
chmod 600 "$work/password"
export HOLDFAST_REPOSITORY=$work/repository HOLDFAST_PASSWORD_FILE=$work/password
run init --recovery-key-file "$work/recovery-key"
writes_before=$(writes_so_far)
run backup --tag busy
say "$(($(writes_so_far) - writes_before)) writes were done while that command ran."
kill -0 "$traffic_pid" 2>/dev/null || fail "the traffic ended too early: $(cat "$work/traffic.out")"

chapter "3. The application rests; the last backup is the one to come back to"
# TERM: a background job of a script ignores INT. Ending like this is normal for it.
kill -TERM "$traffic_pid"
wait "$traffic_pid" || true
traffic_pid=''
tail -n 1 "$work/traffic.out"
run backup --tag final
run snapshots

chapter "4. Prove that the backups are whole"
run verify --read-data

chapter "5. Disaster"
say "Kept aside by another client (pymongo) for the proof:"
"$python" "$root/scripts/dev/compare.py" fingerprint --uri "$MONGODB_URI" --database "$database" \
  --out "$work/before.json"
"$python" - "$MONGODB_URI" "$database" <<'DROP'
import sys
import pymongo
with pymongo.MongoClient(sys.argv[1], directConnection=True) as client:
    client.drop_database(sys.argv[2])
    left = client[sys.argv[2]].list_collection_names()
    print(f"  db.dropDatabase(): {len(left)} collections are left")
DROP

chapter "6. Bring it back"
run restore latest --yes

chapter "7. Is it the same?"
"$python" "$root/scripts/dev/compare.py" check --uri "$MONGODB_URI" --database "$database" \
  --expected "$work/before.json"

chapter "8. An accident that nobody noticed at once"
sleep 1
all_was_well=$(date -u +%Y-%m-%dT%H:%M:%SZ)
"$python" - "$MONGODB_URI" "$database" <<'DELETE'
import sys
import pymongo
with pymongo.MongoClient(sys.argv[1], directConnection=True) as client:
    users = client[sys.argv[2]].users
    gone = users.delete_many({"phoneNumber": {"$regex": "[0-4]$"}}).deleted_count
    print(f"  db.users.deleteMany(…): {gone:,} users are gone")
    users.insert_one({"_id": "later", "phoneNumber": "+989120000001", "name": "later"})
    print("  and life goes on")
DELETE
run capture --once
run coverage
run log --op delete --collection users --counts
say "At $all_was_well all was well. The first deletion after that:"
run log --op delete --collection users --from "$all_was_well" --limit 1
event=$("$holdfast" log --op delete --collection users --from "$all_was_well" --limit 1 --json |
  sed -n 's/.*"type":"event","event":"\([^"]*\)".*/\1/p')
[ -n "$event" ] || fail "the deletion is not in the log"
run restore --before "$event" --collection users --drop --yes
"$python" "$root/scripts/dev/compare.py" check --uri "$MONGODB_URI" --database "$database" \
  --expected "$work/before.json"

printf '\n%sThe same, to the byte, in %d seconds.%s\n' "$bold" $((SECONDS - demo_began)) "$plain"
if [ -n "$keep" ]; then
  cat <<KEPT

The server stays up until Ctrl-C. In another terminal:
  export MONGODB_URI=$MONGODB_URI
  export HOLDFAST_REPOSITORY=$HOLDFAST_REPOSITORY HOLDFAST_PASSWORD_FILE=$HOLDFAST_PASSWORD_FILE
  $holdfast snapshots
KEPT
  wait "$server_pid"
fi
