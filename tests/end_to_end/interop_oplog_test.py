#!/usr/bin/env python3
"""Dumps with an oplog in mongod's own format, written by hand from its grammar: what `import` makes
of them, with a limit before, on and after every entry."""

import copy
import subprocess
import sys
import unittest
import uuid

import bson
from bson import Timestamp

import dump_format
import harness
from dump_format import Dumped
from dump_samples import ID_INDEX, WithServer, metadata
from harness import PROGRAM

A = uuid.uuid5(uuid.NAMESPACE_DNS, "a")
NEW = uuid.UUID(int=77)
SESSION = uuid.UUID(int=5)


def binary(value):
    return bson.Binary.from_uuid(value)


def ts(seconds, increment=1):
    return Timestamp(seconds, increment)


def entry(at, op, ns, o, o2=None, ui=A, **more):
    found = {"op": op, "ns": ns, "ui": binary(ui), "o": o, "ts": at, "t": bson.Int64(1),
             "v": bson.Int64(2), **more}
    if o2 is not None:
        found["o2"] = o2
    return bson.encode(found)


def operation(op, o, o2=None, ns="shop.a", ui=A):
    found = {"op": op, "ns": ns, "ui": binary(ui), "o": o}
    if o2 is not None:
        found["o2"] = o2
    return found


def in_transaction(number, previous):
    return {"lsid": {"id": binary(SESSION), "uid": bson.Binary(bytes(32))},
            "txnNumber": bson.Int64(number),
            "prevOpTime": {"ts": previous, "t": bson.Int64(-1 if previous.time == 0 else 1)}}


def command(at, o, database="shop", **more):
    found = {"op": "c", "ns": f"{database}.$cmd", "o": o, "ts": at, "v": bson.Int64(2), **more}
    return bson.encode(found)


def apply_ops(at, operations, transaction=None, **more):
    return command(at, {"applyOps": operations, **more}, "admin", **(transaction or {}))


BEGIN = Timestamp(0, 0)
DIFF = lambda difference: {"$v": 2, "diff": difference}


class History:
    """Entries, and the whole state that is visible after each."""

    def __init__(self, state):
        self.state = state
        self.start = copy.deepcopy(state)
        self.entries = []
        self.states = []  # (time at which it became visible, state)

    def add(self, raw, change=None, visible=None):
        self.entries.append(raw)
        if change is not None:
            change(self.state)
            at = visible or bson.decode(raw)["ts"]
            self.states.append((at, copy.deepcopy(self.state)))

    def before(self, limit):
        found = self.start
        for at, state in self.states:
            if at < limit:
                found = state
        return found

    def times(self):
        return sorted({bson.decode(raw)["ts"] for raw in self.entries})


def put(name, document):
    return lambda state: state[name].__setitem__(document["_id"], document)


def remove(name, key):
    return lambda state: state[name].pop(key)


def several(*changes):
    def change(state):
        for one in changes:
            one(state)
    return change


