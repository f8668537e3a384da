"""Reads the record of `holdfast smokava traffic`, and tells the exact state at a cluster time.

An independent model: it knows BSON through pymongo alone, and shares no code with Holdfast. The
format is documented in src/smokava/traffic.h.

    state = read_collections(client["smokava"])          # before the traffic
    ... traffic with --record FILE ...
    model = replay(state, read_record(FILE), at=Timestamp(seconds, increment))
    model.collections["users"][key(document_id)]         # raw bytes of the document
    model.undecided                                      # what was just being written then
"""

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

RAW = CodecOptions(document_class=RawBSONDocument)


def key(value):
    """An `_id` as something hashable that keeps its type."""
    return bson.encode({"_id": value})


def read_record(path):
    """The entries in order; a torn last one (after a crash) is left out."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        if at + size > len(data):
            return
        yield RawBSONDocument(data[at : at + size])
        at += size


def read_collections(database):
    """{collection: {key: raw bytes}} of everything that is no view and no system collection."""
    state = {}
    for info in database.list_collections():
        name = info["name"]
        if info.get("type", "collection") != "collection" or name.startswith("system."):
            continue
        found = database.get_collection(name, codec_options=RAW).find()
        state[name] = {key(document["_id"]): document.raw for document in found}
    return state


class State:
    def __init__(self, collections):
        self.collections = {name: dict(documents) for name, documents in collections.items()}
        # (collection, key): every state that the document may have had then, as raw bytes or None.
        self.undecided = {}
        # Collections of which a command was under way.
        self.undecided_collections = set()
        self.applied = 0

    def apply(self, entry):
        self.applied += 1
        name = entry["ns"].split(".", 1)[1]
        if "ddl" not in entry:
            documents = self.collections.setdefault(name, {})
            after = entry["after"]
            if after is None:
                documents.pop(key(entry["_id"]), None)
            else:
                documents[key(entry["_id"])] = after.raw
        elif entry["op"] == "drop":
            self.collections.pop(name, None)
        elif entry["op"] == "rename":
            target = entry["ddl"]["to"].split(".", 1)[1]
            self.collections[target] = self.collections.pop(name)
        else:
            self.collections.setdefault(name, {})

    def doubt(self, entry):
        name = entry["ns"].split(".", 1)[1]
        if "_id" not in entry:
            self.undecided_collections.add(name)
            if "to" in entry.get("ddl", {}):
                self.undecided_collections.add(entry["ddl"]["to"].split(".", 1)[1])
            return
        spot = (name, key(entry["_id"]))
        before = self.collections.get(name, {}).get(spot[1])
        states = self.undecided.setdefault(spot, [before])
        after = entry["after"]
        states.append(None if after is None else after.raw)


def replay(collections, entries, at=None):
    """The state at cluster time `at` (a bson Timestamp; None: after all of it)."""
    state = State(collections)
    for entry in entries:
        if entry.get("unknown"):
            state.doubt(entry)
        elif at is None or entry["time"] <= at:
            state.apply(entry)
        elif entry["since"] < at:
            state.doubt(entry)
    return state


def differences(state, collections):
    """Lines that say where `collections` (as read_collections makes them) is another state."""
    for name in sorted(set(state.collections) | set(collections)):
        if name in state.undecided_collections:
            continue
        if (name in state.collections) != (name in collections):
            where = "missing" if name in state.collections else "unexpected"
            yield f"{name}: collection is {where}"
            continue
        expected, found = state.collections[name], collections[name]
        for document in sorted(set(expected) | set(found)):
            allowed = state.undecided.get((name, document), [expected.get(document)])
            actual = found.get(document)
            if actual not in allowed:
                yield f"{name} {bson.decode(document)}: {explain(allowed[0], actual)}"


def explain(expected, actual):
    if expected is None:
        return "should not exist"
    if actual is None:
        return "is missing"
    a, b = bson.decode(expected), bson.decode(actual)
    if a == b:
        return f"same values, other order of fields: {list(a)} / {list(b)}"
    names = [name for name in list(a) + list(b) if a.get(name) != b.get(name)]
    return f"differs in {sorted(set(names))}"
