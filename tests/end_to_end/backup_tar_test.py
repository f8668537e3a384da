#!/usr/bin/env python3
"""backup-database.sh with HOLDFAST_TAR_FOLDER: a .tar.gz beside the repository, which tar lists,
a reader of its own reads, and verify-backup.sh finds whole."""

import re
import subprocess
from pathlib import Path

import bson

import dump_format
import harness
from server import TestServer, find_server

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def main():
    harness.require_program()
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        holdfast = harness.Holdfast(folder, f"{server.uri.rstrip('/')}/shop")
        holdfast.init()
        database = harness.raw_database(server.uri, "shop")
        database.client.drop_database("shop")
        database.users.insert_many([{"_id": number} for number in range(100)])
        tars = Path(folder) / "tars"
        tars.mkdir()
        environment = {**holdfast.environment, "HOLDFAST": harness.PROGRAM,
                       "HOLDFAST_TAR_FOLDER": str(tars)}
        run = lambda *words: subprocess.run(words, env=environment, text=True, check=False,
                                            stdin=subprocess.DEVNULL, capture_output=True)
        done = run(SCRIPTS / "backup-database.sh")
        assert done.returncode == 0, done
        tar, = tars.iterdir()
        assert re.fullmatch(r"\d{8}_\d{6}\.tar\.gz", tar.name), tar
        assert tar.name == (holdfast.repository / "last_backup.txt").read_text().strip() + ".tar.gz"
        assert "shop/users.bson" in run("tar", "-tzf", str(tar)).stdout.splitlines()
        found, _ = dump_format.read_tar(tar)
        assert [bson.decode(raw)["_id"] for raw in found["shop", "users"].documents] == list(
            range(100))
        done = run(SCRIPTS / "verify-backup.sh", str(tar), "users")
        assert done.returncode == 0, done
        # A folder that is not there: the backup is good, and the exit code says what failed.
        environment["HOLDFAST_TAR_FOLDER"] = str(tars / "missing")
        done = run(SCRIPTS / "backup-database.sh")
        assert done.returncode == 1, done
        assert len(holdfast.result("snapshots")["snapshots"]) == 2


if __name__ == "__main__":
    main()
