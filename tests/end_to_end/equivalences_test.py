#!/usr/bin/env python3
"""One state, however it is come by: full(T2) = incremental(T1 to T2) = fold(T1, log) = comparing
scan, by content fingerprints and by what is read from the server.

Also: 64 incrementals in a row restore right, and after optimize too; and a damaged parent makes a
full backup end with exit code 4, with the damage put right.
"""

import random
import sys
import time

import harness
from moment_record import scope
from moment_workload import DATABASES, Workload
from server import TestServer, find_server

STEPS = 150
INCREMENTALS = 64


def content(holdfast, snapshot):
    """{namespace: (documents, fingerprint, options, indexes)}: what `show` says of the content."""
    shown = holdfast.result("show", snapshot)
    return {entry["name"]: (entry["documents"], entry["fingerprint"], entry["options"],
                            entry["indexes"])
            for entry in shown["collections"]}


def time_of(snapshot):
    moment = snapshot["consistency"]["cluster_time"]
    return f"{moment['seconds']}:{moment['increment']}"


def backup(holdfast, *options):
    return holdfast.result("backup", *scope(), *options)


def live_digests(uri):
    found = {}
    for name in DATABASES:
        for (collection, key), value in harness.read_digests(
                harness.raw_database(uri, name)).items():
            found[name, collection, key] = value
    return found


def work_on(work, steps):
    for _ in range(steps):
        work.step()
    work.settle()


def check_equal(name, wanted, found):
    different = {ns for ns in set(wanted) | set(found) if wanted.get(ns) != found.get(ns)}
    assert not different, (name, {ns: (wanted.get(ns), found.get(ns)) for ns in different})
    print(f"  {name}: {len(found)} collections, equal", flush=True)


def all_ways(server, holdfast, seed):
    """An independent full backup is the judge; a full one over a parent puts orders of fields right
    that no event tells, so the others are made of updates that tell them."""
    work = Workload(server.uri, server.kind, seed)
    work.update_of = lambda: (work.dice.choice([
        {"$set": {"n": work.dice.randrange(50)}}, {"$inc": {"n": 1}}, {"$unset": {"text": 1}},
        {"$push": {"list": work.dice.randrange(9)}}, {"$pop": {"list": 1}}]), {})
    work.start_record()
    work_on(work, STEPS)
    backup(holdfast)
    work_on(work, STEPS)
    incremental = backup(holdfast, "--incremental")
    full = backup(holdfast)
    assert not incremental["findings"] and not full["findings"], (incremental, full)
    assert incremental["snapshot"]["kind"] == "incremental"
    independent = backup(holdfast, "--independent")
    judge = content(holdfast, independent["snapshot"]["id"])
    print(f"seed {seed}:")
    check_equal("incremental", judge, content(holdfast, incremental["snapshot"]["id"]))
    check_equal("full over a parent", judge, content(holdfast, full["snapshot"]["id"]))
    for snapshot in (full, independent, incremental):
        holdfast.run("snapshot", "remove", snapshot["snapshot"]["id"], "--yes")
    moment = holdfast.result("snapshot", "create", "--at", time_of(incremental["snapshot"]))
    folded = moment["snapshot"]["id"]
    check_equal("fold of the log", judge, content(holdfast, folded))


def comparing_scan(kind, folder):
    """After a lost log everything is compared, and the gap is told."""
    options = ["--oplog-max-entries", "50"]
    with TestServer.start(kind, options=options) as server:
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        database = harness.raw_database(server.uri, "shop")
        dice = random.Random(1)
        database["a"].insert_many([{"_id": i, "n": dice.randrange(99)} for i in range(500)])
        harness.raw_database(server.uri, "stock")["a"].insert_one({"_id": 1})
        backup(holdfast)
        for number in range(8):
            database["a"].update_many({"n": {"$lt": 30}}, {"$inc": {"n": 1}})
            database["a"].delete_one({"_id": number})
            time.sleep(0.2)
        compared = backup(holdfast, "--incremental")
        assert any("gap" in warning for warning in compared["warnings"]), compared["warnings"]
        judge = backup(holdfast, "--independent")
        check_equal("comparing scan after a lost log",
                    content(holdfast, judge["snapshot"]["id"]),
                    content(holdfast, compared["snapshot"]["id"]))


