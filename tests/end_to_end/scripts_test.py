#!/usr/bin/env python3
"""The scripts for cron: backup-database.sh and backup-incremental.sh on a real server.

They tell success from failure by their exit code, write last_backup.txt only after a good backup,
keep a log, and never run twice at once.
"""

import datetime
import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import harness
from server import TestServer, find_server

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TIMESTAMP = re.compile(r"\d{8}_\d{6}\n")


def run(script, holdfast, *arguments, **more):
    environment = {**holdfast.environment, "HOLDFAST": harness.PROGRAM, **more}
    environment["BACKUP_PATH"] = environment.pop("HOLDFAST_REPOSITORY")
    return subprocess.run([SCRIPTS / script, *arguments], env=environment, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)


def main():
    harness.require_program()
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        holdfast = harness.Holdfast(folder, f"{server.uri}/shop")
        last = holdfast.repository / "last_backup.txt"

        done = run("backup-database.sh", holdfast)
        assert done.returncode == 10, done
        assert "holdfast init" in done.stderr, done

        holdfast.init()
        done = run("backup-database.sh", holdfast)
        assert done.returncode != 0 and not last.exists(), ("there is no database yet", done)

        database = harness.raw_database(server.uri, "shop")
        database.users.insert_many([{"_id": number} for number in range(100)])
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        done = run("backup-database.sh", holdfast, "--tag", "nightly")
        assert done.returncode == 0, done
        text = last.read_text()
        assert TIMESTAMP.fullmatch(text), text
        written = datetime.datetime.strptime(text.strip(), "%Y%m%d_%H%M%S")
        assert written.replace(tzinfo=datetime.timezone.utc) >= before, text
        assert os.stat(last).st_mode & 0o777 == 0o600

        database.users.insert_one({"_id": "new"})
        done = run("backup-incremental.sh", holdfast, LAST_BACKUP_ZONE="Asia/Tehran")
        assert done.returncode == 0, done
        snapshots = holdfast.result("snapshots")["snapshots"]
        assert [one["kind"] for one in snapshots] == ["full", "incremental"], snapshots
        assert snapshots[0]["tags"] == ["nightly"] and snapshots[1]["documents"] == 101
        tehran = datetime.datetime.strptime(last.read_text().strip(), "%Y%m%d_%H%M%S")
        assert tehran - written >= datetime.timedelta(hours=3, minutes=29), (tehran, written)

        with open(holdfast.repository / ".backup.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = run("backup-database.sh", holdfast)
        assert done.returncode == 11 and "running" in done.stderr, done

        text = last.read_text()
        done = run("backup-database.sh", holdfast, MONGODB_URI="mongodb://127.0.0.1:1/shop")
        assert done.returncode not in (0, 4), done
        assert last.read_text() == text, "a failed backup must not look like one"
        log = (holdfast.repository / "backup.log").read_text()
        assert "exit code 0" in log and f"exit code {done.returncode}" in log, log
        assert not holdfast.result("verify", "--read-data").get("damage")
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
