#!/usr/bin/env python3
"""What comes back is what was: the server's own `dbHash` (an oracle that is not ours) of every
collection agrees between the source and the restored database, for documents of every BSON type,
odd keys, odd names and odd sizes; where the server has no dbHash, the raw bytes are compared alone.
"""

import datetime
import random
import struct
import sys

import bson
import pymongo
from bson import (Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex,
                  Timestamp)
from bson.raw_bson import RawBSONDocument

import harness
from server import TestServer, find_server

DATABASE = "odd"
LARGEST = 16 * 1024 * 1024
SEED = 20261123


def scalar(dice):
    return dice.choice([
        lambda: dice.uniform(-1e300, 1e300), lambda: float("nan"), lambda: float("-inf"),
        lambda: -0.0,
        lambda: "متن فارسی " * dice.randrange(4), lambda: "", lambda: "nul\0inside",
        lambda: Binary(dice.randbytes(dice.randrange(40)), dice.choice([0, 1, 3, 5, 128])),
        lambda: ObjectId(dice.randbytes(12)), lambda: dice.random() < 0.5,
        lambda: datetime.datetime(1960, 1, 1) + datetime.timedelta(days=dice.randrange(60000)),
        lambda: None, lambda: Regex("^a.*b$", "imx"), lambda: Code("function () {}"),
        lambda: Code("x", {"x": 1}), lambda: dice.randrange(-2**31, 2**31),
        lambda: Timestamp(dice.randrange(1, 2**32), dice.randrange(2**32)),
        lambda: Timestamp(0, 0), lambda: Int64(dice.randrange(-2**63, 2**63)),
        lambda: Decimal128(dice.choice(["1.10", "-0", "NaN", "Infinity", "9E+6144", "1E-6176"])),
        lambda: MinKey(), lambda: MaxKey(), lambda: DBRef("users", 7)])()


def value(dice, depth):
    kind = dice.randrange(8)
    if depth > 0 and kind == 0:
        return document(dice, depth - 1)
    if depth > 0 and kind == 1:
        return [value(dice, depth - 1) for _ in range(dice.randrange(5))]
    return scalar(dice)


def document(dice, depth=3):
    names = ["a", "b", "نام", "with space", "0", "12", "x" * 60, "dotted.name", "$dollar"]
    return {name: value(dice, depth) for name in dice.sample(names, dice.randrange(len(names)))}


def element(kind, name, data):
    return bytes([kind]) + name.encode() + b"\0" + data


def raw(*elements):
    body = b"".join(elements)
    return RawBSONDocument(struct.pack("<i", len(body) + 5) + body + b"\0")


def int32(name, number):
    return element(0x10, name, struct.pack("<i", number))


def deprecated_types():
    """What pymongo no longer makes: undefined, symbol, DBPointer, old binary, repeated names."""
    text = struct.pack("<i", 4) + b"abc\0"
    return [raw(int32("_id", 1), element(0x06, "undefined", b"")),
            raw(int32("_id", 2), element(0x0E, "symbol", text)),
            raw(int32("_id", 3), element(0x0C, "pointer", text + b"0123456789ab")),
            raw(int32("_id", 4), element(0x05, "old", struct.pack("<iBi", 7, 2, 3) + b"xyz")),
            raw(int32("_id", 5), int32("twice", 1), int32("twice", 2)),
            raw(int32("late", 1), int32("_id", 6))]


def nested(depth):
    found = {"leaf": 1}
    for _ in range(depth):
        found = {"n": found}
    return found


def odd_keys():
    return [1, Int64(2), 3.5, float("nan"), float("inf"), Decimal128("4.25"), "", "key", "کلید",
            {"a": 1}, {"a": {"b": [1, 2]}}, {}, Binary(b"xyz", 0), Binary(b"0123456789abcdef", 4),
            ObjectId(b"0123456789ab"), True, False, datetime.datetime(1970, 1, 1), None,
            Timestamp(5, 6), MinKey(), MaxKey(), Code("f")]