def of_a_standalone(kind, folder):
    with TestServer.start(kind, standalone=True) as server:
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        database = harness.raw_database(server.uri, "shop")
        database["a"].insert_many([{"_id": i, "n": i} for i in range(500)])
        harness.raw_database(server.uri, "stock")["a"].insert_one({"_id": 1})
        backup(holdfast)
        database["a"].update_many({"n": {"$lt": 30}}, {"$inc": {"n": 1}})
        database["a"].delete_many({"n": {"$gt": 490}})
        compared = backup(holdfast, "--incremental")
        judge = backup(holdfast, "--independent")
        check_equal("comparing scan of a standalone",
                    content(holdfast, judge["snapshot"]["id"]),
                    content(holdfast, compared["snapshot"]["id"]))


def restored(server, holdfast, snapshot):
    target = harness.raw_database(server.uri, "again")
    target.client.drop_database("again")
    holdfast.run("restore", snapshot, "--collection", "shop.*", "--as", "again", "--yes")
    return harness.read_digests(target)


def many_in_a_row(server, holdfast):
    database = harness.raw_database(server.uri, "shop")
    database["row"].insert_many([{"_id": i, "n": 0, "pad": "x" * 200} for i in range(1000)])
    backup(holdfast)
    for number in range(INCREMENTALS):
        database["row"].update_many({"_id": {"$gte": number * 7, "$lt": number * 7 + 9}},
                                    {"$set": {"n": number}})
        database["row"].insert_one({"_id": 5000 - number})
        database["row"].delete_one({"_id": 999 - number})
        last = backup(holdfast, "--incremental", "--no-optimize")
        assert last["snapshot"]["kind"] == "incremental" and not last["findings"], last
    live = harness.read_digests(database)
    snapshot = last["snapshot"]["id"]
    before = content(holdfast, snapshot)
    assert restored(server, holdfast, snapshot) == live, "64 layers do not restore right"
    optimized = holdfast.result("optimize", snapshot)
    assert optimized["layers_after"] < optimized["layers_before"], optimized
    assert content(holdfast, snapshot) == before, "optimize changed the content"
    assert restored(server, holdfast, snapshot) == live, "optimized it does not restore right"
    report = holdfast.result("verify", "--read-data")
    assert not report.get("damage"), report
    print(f"  {INCREMENTALS} incrementals in a row restore right, and after optimize "
          f"({optimized['layers_before']} to {optimized['layers_after']} layers) too", flush=True)


def damaged_parent(server, holdfast):
    backup(holdfast, "--independent")
    newest = max(holdfast.repository.glob("**/segments/*"), key=lambda f: f.stat().st_mtime_ns)
    newest.chmod(0o600)
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    output = holdfast.run("backup", *scope(), expect=4)
    assert "FOUND" in output, output
    outcome = backup(holdfast)
    assert not outcome["findings"], outcome
    live = harness.read_digests(harness.raw_database(server.uri, "shop"))
    assert restored(server, holdfast, outcome["snapshot"]["id"]) == live
    print("  a damaged parent: found, exit code 4, put right", flush=True)


def main():
    harness.require_program()
    kind = find_server()
    options = ["--oplog-max-entries", "1000000"] if kind == "rust" else []
    with TestServer.start(kind, options=options) as server:
        for seed in (1, 2):
            with harness.temporary_folder() as folder:
                holdfast = harness.Holdfast(folder, server.uri)
                holdfast.init()
                for name in DATABASES:
                    harness.raw_database(server.uri, name).client.drop_database(name)
                all_ways(server, holdfast, seed)
        with harness.temporary_folder() as folder:
            holdfast = harness.Holdfast(folder, server.uri)
            holdfast.init()
            many_in_a_row(server, holdfast)
            damaged_parent(server, holdfast)
    if kind == "mongod":
        print("  (a small log and a standalone are tested on SecantusDB's servers)")
    else:
        with harness.temporary_folder() as folder:
            comparing_scan(kind, folder)
        with harness.temporary_folder() as folder:
            of_a_standalone(kind, folder)
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
