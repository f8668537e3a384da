#!/usr/bin/env python3
"""A disk that is full: a real one, a small tmpfs, under the repository, then under the spool
folder. The backup ends with a clear message, what was there stays whole, and with room again it
goes on."""

import contextlib
import os
import shutil
import subprocess
import sys

import pymongo

import harness
from server import TestServer, find_server

DATABASE = "shop"


@contextlib.contextmanager
def small_disk(folder, size):
    os.makedirs(folder)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", folder],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        harness.skip(f"needs root with the right to mount ({done.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def fill_up(folder, leave):
    """Leaves so many bytes on the disk."""
    ballast = os.path.join(folder, "ballast")
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - leave)
    return ballast


def check_failure(holdfast, output, folder):
    assert "no space" in output.lower(), output
    assert str(folder) in output, output
    assert holdfast.result("verify", "--read-data")["whole"]


def full_repository(holdfast, disk, snapshot):
    for leave in (0, 4096, 100_000, 400_000):
        ballast = fill_up(disk, leave)
        output = holdfast.run("backup", "--independent", "--database", DATABASE, expect=1)
        check_failure(holdfast, output, holdfast.repository)
        listed = [one["id"] for one in holdfast.result("snapshots")["snapshots"]]
        assert listed == [snapshot], listed
        os.unlink(ballast)
        print(f"with {leave} bytes left: {output.strip().splitlines()[-1]}", flush=True)
    again = holdfast.result("backup", "--database", DATABASE)
    holdfast.run("snapshot", "remove", again["snapshot"]["id"], "--yes")


def full_spool(holdfast, server):
    """Changes during the scan that no memory holds have nowhere to go."""
    spool = holdfast.folder / "spool"
    with small_disk(spool, "64k"):
        client = pymongo.MongoClient(server.uri, directConnection=True)
        client[DATABASE].create_collection("sorted", collation={"locale": "en", "strength": 2})
        for first in range(0, 30_000, 1000):
            client[DATABASE].sorted.insert_many([{"_id": f"{n:06}", "pad": "x" * 1000}
                                                 for n in range(first, first + 1000)])
        output = holdfast.run("backup", "--independent", "--database", DATABASE,
                              "--spool-folder", str(spool),
                              "--memory", "16", expect=1)
        check_failure(holdfast, output, spool)
        assert "spool" in output, output
        assert not os.listdir(spool), "a spool was left behind"
        print(f"spool: {output.strip().splitlines()[-1]}", flush=True)


def main():
    harness.require_program()
    if os.geteuid() != 0:
        harness.skip("needs root to mount a small disk")
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        holdfast = harness.Holdfast(folder, server.uri)
        disk = holdfast.folder / "disk"
        holdfast.repository = disk / "repository"
        holdfast.environment["HOLDFAST_REPOSITORY"] = str(holdfast.repository)
        with small_disk(disk, "24m"):
            holdfast.init()
            holdfast.run("smokava", "seed", "--database", DATABASE, "--userpackages", "2000")
            snapshot = holdfast.result("backup", "--database", DATABASE)["snapshot"]["id"]
            full_repository(holdfast, disk, snapshot)
            full_spool(holdfast, server)
            holdfast.run("restore", snapshot, "--as", "again")
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