def make_history():
    history = History({"a": {i: {"_id": i, "n": i, "list": [1, 2, 3], "deep": {"x": 1, "y": 2}}
                             for i in range(6)}})
    h = history.add
    h(entry(ts(100), "n", "", {"msg": "new primary"}))
    h(entry(ts(101), "i", "shop.a", {"_id": 10, "new": True}), put("a", {"_id": 10, "new": True}))
    # $v: 1, as servers up to 4.4 write it.
    h(entry(ts(102), "u", "shop.a", {"$v": 1, "$set": {"deep.x": 5, "list.1": "two"},
                                     "$unset": {"n": True}}, {"_id": 1}),
      put("a", {"_id": 1, "list": [1, "two", 3], "deep": {"x": 5, "y": 2}}))
    # $v: 2: every section, arrays cut and padded, differences inside differences.
    h(entry(ts(103), "u", "shop.a", DIFF({
        "d": {"n": False}, "u": {"deep": "plain"}, "i": {"z": 1, "b": 2}}), {"_id": 2}),
      put("a", {"_id": 2, "list": [1, 2, 3], "deep": "plain", "z": 1, "b": 2}))
    h(entry(ts(103, 2), "u", "shop.a", DIFF({
        "slist": {"a": True, "l": 1}, "sdeep": {"d": {"x": False}, "i": {"w": [0]}}}),
            {"_id": 3}),
      put("a", {"_id": 3, "n": 3, "list": [1], "deep": {"y": 2, "w": [0]}}))
    h(entry(ts(104), "u", "shop.a", DIFF({
        "slist": {"a": True, "u5": {"q": 1}}, "sdeep": {"u": {"x": None}}}), {"_id": 3}),
      put("a", {"_id": 3, "n": 3, "list": [1, None, None, None, None, {"q": 1}],
                "deep": {"y": 2, "w": [0], "x": None}}))
    # An inserted field that is there moves to the end: the order of fields is told.
    h(entry(ts(105), "u", "shop.a", DIFF({"i": {"n": 4}}), {"_id": 4}),
      put("a", {"_id": 4, "list": [1, 2, 3], "deep": {"x": 1, "y": 2}, "n": 4}))
    h(entry(ts(106), "u", "shop.a", {"_id": 5, "replaced": True}, {"_id": 5}),
      put("a", {"_id": 5, "replaced": True}))
    h(entry(ts(107), "d", "shop.a", {"_id": 0}), remove("a", 0))
    h(command(ts(108), {"startIndexBuild": "a", "indexes": []}, ui=binary(A)))
    h(command(ts(108, 2), {"create": "made", "idIndex": ID_INDEX}, ui=binary(NEW)),
      lambda state: state.__setitem__("made", {}))
    h(entry(ts(109), "i", "shop.made", {"_id": "first"}, ui=NEW), put("made", {"_id": "first"}))
    # A small transaction, and a large one with another write in its middle.
    h(apply_ops(ts(110), [operation("i", {"_id": 20}), operation("d", {"_id": 10})],
                in_transaction(1, BEGIN)),
      several(put("a", {"_id": 20}), remove("a", 10)))
    h(apply_ops(ts(111), [operation("i", {"_id": 30})], in_transaction(2, BEGIN),
                partialTxn=True))
    h(entry(ts(111, 2), "i", "shop.a", {"_id": 31}), put("a", {"_id": 31}))
    h(apply_ops(ts(112), [operation("i", {"_id": 32})], in_transaction(2, ts(111)), count=2),
      several(put("a", {"_id": 30}), put("a", {"_id": 32})))
    # Prepared: visible at its commit's timestamp; aborted: never.
    h(apply_ops(ts(113), [operation("u", DIFF({"i": {"t": 1}}), {"_id": 20})],
                in_transaction(3, BEGIN), prepare=True))
    h(apply_ops(ts(113, 2), [operation("d", {"_id": 1})],
                {**in_transaction(4, BEGIN), "lsid": {"id": binary(uuid.UUID(int=6))}},
                prepare=True))
    h(command(ts(114, 5), {"commitTransaction": 1, "commitTimestamp": ts(114)}, "admin",
              **in_transaction(3, ts(113))),
      put("a", {"_id": 20, "t": 1}), visible=ts(114))
    h(command(ts(115), {"abortTransaction": 1}, "admin",
              **{**in_transaction(4, ts(113, 2)), "lsid": {"id": binary(uuid.UUID(int=6))}}))
    # A vectored insert (8.0) is no transaction, though it has a number.
    h(apply_ops(ts(116), [operation("i", {"_id": 40}), operation("i", {"_id": 41})],
                {**in_transaction(9, ts(90)), "multiOpType": 1}),
      several(put("a", {"_id": 40}), put("a", {"_id": 41})))
    h(apply_ops(ts(117), [operation("i", {"_id": 42})]), put("a", {"_id": 42}))
    h(command(ts(118), {"renameCollection": "shop.made", "to": "shop.named"}, ui=binary(NEW)),
      lambda state: state.__setitem__("named", state.pop("made")))
    h(entry(ts(119), "i", "shop.named", {"_id": "second"}, ui=NEW),
      put("named", {"_id": "second"}))
    h(entry(ts(119, 2), "i", "config.transactions", {"_id": 1}, ui=uuid.UUID(int=9)))
    h(command(ts(120), {"drop": "named"}, ui=binary(NEW)), lambda state: state.pop("named"))
    # Never ends inside this oplog.
    h(apply_ops(ts(121), [operation("d", {"_id": 4})], in_transaction(11, BEGIN),
                partialTxn=True))
    h(entry(ts(122), "n", "", {"msg": "periodic noop"}))
    return history


def dump_of(state):
    return {("shop", name): Dumped(metadata(name), [bson.encode(one) for one in found.values()])
            for name, found in state.items()}


