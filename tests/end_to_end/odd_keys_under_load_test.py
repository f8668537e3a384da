#!/usr/bin/env python3
"""Collections whose keys tempt a scan in ranges to lose something are exact under load: keys of all
types with NaN among them, strings under a collation, and strings, UUIDs, dates and ObjectIds that
are large enough to be split into ranges. The model is that of recorded_model.py.
"""

import datetime
import random
import sys
import threading
import uuid

import bson
import pymongo
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from bson.raw_bson import RawBSONDocument

import harness
from cut_proxy import Proxy, port_of
from recorded_model import Model, compare
from server import TestServer, find_server

DATABASE = "keys"
PAD = 8000
DOCUMENTS = 9000  # of about 8 kB: more than two ranges of 32 MiB each
BYTES_PER_SECOND = 40_000_000
MINIMUM_CHANGED = 300


def mixed_key(dice):
    return dice.choice([
        lambda: dice.randrange(-10**6, 10**6), lambda: Int64(dice.randrange(2**60)),
        lambda: dice.uniform(-1e6, 1e6), lambda: Decimal128(f"{dice.randrange(10**9)}.5"),
        lambda: "س" + str(dice.randrange(10**6)), lambda: {"a": dice.randrange(10**6)},
        lambda: Binary(dice.randbytes(dice.randrange(1, 20)), 0), lambda: object_id_key(dice),
        lambda: datetime.datetime(1990, 1, 1) + datetime.timedelta(seconds=dice.randrange(10**9)),
        lambda: Timestamp(dice.randrange(1, 2**31), 1)])()


def object_id_key(dice):
    return ObjectId(dice.randbytes(12))


def text_key(dice):
    return "".join(dice.choice("abcxyzABCXYZéßسش0129-_ ") for _ in range(dice.randrange(4, 18)))


def date_key(dice):
    return datetime.datetime(1950, 1, 1) + datetime.timedelta(milliseconds=dice.randrange(10**13))


MAKERS = {
    "mixed": mixed_key, "collated": text_key, "strings": text_key, "dates": date_key,
    "object_ids": object_id_key,
    "uuids": lambda dice: Binary.from_uuid(uuid.UUID(bytes=dice.randbytes(16))),
}
# Written to no more: servers differ in what a filter for some of these finds.
ALWAYS = [float("nan"), float("inf"), None, True, MinKey(), MaxKey(), -0.0, ""]
BATCH = 500


def document(dice, key):
    return RawBSONDocument(bson.encode({"_id": key, "n": dice.randrange(10**9),
                                        "pad": b"\x55" * PAD}))


def fill(database, dice):
    """Returns {collection: the keys that were made up for it}."""
    database.create_collection("collated", collation={"locale": "en", "strength": 2})
    insert(database.mixed, [document(dice, key) for key in ALWAYS])
    return {name: [key for _ in range(DOCUMENTS // BATCH)
                   for key in insert_keys(database[name], dice, [make(dice) for _ in range(BATCH)])]
            for name, make in MAKERS.items()}


def insert_keys(collection, dice, keys):
    """Returns the keys that were not there already (under the collation, say)."""
    refused = insert(collection, [document(dice, key) for key in keys])
    return [key for place, key in enumerate(keys) if place not in refused]


def insert(collection, documents):
    try:
        collection.insert_many(documents, ordered=False)
    except pymongo.errors.BulkWriteError as error:
        assert all(one["code"] == 11000 for one in error.details["writeErrors"]), error.details
        return {one["index"] for one in error.details["writeErrors"]}
    return set()


class Writer(threading.Thread):
    """Writes single documents of its own share of the keys until it is told to stop, and records
    what each write left behind."""

    def __init__(self, uri, keys, dice, share):
        super().__init__(daemon=True)
        self.client = pymongo.MongoClient(uri, directConnection=True)
        self.keys = {name: some[share::2] for name, some in keys.items()}
        self.dice, self.share = dice, share
        self.entries, self.stop, self.failure = [], threading.Event(), None

    def run(self):
        try:
            with self.client.start_session(causal_consistency=False) as session:
                self.client[DATABASE].command("ping", session=session)
                while not self.stop.is_set():
                    self.write(session)
        except BaseException as error:  # told by the main thread
            self.failure = error

    def write(self, session):
        name = self.dice.choice(list(self.keys))
        collection = self.client[DATABASE][name]
        since = session.operation_time
        kind = self.dice.randrange(10)
        key, after = self.dice.choice(self.keys[name]), None
        if kind < 2:
            collection.delete_one({"_id": {"$eq": key}}, session=session)
        elif kind < 4 and name != "collated":
            key = MAKERS[name](self.dice)
            after = document(self.dice, key)
            try:
                collection.insert_one(after, session=session)
            except pymongo.errors.DuplicateKeyError:
                return
        else:
            after = document(self.dice, key)
            done = collection.replace_one({"_id": {"$eq": key}}, after, session=session)
            if done.matched_count == 0:
                return
        self.entries.append((name, bson.encode({"": key}), since, session.operation_time,
                             after and after.raw))


def record_of(model, writers):
    entries = {}
    for writer in writers:
        for name, key, since, until, after in writer.entries:
            entries.setdefault((name, key), []).append((since, until, after))
    # A key may be written by both: in the order of their times.
    model.entries = {key: sorted(versions, key=lambda one: one[1])
                     for key, versions in entries.items()}
    model.count = sum(map(len, entries.values()))


def main():
    harness.require_program()
    kind = find_server()
    if kind == "python":
        harness.skip("the Python server is too slow for a load that counts")
    dice = random.Random(20261125)
    with TestServer.start(kind) as server, harness.temporary_folder() as folder:
        client = pymongo.MongoClient(server.uri, directConnection=True)
        keys = fill(client[DATABASE], dice)
        model = Model(harness.read_digests(harness.raw_database(server.uri, DATABASE)))
        proxy = Proxy(port_of(server))
        holdfast = harness.Holdfast(folder, proxy.uri)
        holdfast.init()
        proxy.bytes_per_second = BYTES_PER_SECOND
        writers = [Writer(server.uri, keys, random.Random(share), share) for share in range(2)]
        for writer in writers:
            writer.start()
        backup = holdfast.result("backup", "--database", DATABASE)
        for writer in writers:
            writer.stop.set()
            writer.join(60)
            assert writer.failure is None, writer.failure
        proxy.bytes_per_second = None
        record_of(model, writers)
        moment = harness.cluster_time(backup["snapshot"])
        assert backup["changed_after_scan"] >= MINIMUM_CHANGED, backup
        holdfast.run("restore", "latest", "--as", "again", "--yes")
        compared, other_order, wrong = compare(
            model, harness.raw_database(server.uri, "again"), moment)
        for key, states, raw in wrong[:3]:
            print("  wrong:", key, "expected one of",
                  [state and len(state) for state in states], "restored", raw and len(raw))
        assert not wrong and not other_order, f"{len(wrong)} documents are not as they were"
        print(f"{compared} documents in {len(MAKERS)} collections at {moment.time}:{moment.inc}, "
              f"{model.count} writes, {backup['changed_after_scan']} documents changed after their "
              "scan: exact")
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
