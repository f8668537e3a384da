"""A dump with everything odd in it, and what the tests of `export` and `import` share."""

import datetime
import subprocess
import unittest
import uuid
from pathlib import Path

import bson

import harness
from dump_format import Dumped
from harness import PROGRAM
from server import TestServer, find_server

LONG_NAME = "odd/" + "é%" * 60
ODD_NAMES = ["plain", "with space", "a+b", "50%", "slash/inside", "line\nbreak", "نگه‌دار", "UPPER",
             "upper", "dot.ted", "~tilde-_", LONG_NAME]


def every_type():
    """One document with every type that a server stores, and odd values of them."""
    return bson.encode({
        "_id": {"part": 1, "other": "x"},
        "double": 1.5, "nan": float("nan"), "infinity": float("-inf"), "minus_zero": -0.0,
        "string": "سلام\x00nul", "empty": "",
        "document": {"deep": {"deeper": [1, [2, {"x": None}]]}},
        "array": [], "binary": bson.Binary(b"\x00\xff", 0), "old": bson.Binary(b"\x01\x02", 2),
        "uuid": bson.Binary.from_uuid(uuid.UUID(int=7)), "user": bson.Binary(b"u", 128),
        "object_id": bson.ObjectId("5f5f5f5f5f5f5f5f5f5f5f5f"), "true": True,
        "date": datetime.datetime(2026, 3, 20, 12, 30, 15, 501000), "null": None,
        "early": bson.DatetimeMS(-62135596800001), "regex": bson.Regex("^a.*b$", "imsx"),
        "reference": bson.DBRef("users", 5, "shop"), "code": bson.Code("function() {}"),
        "scoped": bson.Code("f()", {"x": 1}), "int32": 5, "int64": bson.Int64(5),
        "large": 9007199254740993, "timestamp": bson.Timestamp(4, 12),
        "decimal": bson.Decimal128("1.50E+6"), "decimal_nan": bson.Decimal128("NaN"),
        "min": bson.MinKey(), "max": bson.MaxKey(), "a.b": 1, "$odd": 2, "": 3})


def deprecated_types():
    """undefined, a DBPointer, a symbol, a repeated name: what pymongo does not write."""
    pointer = b"\x0cp\x00" + (2).to_bytes(4, "little") + b"u\x00" + bytes(range(12))
    symbol = b"\x0es\x00" + (4).to_bytes(4, "little") + b"sym\x00"
    body = b"\x10_id\x00" + (9).to_bytes(4, "little") + b"\x06u\x00" + pointer + symbol
    body += b"\x10twice\x00\x01\x00\x00\x00\x10twice\x00\x02\x00\x00\x00\x00"
    return (len(body) + 4).to_bytes(4, "little") + body


def numbered(count, start=0):
    return [bson.encode({"_id": i, "name": f"user {i}", "sum": bson.Int64(i * 10)})
            for i in range(start, start + count)]


ID_INDEX = {"v": 2, "key": {"_id": 1}, "name": "_id_"}


def metadata(name, kind="collection", options=None, indexes=None):
    found = {"options": options or {}, "indexes": [ID_INDEX] if indexes is None else indexes,
             "collectionName": name, "type": kind}
    if kind == "collection":
        found["uuid"] = uuid.uuid5(uuid.NAMESPACE_DNS, name).hex
    return found


def sample_dump():
    dump = {}
    for number, name in enumerate(ODD_NAMES):
        dump["shop", name] = Dumped(metadata(name), numbered(5, number * 100))
    dump["shop", "types"] = Dumped(metadata("types"), [every_type(), deprecated_types()])
    dump["shop", "empty"] = Dumped(metadata("empty"))
    dump["shop", "unsorted"] = Dumped(metadata("unsorted"), list(reversed(numbered(500))))
    dump["shop", "capped"] = Dumped(
        metadata("capped", options={"capped": True, "size": 1048576, "max": 100}),
        [numbered(3)[i] for i in (2, 0, 1)])
    dump["shop", "collated"] = Dumped(
        metadata("collated", options={"collation": {"locale": "sv", "strength": 2}},
                 indexes=[{**ID_INDEX, "collation": {"locale": "sv", "strength": 2}},
                          {"v": 2, "key": {"name": 1}, "name": "name_1", "unique": True,
                           "collation": {"locale": "sv", "strength": 2}}]),
        [bson.encode({"_id": key, "name": key}) for key in ("b", "ö", "a", "z")])
    dump["shop", "validated"] = Dumped(
        metadata("validated", options={"validator": {"$jsonSchema": {
            "required": ["name"], "properties": {"name": {"bsonType": "string"}}}},
            "validationLevel": "moderate"}),
        [bson.encode({"_id": 1, "no_name": True})])
    dump["shop", "indexed"] = Dumped(
        metadata("indexed", indexes=[
            ID_INDEX, {"v": 2, "key": {"a": 1, "b": -1}, "name": "a_1_b_-1", "unique": True},
            {"v": 2, "key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 86400},
            {"v": 2, "key": {"c": 1}, "name": "c_1", "sparse": True},
            {"v": 2, "key": {"d": 1}, "name": "d_1",
             "partialFilterExpression": {"d": {"$gt": 5}}}]),
        [bson.encode({"_id": i, "a": i, "b": i}) for i in range(3)])
    dump["shop", "seen"] = Dumped(
        metadata("seen", kind="view", options={"viewOn": "plain", "pipeline": [
            {"$match": {"_id": {"$gt": 1}}}]}, indexes=[]))
    dump["other", "plain"] = Dumped(metadata("plain"), numbered(2))
    return dump


def by_key(documents):
    return sorted(documents)


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = TestServer.start(find_server())
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        folder = harness.temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.holdfast = harness.Holdfast(folder.name, self.server.uri)
        # A key file: no password is stretched at every one of many calls.
        key = Path(folder.name) / "key"
        key.write_bytes(b"0123456789abcdef" * 4)
        key.chmod(0o600)
        del self.holdfast.environment["HOLDFAST_PASSWORD_FILE"]
        self.holdfast.environment["HOLDFAST_KEY_FILE"] = str(key)
        self.holdfast.init()
        self.client = harness.raw_database(self.server.uri, "shop").client
        for name in self.client.list_database_names():
            if name not in ("admin", "config", "local"):
                self.client.drop_database(name)

    def pipe(self, *arguments, data=b"", expect=0):
        done = subprocess.run([PROGRAM, *map(str, arguments)], env=self.holdfast.environment,
                              input=data, capture_output=True, check=False)
        self.assertEqual(done.returncode, expect, done.stderr.decode())
        return done.stdout
