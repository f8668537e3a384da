#!/usr/bin/env python3
"""Connections are cut at many moments of a backup and of a restore, and the server goes away and
comes back: either the command retries and its result is right, or it ends with a clear message
and exit code and nothing is lost. HOLDFAST_AWAY: seconds the server is gone (20 in CI, else 4).
"""

import os
import random
import sys
import time

import pymongo

import harness
from cut_proxy import Proxy, port_of
from server import TestServer, find_server

DATABASE = "shop"
AWAY = float(os.environ.get("HOLDFAST_AWAY", 20 if os.environ.get("CI") == "true" else 4))


def finish(process):
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def check_backup(holdfast, live, code, output, errors):
    """A backup that says it succeeded holds what the (quiet) server holds."""
    if code != 0:
        assert code == 1 and "error" in errors.lower(), (code, output, errors)
        return False
    snapshot = harness.last_result(output)["snapshot"]
    assert snapshot["documents"] == live, (snapshot, live)
    assert snapshot["consistency"]["kind"] == "exact", snapshot
    return True


def cut_backups(holdfast, proxy, live):
    dice = random.Random(7)
    good = 0
    cuts = [500, 5_000, 20_000, 100_000] + [dice.randrange(100_000, 12_000_000) for _ in range(8)]
    for size in cuts:
        proxy.cut_after = size
        code, output, errors = finish(holdfast.start("backup", "--database", DATABASE, "--json"))
        good += check_backup(holdfast, live, code, output, errors)
    proxy.cut_after = None
    report = holdfast.result("verify", "--read-data")
    assert not report.get("damage"), report
    print(f"{proxy.cuts} cuts in {len(cuts)} backups: {good} succeeded all the same, the others "
          "said why", flush=True)
    assert good > 0 and proxy.cuts > len(cuts) // 2


def cut_restores(holdfast, proxy, client):
    dice = random.Random(8)
    good = 0
    cuts = [5_000] + [dice.randrange(100_000, 20_000_000) for _ in range(7)]
    for size in cuts:
        client.drop_database("again")
        proxy.cut_after = size
        code, output, errors = finish(
            holdfast.start("restore", "latest", "--as", "again", "--yes"))
        if code == 0:
            assert "identical with snapshot" in output, output
            good += 1
        else:
            assert code in (1, 3, 4) and "identical with snapshot" not in output, (code, output)
            assert "error" in errors.lower() or code in (3, 4), errors
    proxy.cut_after = None
    client.drop_database("again")
    holdfast.run("restore", "latest", "--as", "again", "--yes")
    print(f"{len(cuts)} restores with a cut: {good} identical all the same, the others said why; "
          "again without: identical", flush=True)


def server_goes_away(kind, storage, server, holdfast, proxy, live):
    proxy.bytes_per_second = 2_000_000
    process = holdfast.start("backup", "--database", DATABASE, "--workers", "1", "--json")
    time.sleep(3)
    assert process.poll() is None, finish(process)
    server.stop()
    proxy.cut()
    time.sleep(AWAY)
    server = TestServer.start(kind, storage=storage)
    proxy.upstream, proxy.bytes_per_second = port_of(server), None
    code, output, errors = finish(process)
    succeeded = check_backup(holdfast, live, code, output, errors)
    print(f"the server was away for {AWAY:g} s: the backup "
          f"{'went on and is right' if succeeded else 'ended with: ' + errors.strip()[-200:]}",
          flush=True)
    again = holdfast.result("backup", "--database", DATABASE)["snapshot"]
    assert again["documents"] == live
    return server


def main():
    harness.require_program()
    kind = find_server()
    if kind == "python":
        harness.skip("the Python server is too slow for a test of many backups")
    with harness.temporary_folder() as folder:
        storage = f"{folder}/server"
        server = TestServer.start(kind, storage=storage)
        try:
            proxy = Proxy(port_of(server))
            holdfast = harness.Holdfast(folder, proxy.uri)
            holdfast.init()
            holdfast.run("smokava", "seed", "--database", DATABASE, "--userpackages", "4000")
            client = pymongo.MongoClient(server.uri, directConnection=True)
            live = sum(client[DATABASE][name].count_documents({})
                       for name in client[DATABASE].list_collection_names()
                       if not name.startswith("system."))
            cut_backups(holdfast, proxy, live)
            holdfast.run("backup", "--database", DATABASE)
            cut_restores(holdfast, proxy, client)
            server = server_goes_away(kind, storage, server, holdfast, proxy, live)
        finally:
            server.stop()
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