class Oplog(WithServer):
    def imported(self, data, *options):
        self.pipe("import", "-", *options, data=data)
        found, _ = dump_format.read_archive(
            self.pipe("export", "latest", "--archive", "--to", "-"))
        return {name: {bson.decode(raw)["_id"]: raw for raw in dumped.documents}
                for (_, name), dumped in found.items()}

    def same(self, found, state, what):
        self.assertEqual(set(found), set(state), what)
        for name, documents in state.items():
            self.assertEqual(set(found[name]), set(documents), (what, name))
            for key, document in documents.items():
                # To the byte: the order of fields, too.
                self.assertEqual(found[name][key], bson.encode(document), (what, name, key))

    def test_a_limit_before_on_and_after_every_entry(self):
        history = make_history()
        archive = dump_format.make_archive(dump_of(history.start), oplog=history.entries)
        self.same(self.imported(archive), history.state, "everything")
        for at in history.times():
            # On the entry it is left out; right behind it, and at it with --at, it is in.
            self.same(self.imported(archive, "--oplog-limit", f"{at.time}:{at.inc}"),
                      history.before(at), f"before {at}")
            behind = Timestamp(at.time, at.inc + 1)
            self.same(self.imported(archive, "--oplog-limit", f"{behind.time}:{behind.inc}"),
                      history.before(behind), f"before {behind}")
        for at in history.times()[::5]:
            self.same(self.imported(archive, "--at", f"{at.time}:{at.inc}"),
                      history.before(Timestamp(at.time, at.inc + 1)), f"at {at}")

    def test_over_a_base_that_was_read_later(self):
        # Whatever state of the window a collection was read at, the end is the same.
        history = make_history()
        states = [{"a": state["a"]} for _, state in history.states] + [history.start]
        for state in states[::3]:
            archive = dump_format.make_archive(dump_of(state), oplog=history.entries)
            self.same(self.imported(archive), history.state, state)

    def test_folders_and_old_dumps_without_uuids(self):
        history = make_history()
        for packed in (False, True):
            dump = dump_of(history.start)
            if packed:
                for dumped in dump.values():
                    del dumped.metadata["uuid"]
            folder = self.folder / f"dump-{packed}"
            dump_format.write_folder(folder, dump, packed=packed, oplog=history.entries)
            self.holdfast.run("import", str(folder))
            data = self.pipe("export", "latest", "--archive", "--to", "-")
            found, _ = dump_format.read_archive(data)
            self.assertEqual({bson.decode(raw)["_id"] for raw in found["shop", "a"].documents},
                             set(history.state["a"]))
            shown = self.holdfast.result("show", "latest")
            self.assertEqual(shown["collections"][0]["consistency"]["kind"], "exact", shown)

    def test_changes_of_the_catalog(self):
        index = {"v": 2, "key": {"n": 1}, "name": "n_1"}
        entries = [
            command(ts(10), {"createIndexes": "a", **index}, ui=binary(A)),
            command(ts(11), {"commitIndexBuild": "a", "indexBuildUUID": binary(NEW),
                             "indexes": [{"v": 2, "key": {"m": 1}, "name": "m_1"},
                                         {"v": 2, "key": {"t": 1}, "name": "t_1",
                                          "expireAfterSeconds": 60}]}, ui=binary(A)),
            command(ts(12), {"dropIndexes": "a", "index": "n_1"}, ui=binary(A)),
            command(ts(13), {"collMod": "a", "index": {"name": "t_1",
                                                       "expireAfterSeconds": 90}}, ui=binary(A)),
            command(ts(14), {"collMod": "a", "validator": {"x": {"$gt": 1}}}, ui=binary(A))]
        archive = dump_format.make_archive(dump_of({"a": {1: {"_id": 1}}}), oplog=entries)
        self.pipe("import", "-", data=archive)
        found, _ = dump_format.read_archive(
            self.pipe("export", "latest", "--archive", "--to", "-"))
        described = found["shop", "a"].metadata
        self.assertEqual([one["name"] for one in described["indexes"]], ["_id_", "m_1", "t_1"])
        self.assertEqual(described["indexes"][2]["expireAfterSeconds"], 90)
        self.assertEqual(described["options"]["validator"], {"x": {"$gt": 1}})

    def test_what_nobody_knows_is_refused(self):
        for unknown in (command(ts(10), {"convertToCapped": "a"}, ui=binary(A)),
                        entry(ts(10), "zz", "shop.a", {"_id": 1}),
                        apply_ops(ts(10), [operation("i", {"_id": 7})],
                                  in_transaction(1, ts(9)))):
            archive = dump_format.make_archive(dump_of({"a": {1: {"_id": 1}}}), oplog=[unknown])
            done = subprocess.run([PROGRAM, "import", "-"], env=self.holdfast.environment,
                                  input=archive, capture_output=True, check=False)
            self.assertIn(done.returncode, (1, 4), done.stderr)
            self.assertIn(b"oplog", done.stderr)
        self.assertEqual(self.holdfast.result("snapshots")["snapshots"], [])

    def test_a_dump_without_an_oplog_says_so(self):
        archive = dump_format.make_archive(dump_of({"a": {1: {"_id": 1}}}))
        for option in ("--oplog-limit", "--at"):
            done = subprocess.run([PROGRAM, "import", "-", option, "100:1"], input=archive,
                                  env=self.holdfast.environment, capture_output=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"no oplog", done.stderr)
        self.pipe("import", "-", data=archive)
        shown = self.holdfast.result("show", "latest")
        self.assertIn("without oplog", shown["collections"][0]["consistency"]["reason"])


if __name__ == "__main__":
    harness.require_program()
    unittest.main(verbosity=2 if "-v" in sys.argv else 1, warnings="ignore")
