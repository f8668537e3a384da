#!/usr/bin/env python3
"""The record of `holdfast smokava traffic` tells the state of the database, exactly.

Checked against what the server holds at the end, and, where the server has a log, against its
change stream: every event lies within the bounds of exactly one entry.
"""

import collections
import threading
import time

import bson
import pymongo

import harness
import smokava_record
from server import TestServer, find_server

DATABASE = "smokava"


class Watcher(threading.Thread):
    """Gathers the cluster times of a database's changes, by document."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.database = client[DATABASE]
        self.ready = threading.Event()
        self.enough = threading.Event()
        self.times = collections.defaultdict(list)
        self.events = 0

    def run(self):
        quiet = 0
        with self.database.watch(max_await_time_ms=300) as stream:
            self.ready.set()
            while quiet < 5 or not self.enough.is_set():
                event = stream.try_next()
                quiet = 0 if event else quiet + 1
                if event and "documentKey" in event:
                    place = event["ns"]["coll"], smokava_record.key(event["documentKey"]["_id"])
                    self.times[place].append(event["clusterTime"])
                    self.events += 1


def check_bounds(entries, watcher):
    left = watcher.times
    undecided = 0
    for entry in entries:
        if "_id" not in entry:
            continue
        place = entry["ns"].split(".", 1)[1], smokava_record.key(entry["_id"])
        inside = [t for t in left[place] if entry["since"] < t <= entry["time"]]
        assert len(inside) <= 1, f"{len(inside)} events within one entry: {entry}"
        if inside:
            left[place].remove(inside[0])
            undecided += inside[0] != entry["time"]
    rest = sum(len(times) for times in left.values())
    assert rest == 0, f"{rest} events lie within no entry"
    print(f"{watcher.events} events, each within its entry's bounds; "
          f"{undecided} of them before the reply's operationTime")


def run_once(program, client, record, *options):
    database = client[DATABASE]
    before = smokava_record.read_collections(database)
    watcher = Watcher(client)
    watcher.start()
    assert watcher.ready.wait(30)
    time.sleep(0.5)
    program.run("smokava", "traffic", "--database", DATABASE, "--record", str(record), *options)
    watcher.enough.set()
    watcher.join(60)
    assert not watcher.is_alive(), "the change stream did not become quiet"
    entries = list(smokava_record.read_record(record))
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    state = smokava_record.replay(before, entries)
    assert not state.undecided and not state.undecided_collections
    found = list(smokava_record.differences(state, smokava_record.read_collections(database)))
    assert not found, "\n".join(found[:20])
    check_bounds(entries, watcher)
    check_middle(before, entries)
    return entries


def check_middle(before, entries):
    """At a time in the middle almost all is known, and what is not is what was being written."""
    middle = sorted(entry["time"] for entry in entries)[len(entries) // 2]
    state = smokava_record.replay(before, entries, at=middle)
    threads = len({entry["thread"] for entry in entries})
    assert len(state.undecided) + len(state.undecided_collections) <= 2 * threads
    assert state.applied + len(state.undecided) < len(entries)


def check_variety(entries):
    kinds = collections.Counter(entry["op"] for entry in entries)
    touched = {entry["ns"] for entry in entries}
    missing = {"redeem", "insert", "delete", "replace", "upsert", "insert-again", "pipeline",
               "array-filter", "unset", "unfollow"} - set(kinds)
    assert not missing, f"kinds that never came: {missing}"
    assert len(touched) >= 14, touched
    before_and_after = [entry for entry in entries if entry["after"] is not None]
    for entry in before_and_after:
        assert bson.decode(entry["after"].raw)["_id"] == entry["_id"]
    print(f"{len(entries)} writes of {len(kinds)} kinds in {len(touched)} collections")


def main():
    harness.require_program()
    with harness.temporary_folder() as folder, TestServer.start(find_server()) as server:
        program = harness.Holdfast(folder, server.uri)
        program.run("smokava", "seed", "--database", DATABASE, "--userpackages", "600")
        record = program.folder / "record.bson"
        with pymongo.MongoClient(server.uri, directConnection=True) as client:
            fast = server.kind != "python"
            entries = run_once(program, client, record, "--rate", "0", "--threads", "3",
                               "--writes", "6000" if fast else "900")
            check_variety(entries)
            entries = run_once(program, client, record, "--rate", "200", "--threads", "2",
                               "--duration", "6s", "--seed", "2", "--ddl")
            assert any("ddl" in entry for entry in entries)


if __name__ == "__main__":
    main()
