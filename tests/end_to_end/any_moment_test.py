#!/usr/bin/env python3
"""`restore --at T:I` brings back any moment of a recorded workload, byte for byte.

A few moments, by the command line and into a server; moments_test looks at a thousand, inside the
repository. The record (moment_workload.py) shares no code with the fold. HOLDFAST_SEEDS=1,2,7
chooses the seeds.
"""

import os
import random
import sys

import bson

import harness
from moment_record import make_record
from moment_workload import unpacked
from server import TestServer, find_server

MOMENTS = 12
OPERATIONS = {"rust": 300, "python": 120, "mongod": 300}


def compare(uri, wanted):
    """Returns (documents, documents of another order of fields)."""
    target = harness.raw_database(uri, "check")
    names = {info["name"] for info in target.list_collections()}
    expected = {ns.split(".", 1)[1] for ns in wanted}
    assert names - {"system.views"} == expected, (names, expected)
    count = other_order = 0
    for ns, (info, documents) in wanted.items():
        if info["type"] == "view":
            continue
        found = {harness.key_bytes(raw): raw.raw
                 for raw in target[ns.split(".", 1)[1]].find({})}
        assert set(found) == set(documents), (ns, set(found) ^ set(documents))
        for key, raw in documents.items():
            count += 1
            if found[key] == raw:
                continue
            assert bson.decode(found[key]) == bson.decode(raw), (
                ns, bson.decode(found[key]), bson.decode(raw))
            other_order += 1
    return count, other_order


def restore(holdfast, uri, moment):
    time = unpacked(moment)
    harness.raw_database(uri, "check").client.drop_database("check")
    return holdfast.result("restore", "--at", f"{time.time}:{time.inc}", "--collection", "shop.*",
                           "--as", "check", "--yes")


def check(server, kind, folder, seed):
    holdfast, work, times = make_record(server, kind, folder, seed, OPERATIONS[kind], 60,
                                        only_first=seed % 2 == 0)
    count = other_order = 0
    chosen = sorted(random.Random(seed).sample(times, min(MOMENTS, len(times))))
    for moment in chosen:
        wanted = {ns: content for ns, content in work.record.state(moment).items()
                  if ns.startswith("shop.")}
        if not wanted:
            continue
        outcome = restore(holdfast, server.uri, moment)
        documents, reordered = compare(server.uri, wanted)
        uncertain = outcome["moment"]["order_uncertain"]
        assert reordered <= uncertain, (moment, reordered, "orders of fields lost unmarked")
        count, other_order = count + documents, other_order + reordered
    print(f"  seed {seed}: {len(chosen)} moments restored, {count} documents as recorded, "
          f"{other_order} of another order of fields, each marked", flush=True)


def main():
    harness.require_program()
    kind = find_server()
    seeds = [int(seed) for seed in os.environ.get("HOLDFAST_SEEDS", "11,12").split(",")]
    options = ["--oplog-max-entries", "1000000"] if kind == "rust" else []
    for seed in seeds:
        with TestServer.start(kind, options=options) as server:
            with harness.temporary_folder() as folder:
                check(server, kind, folder, seed)
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