def insert_each(collection, documents):
    """Inserts what the server takes, one by one; returns how many it refused."""
    refused = 0
    for one in documents:
        try:
            collection.insert_one(one)
        except pymongo.errors.OperationFailure:
            refused += 1
    return refused


def fill(database):
    dice = random.Random(SEED)
    refused = insert_each(database.generated,
                          ({"_id": n, **document(dice)} for n in range(400)))
    refused += insert_each(database.keys,
                           ({"_id": key, "n": n} for n, key in enumerate(odd_keys())))
    refused += insert_each(database.deprecated, deprecated_types())
    refused += insert_each(database.deep, [{"_id": 1, **nested(90)}])
    overhead = len(bson.encode({"_id": 1, "pad": b""}))
    insert_each(database.large, [{"_id": n, "pad": b"\x55" * (LARGEST - overhead - n)}
                                 for n in range(3)])
    for name in ("a/b", "with space", "percent%41", "نام فارسی", "Case", "case", "plus+",
                 "x" * (255 - len(DATABASE) - 1)):
        refused += insert_each(database[name], [{"_id": name, "here": True}])
    database.create_collection("empty")
    database.create_collection("capped", capped=True, size=100_000)
    database.capped.insert_many([{"_id": n, "n": n} for n in (3, 1, 2)])
    database.create_collection("collated", collation={"locale": "fr", "strength": 2})
    database.collated.insert_many([{"_id": "b"}, {"_id": "A"}, {"_id": "é"}])
    database.create_collection("clustered", clusteredIndex={"key": {"_id": 1}, "unique": True})
    database.clustered.insert_many([{"_id": n} for n in (9, 4, 7)])
    database.create_collection("strict", validator={"n": {"$gte": 0}})
    database.strict.insert_one({"_id": 1, "n": 1})
    database.create_collection("view", viewOn="generated", pipeline=[{"$match": {"_id": 1}}])
    database.generated.create_index([("a", 1), ("b", -1)], sparse=True)
    database.keys.create_index("n", unique=True, partialFilterExpression={"n": {"$gt": 3}})
    database.strict.create_index("when", expireAfterSeconds=3600)
    return refused


def hashes(client, name):
    reply = client[name].command("dbHash")
    return {collection: value for collection, value in reply["collections"].items()
            if not collection.startswith("system.")}


def bytes_of(uri, name):
    """Raw documents by collection, in natural order where that counts, else by key."""
    database = harness.raw_database(uri, name)
    found = {}
    for info in database.list_collections():
        collection = info["name"]
        if info.get("type") == "view" or collection.startswith("system."):
            continue
        documents = [harness.digest(one.raw) for one in database[collection].find({}, batch_size=2)]
        found[collection] = documents if collection == "capped" else sorted(documents)
    return found


def main():
    harness.require_program()
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        client = pymongo.MongoClient(server.uri, directConnection=True)
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        refused = fill(client[DATABASE])
        print(f"{refused} documents are of kinds that this server takes no more", flush=True)
        assert refused < 60, "too little is left to be a test"
        before = bytes_of(server.uri, DATABASE)
        try:
            server_hashes = hashes(client, DATABASE)
        except pymongo.errors.OperationFailure:
            server_hashes = None
        options = {info["name"]: info.get("options", {})
                   for info in client[DATABASE].list_collections()}
        holdfast.run("backup", "--database", DATABASE)
        holdfast.run("verify", "--read-data")
        for target, arguments in (("two", ["--as", "two"]), (DATABASE, [])):
            if target == DATABASE:
                client.drop_database(DATABASE)
            holdfast.run("restore", "latest", "--yes", *arguments)
            after = bytes_of(server.uri, target)
            assert after == before, {name for name in before if after.get(name) != before[name]}
            assert {info["name"]: info.get("options", {})
                    for info in client[target].list_collections()} == options
            if server_hashes is not None:
                assert hashes(client, target) == server_hashes
        documents = sum(map(len, before.values()))
        print(f"{len(before)} collections, {documents} documents: the same, "
              f"{'dbHash too' if server_hashes is not None else 'this server has no dbHash'}")
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
