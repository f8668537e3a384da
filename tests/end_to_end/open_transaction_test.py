#!/usr/bin/env python3
"""A transaction that is held open across a whole backup is in the snapshot whole or not at all,
together with everything that was committed before the snapshot's cluster time."""

import sys
import threading
import time

import pymongo

import harness
from server import TestServer, find_server

DATABASE = "bank"


def prepare(client):
    accounts = client[DATABASE].accounts
    accounts.insert_many([{"_id": n, "balance": 100, "pad": "x" * 500} for n in range(5000)])
    client[DATABASE].notes.insert_one({"_id": "before"})


def transfer(session, accounts, source, target):
    accounts.update_one({"_id": source}, {"$inc": {"balance": -30}}, session=session)
    accounts.update_one({"_id": target}, {"$inc": {"balance": 30}}, session=session)


def back_up_around(server, holdfast, finish):
    """Writes one half, backs up, writes the other half meanwhile, and ends the transaction."""
    client = pymongo.MongoClient(server.uri, directConnection=True)
    accounts = client[DATABASE].accounts
    with client.start_session() as session:
        session.start_transaction()
        transfer(session, accounts, 1, 4998)
        client[DATABASE].notes.insert_one({"_id": f"while open, before ({finish})"})
        process = holdfast.start("backup", "--database", DATABASE, "--json")
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(process.stdout))
        reader.start()
        time.sleep(2)
        transfer(session, accounts, 2, 4999)
        client[DATABASE].notes.insert_one({"_id": f"while open, during ({finish})"})
        time.sleep(1)
        getattr(session, finish)()
        process.wait(120)
        reader.join()
        assert process.returncode == 0, (lines, process.stderr.read())
    return harness.last_result("".join(lines))["snapshot"]


def check(server, holdfast, finish):
    snapshot = back_up_around(server, holdfast, finish)
    assert snapshot["consistency"]["kind"] == "exact", snapshot
    holdfast.run("restore", snapshot["id"], "--as", "again", "--yes")
    client = pymongo.MongoClient(server.uri, directConnection=True)
    restored = client.again
    balances = {n: restored.accounts.find_one({"_id": n})["balance"] for n in (1, 2, 4998, 4999)}
    total = sum(document["balance"] for document in restored.accounts.find())
    assert total == 500_000, f"half a transaction: {balances}"
    moved = {n: balance - 100 for n, balance in balances.items() if balance != 100}
    assert moved in ({}, {1: -30, 2: -30, 4998: 30, 4999: 30}), moved
    assert finish == "commit_transaction" or not moved, "an aborted transaction is in the snapshot"
    assert restored.notes.find_one({"_id": f"while open, before ({finish})"}), "a write is lost"
    print(f"{finish}: {'in' if moved else 'not in'} the snapshot, whole", flush=True)
    client.drop_database("again")
    if finish == "commit_transaction":  # as it was, for the next round
        client[DATABASE].accounts.update_many({"_id": {"$in": [1, 2, 4998, 4999]}},
                                              {"$set": {"balance": 100}})


def main():
    harness.require_program()
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        prepare(pymongo.MongoClient(server.uri, directConnection=True))
        check(server, holdfast, "abort_transaction")
        check(server, holdfast, "commit_transaction")
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
