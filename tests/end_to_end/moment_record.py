#!/usr/bin/env python3
"""Makes a repository of backups taken during a recorded workload, for tests of any moment.

    moment_record.py FOLDER KIND SEED OPERATIONS MOMENTS [--only-first]

FOLDER gets the repository, its password, `record.bson` (see moment_workload.py) and `moments`: a
line "seconds increment" for each time to be looked at. `--only-first`: every snapshot but the full
one at the beginning is removed, so that all of the log has to be folded.
"""

import random
import sys
from pathlib import Path

import harness
from moment_workload import DATABASES, Workload, unpacked
from server import TestServer

BACKUPS = 5


def scope():
    return [word for database in DATABASES for word in ("--database", database)]


def packed_time(snapshot):
    time = snapshot["consistency"]["cluster_time"]
    return time["seconds"] << 32 | time["increment"]


def make_record(server, kind, folder, seed, operations, moments, only_first):
    """Returns (Holdfast, Workload, moments)."""
    holdfast = harness.Holdfast(folder, server.uri)
    holdfast.init()
    work = Workload(server.uri, kind, seed)
    work.start_record()
    for _ in range(25):
        work.write()
    work.build_index("shop", "a")
    first = holdfast.result("backup", *scope())["snapshot"]
    later = []
    for number in range(operations):
        work.step()
        if (number + 1) % (operations // BACKUPS) == 0:
            work.settle()
            outcome = holdfast.result("backup", "--incremental", *scope())
            assert not outcome.get("findings"), outcome
            later.append(outcome["snapshot"])
            assert later[-1]["kind"] == "incremental", outcome
    if only_first:
        for snapshot in later:
            holdfast.run("snapshot", "remove", snapshot["id"], "--yes")
    times = work.record.moments(random.Random(seed), moments, packed_time(first),
                                packed_time(later[-1]))
    work.record.write(Path(folder) / "record.bson")
    with open(Path(folder) / "moments", "w", encoding="ascii") as file:
        for moment in times:
            time = unpacked(moment)
            file.write(f"{time.time} {time.inc}\n")
    refused = {what: f"{count} ({why})" for what, (count, why) in work.refused.items()}
    print(f"seed {seed} on the {kind} server: commands {work.commands.hexdigest()[:16]}, "
          f"{len(work.record.entries)} changes, {len(times)} moments\n  {work.counts}\n"
          f"  refused: {refused}", flush=True)
    return holdfast, work, times


def main():
    folder, kind, seed, operations, moments = sys.argv[1:6]
    options = ["--oplog-max-entries", "1000000"] if kind == "rust" else []
    with TestServer.start(kind, options=options) as server:
        make_record(server, kind, folder, int(seed), int(operations), int(moments),
                    "--only-first" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
