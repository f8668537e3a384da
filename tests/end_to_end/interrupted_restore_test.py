#!/usr/bin/env python3
"""A restore that ends in its middle, by Ctrl-C, by SIGTERM or by a kill, has touched no collection
of which the successor is not complete, says how to go on, and comes to its end when it is run
again as it said."""

import random
import signal
import subprocess
import sys

import pymongo

import harness
from cut_proxy import Proxy, port_of
from server import TestServer, find_server

DATABASE = "shop"
COLLECTIONS = ("a", "b", "c")
BYTES_PER_SECOND = 4_000_000
SECONDS = 6  # longer than any restore through such a connection takes
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}


def fill(database, pad):
    for name in COLLECTIONS:
        database[name].insert_many([{"_id": n, "pad": pad * 1000} for n in range(3000)])
        database[name].create_index("pad")


def states(database):
    """{collection: digests of its documents}"""
    found = {name: [] for name in database.list_collection_names()}
    for (name, _), digest in harness.read_digests(database).items():
        found[name].append(digest)
    return {name: sorted(digests) for name, digests in found.items()}


def interrupted(holdfast, proxy, after, number, *arguments):
    """Whether it was still at work when the signal came, and what it said."""
    proxy.bytes_per_second = BYTES_PER_SECOND
    process = holdfast.start("restore", "latest", *arguments)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    proxy.bytes_per_second = None
    assert process.returncode in (0, CODES[number]), (process.returncode, output, errors)
    if process.returncode == 0:
        return False, output
    assert "identical with snapshot" not in output, output
    return True, errors


def replacing(holdfast, proxy, database, old, new):
    """--drop: each collection is the old or the new one, whole, at every moment."""
    dice = random.Random(3)
    count, mixed = 0, 0
    for number in list(CODES) * 3:
        database.client.drop_database(DATABASE)
        fill(database, "y")
        was_interrupted, errors = interrupted(holdfast, proxy, dice.uniform(0.1, SECONDS), number,
                                              "--drop", "--yes")
        count += was_interrupted
        found = states(database)
        for name in COLLECTIONS:
            assert found[name] in (old[name], new[name]), f"{name} is neither old nor new"
        mixed += len({found[name] == old[name] for name in COLLECTIONS}) == 2
        if was_interrupted and number != signal.SIGKILL and "collections are done" in errors:
            assert "run it again with the same words" in errors, errors
        holdfast.run("restore", "latest", "--drop", "--yes")
        assert states(database) == new, "not the snapshot, or something is left over"
    print(f"--drop: interrupted {count} times, {mixed} of them between two collections; each was "
          "old or new, and the second run came to its end", flush=True)
    assert count >= 3


def creating(holdfast, proxy, client, new):
    """Where nothing was: what was begun stands there, and --drop goes over it."""
    dice = random.Random(4)
    count = 0
    for number in CODES:
        client.drop_database("again")
        was_interrupted, errors = interrupted(holdfast, proxy, dice.uniform(0.5, SECONDS / 2),
                                              number, "--as", "again")
        count += was_interrupted
        if was_interrupted and number != signal.SIGKILL:
            assert "run it again with --drop" in errors, errors
        holdfast.run("restore", "latest", "--as", "again", "--drop", "--yes")
        assert states(harness.raw_database(holdfast.direct_uri, "again")) == new
    print(f"into nothing: interrupted {count} times; --drop came to the end", flush=True)
    assert count >= 2


def main():
    harness.require_program()
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        proxy = Proxy(port_of(server))
        holdfast = harness.Holdfast(folder, proxy.uri)
        holdfast.direct_uri = server.uri
        holdfast.init()
        client = pymongo.MongoClient(server.uri, directConnection=True)
        database = harness.raw_database(server.uri, DATABASE)
        fill(client[DATABASE], "y")
        old = states(database)
        client.drop_database(DATABASE)
        fill(client[DATABASE], "x")
        new = states(database)
        holdfast.run("backup", "--database", DATABASE)
        replacing(holdfast, proxy, database, old, new)
        creating(holdfast, proxy, client, new)
        report = holdfast.result("verify", "--read-data")
        assert report["whole"], report
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
