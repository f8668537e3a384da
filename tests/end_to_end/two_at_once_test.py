#!/usr/bin/env python3
"""Several programs share one repository: two backups at once are both whole, and whoever lists,
verifies or restores meanwhile sees finished snapshots only."""

import sys
import time

import pymongo

import harness
from server import TestServer, find_server

DATABASES = ("first", "second")


def leases(holdfast):
    return len(list(holdfast.repository.glob("*/leases/*")))


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, (process.returncode, output, errors)
    return harness.last_result(output)["snapshot"]


def two_backups(holdfast):
    """Two at once, and readers for as long as they run. Returns the snapshots and the rounds."""
    known = {one["id"] for one in holdfast.result("snapshots")["snapshots"]}
    writers = [holdfast.start("backup", "--database", name, "--compression", "max", "--json")
               for name in DATABASES]
    both, rounds = False, 0
    while any(writer.poll() is None for writer in writers):
        both = both or all(writer.poll() is None for writer in writers) and leases(holdfast) >= 2
        if not rounds:
            time.sleep(0.2)
        for one in holdfast.result("snapshots")["snapshots"]:
            assert one["id"] in known or one["documents"] > 0, one
        report = holdfast.result("verify")
        assert report["whole"], report
        rounds += 1
    return [finish(writer) for writer in writers], rounds, both


def main():
    harness.require_program()
    kind = find_server()
    size = 300 if kind == "python" else 6000
    with TestServer.start(kind) as server, harness.temporary_folder() as folder:
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        for seed, name in enumerate(DATABASES):
            holdfast.run("smokava", "seed", "--database", name, "--userpackages", str(size),
                         "--seed", str(seed + 1))
        client = pymongo.MongoClient(server.uri, directConnection=True)
        live = {name: harness.read_digests(harness.raw_database(server.uri, name))
                for name in DATABASES}
        early = finish(holdfast.start("backup", "--database", DATABASES[0], "--json"))
        for _ in range(5):  # a fast machine may do one after the other
            snapshots, rounds, both = two_backups(holdfast)
            if both:
                break
        assert both, "the two backups never ran at the same time"
        report = holdfast.result("verify", "--read-data")
        assert report["whole"], report
        print(f"two backups at once, {rounds} lists and verifications meanwhile: whole", flush=True)

        # A restore reads while another backup writes and a snapshot of the same source goes.
        writer = holdfast.start("backup", "--database", DATABASES[1], "--json")
        holdfast.run("snapshot", "remove", early["id"], "--yes")
        for name, snapshot in zip(DATABASES, snapshots):
            holdfast.run("restore", snapshot["id"], "--as", "again", "--yes")
            assert harness.read_digests(harness.raw_database(server.uri, "again")) == live[name]
            client.drop_database("again")
        finish(writer)
        report = holdfast.result("verify", "--read-data")
        assert report["whole"], report
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
