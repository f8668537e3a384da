"""A seeded random workload whose own record tells the state at any moment.

One thread writes, and after each operation reads back what it touched, raw, and notes the cluster
time of the reply. A transaction takes effect as a whole: on servers that give its writes one time
(mongod, SecantusDB's Python server) with its commit, on SecantusDB's Rust server, whose events have
a time each, with the last of them. Nothing here knows how events are folded.

The record is a file of BSON documents, in the order of the work:
    {kind: "doc", since, time, ns, key: {"": id}, after: document or null}
    {kind: "collection", since, time, ns, info: {type, options, indexes} or null, docs: […]}
Between `since` and `time`, both excluded, an operation of several events is half done, and nobody
can say what the state is.
"""

import hashlib
import random

import bson
import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

DATABASES = ("shop", "stock")
COLLECTIONS = ("a", "b", "c", "d")
MAXIMUM_DOCUMENTS = 60
LAST_OF_SECOND = 0xFFFFFFFF
# Collections whose options or indexes are changed in ways that a server's events do not tell.
TUNED = ("shop.tuned", "shop.tuned_view")


def packed(time):
    return time.time << 32 | time.inc


def unpacked(number):
    return bson.Timestamp(number >> 32, number & 0xFFFFFFFF)


class Record:
    """What happened, as it was read back."""

    def __init__(self):
        self.entries = []   # each {kind, since, time, …} with packed times
        self.around = []    # times of interest: writes of transactions, and just after them

    def add(self, since, time, changes):
        for change in changes:
            self.entries.append({"since": since, "time": time, **change})

    def windows(self):
        return [(e["since"], e["time"]) for e in self.entries]

    def write(self, path):
        with open(path, "wb") as file:
            for entry in sorted(self.entries, key=lambda e: e["time"]):
                file.write(bson.encode({**entry, "since": unpacked(entry["since"]),
                                        "time": unpacked(entry["time"])}))

    def state(self, moment):
        """{ns: (info, {key: raw document})} at a moment."""
        found = {}
        for entry in sorted(self.entries, key=lambda e: e["time"]):
            if entry["time"] > moment:
                break
            ns = entry["ns"]
            if entry["kind"] == "collection":
                found.pop(ns, None)
                if entry["info"] is not None:
                    found[ns] = entry["info"], {key_of(raw): raw.raw for raw in entry["docs"]}
            elif entry["after"] is None:
                found[ns][1].pop(bson.encode(entry["key"]), None)
            else:
                found[ns][1][bson.encode(entry["key"])] = entry["after"].raw
        return found

    def moments(self, dice, count, first, last):
        """Times at which the record says what the state is: all around transactions and `count`
        random ones, ascending."""
        half_done = sorted({(s, t) for s, t in self.windows() if t - s > 1})
        usable = lambda m: first <= m <= last and not any(s < m < t for s, t in half_done)
        around = {m for m in self.around if usable(m)}
        times = sorted({t for window in self.windows() for t in window})
        pool = {m for t in times for m in (t, t + 1, t - 1, t | LAST_OF_SECOND) if usable(m)}
        rest = sorted(pool - around)
        return sorted(around | set(dice.sample(rest, min(count, len(rest)))))


def key_of(raw):
    return bson.encode({"": raw["_id"]})


class Workload:
    def __init__(self, uri, kind, seed):
        self.kind = kind
        self.dice = random.Random(seed)
        self.client = pymongo.MongoClient(uri, directConnection=True, retryWrites=False,
                                          document_class=RawBSONDocument)
        self.known = {}   # ns: (info, {key: raw})
        self.now = 0      # the newest cluster time seen
        self.record = Record()
        self.open = []    # transactions: {session, touched: {ns}, times: […]}
        self.refused = {}
        self.counts = {}
        self.commands = hashlib.sha256()
        self.next_id = 0

    # Reading back

    def read_collection(self, ns):
        database, name = ns.split(".", 1)
        return {key_of(raw): raw for raw in self.client[database][name].find({})}

    def read_catalog(self):
        found = {}
        for database in DATABASES:
            for info in self.client[database].list_collections():
                name = info["name"]
                if name.startswith("system.") or "holdfast" in name:
                    continue
                view = info["type"] == "view"
                indexes = [] if view else list(self.client[database][name].list_indexes())
                found[f"{database}.{name}"] = {"type": info["type"], "options": info["options"],
                                               "indexes": indexes, "uuid": info["info"].get("uuid")}
        return found

    def observe_catalog(self, touched):
        """Changes of the catalog, and of what `touched` means now."""
        catalog = self.read_catalog()
        changes = []
        for ns in sorted(set(self.known) | set(catalog)):
            info = catalog.get(ns)
            old = self.known.get(ns)
            if info is None:
                changes.append({"kind": "collection", "ns": ns, "info": None, "docs": []})
                del self.known[ns]
                continue
            same = old is not None and bson.encode(old[0]) == bson.encode(info)
            if same and ns not in touched:
                continue
            documents = {} if info["type"] == "view" else self.read_collection(ns)
            if same and old[1] == documents:
                continue
            self.known[ns] = info, documents
            changes.append({"kind": "collection", "ns": ns, "info": info,
                            "docs": list(documents.values())})
        return changes

    def observe_documents(self, ns):
        if ns not in self.known:
            changes = self.observe_catalog({ns})
            for transaction in self.open:
                transaction["moved"].update(change["ns"] for change in changes)
            return changes
        before, after = self.known[ns][1], self.read_collection(ns)
        changes = []
        for key in sorted(set(before) | set(after)):
            if before.get(key) != after.get(key):
                changes.append({"kind": "doc", "ns": ns, "key": RawBSONDocument(key),
                                "after": after.get(key)})
        self.known[ns] = self.known[ns][0], after
        return changes

    # Writing

    def run(self, what, database, command, session=None):
        """Runs a command; returns its packed operation time, or nothing if it was refused."""
        self.commands.update(f"{database} {sorted(command)} {command!r}".encode())
        self.counts[what] = self.counts.get(what, 0) + 1
        try:
            reply = self.client[database].command(command, session=session)
        except PyMongoError as error:
            self.refused.setdefault(what, [0, str(error)[:300]])[0] += 1
            return None
        if reply.get("writeErrors"):
            self.refused.setdefault(what, [0, repr(reply["writeErrors"])[:300]])[0] += 1
        return packed(reply["operationTime"])

    def note(self, time, changes):
        if time is None:
            assert not changes, f"an operation that was refused changed something: {changes[:3]}"
            return
        single = len(changes) == 1 and changes[0]["kind"] == "doc"
        self.record.add(time - 1 if single else self.now, time, changes)
        self.now = max(self.now, time)

    def start_record(self):
        """The base: what is there now, at a time that a write of our own tells."""
        time = self.run("base", "shop", {"insert": "a", "documents": [{"_id": "base"}]})
        self.record.add(time - 1, time, self.observe_catalog(set()))
        self.now = time

    # Operations

    def name(self):
        database = "shop" if self.dice.random() < 0.8 else "stock"
        return database, self.dice.choice(COLLECTIONS)

    def free_name(self):
        """A collection that no open transaction touches."""
        busy = {ns for transaction in self.open for ns in transaction["touched"]}
        names = [(d, c) for d in DATABASES for c in COLLECTIONS if f"{d}.{c}" not in busy]
        return self.dice.choice(names) if names else None

    def some_id(self, ns, fresh=False):
        # What an open transaction has written would make others wait for its end.
        busy = {key for transaction in self.open for key in transaction["keys"]}
        keys = [] if fresh else sorted(key for key in self.known.get(ns, (None, {}))[1]
                                       if (ns, key) not in busy)
        if keys and self.dice.random() < 0.95:
            return bson.decode(self.dice.choice(keys))[""]
        self.next_id += 1
        number = self.next_id
        return self.dice.choice([number, f"key {number}", {"part": number}, number + 0.5])

    def document(self, ns):
        dice = self.dice
        made = {"_id": self.some_id(ns, fresh=True), "n": dice.randrange(100)}
        if dice.random() < 0.8:
            made["text"] = "x" * dice.randrange(60)
            made["list"] = [dice.randrange(9) for _ in range(dice.randrange(6))]
        if dice.random() < 0.7:
            made["items"] = [{"sku": dice.randrange(4), "count": dice.randrange(9)}
                             for _ in range(dice.randrange(4))]
            made["deep"] = {"one": {"two": dice.randrange(9)}, "3": "digits", "none": None}
        return made

    def update_of(self):
        """(u, further fields of the statement)"""
        dice = self.dice
        n = dice.randrange(50)
        pipeline = [
            [{"$set": {"n": {"$add": [{"$ifNull": ["$n", 0]}, n]}, "piped": "$text"}}],
            [{"$unset": "text"}],
            [{"$set": {"deep.one.two": n}},
             {"$set": {"last": {"$size": {"$ifNull": ["$list", []]}}}}],
            [{"$replaceWith": {"$mergeObjects": ["$$ROOT", {"merged": n}]}}],
        ]
        plain = [
            {"$set": {"n": n}}, {"$set": {"deep.one.two": n}}, {"$set": {"deep.new": {"in": n}}},
            {"$set": {f"added {n % 7}": n, "n": n}}, {"$set": {"x": 1, "w": n, "m": [n]}},
            {"$set": {"list.0": n}}, {"$set": {"list.9": n}}, {"$set": {"items.1.count": n}},
            {"$unset": {"text": 1}}, {"$unset": {"deep.one": 1, "w": 1}}, {"$unset": {"list.1": 1}},
            {"$inc": {"n": n}}, {"$mul": {"n": 2.5}}, {"$min": {"n": n}}, {"$max": {"n": n}},
            {"$rename": {"text": f"text {n % 3}"}}, {"$rename": {"deep.one": "lifted"}},
            {"$push": {"list": n}}, {"$push": {"items": {"sku": n, "count": 1}}},
            {"$push": {"list": {"$each": [n, 1, n], "$position": 1}}},
            {"$push": {"list": {"$each": [n, 1], "$sort": -1, "$slice": 4}}},
            {"$pull": {"list": {"$lt": 4}}}, {"$pull": {"items": {"sku": 1}}},
            {"$pullAll": {"list": [1, 2, 3]}}, {"$pop": {"list": 1}}, {"$pop": {"list": -1}},
            {"$addToSet": {"list": {"$each": [n, n + 1]}}}, {"$bit": {"n": {"xor": 5}}},
            {"$currentDate": {"seen": True}}, {"$inc": {"list.$[]": 1}},
            {"$set": {"n": n}, "$unset": {"x": 1}, "$push": {"list": n}},
        ]
        chosen = dice.random()
        if chosen < 0.15:
            return dice.choice(pipeline), {}
        if chosen < 0.25:
            return ({"$set": {"items.$[item].count": n}},
                    {"arrayFilters": [{"item.sku": {"$lt": 3}}]})
        return dice.choice(plain), {}

    def write_command(self, ns):
        """(what, command) of one write in a collection."""
        dice, name = self.dice, ns.split(".", 1)[1]
        count = len(self.known.get(ns, (None, {}))[1])
        chosen = dice.random()
        many = all(ns not in transaction["touched"] for transaction in self.open)
        if count > MAXIMUM_DOCUMENTS and many:
            return "delete many", {"delete": name, "deletes": [
                {"q": {"n": {"$lt": 60}}, "limit": 0}]}
        if chosen < 0.25 or count < 3:
            documents = [self.document(ns) for _ in range(dice.choice([1, 1, 1, 2, 5]))]
            return "insert", {"insert": name, "documents": documents, "ordered": False}
        query = {"_id": self.some_id(ns)}
        if chosen < 0.37:
            return "delete", {"delete": name, "deletes": [{"q": query, "limit": 1}]}
        if chosen < 0.47:
            made = self.document(ns)
            del made["_id"]
            return "replace", {"update": name, "updates": [
                {"q": query, "u": made, "upsert": dice.random() < 0.5}]}
        update, further = self.update_of()
        if chosen < 0.53 and many:
            return "update many", {"update": name, "updates": [
                {"q": {"n": {"$gte": 50}}, "u": update, "multi": True, **further}]}
        if chosen < 0.57 and isinstance(update, dict):
            update = {**update, "$setOnInsert": {"made": dice.randrange(9)}}
            further = {**further, "upsert": True}
        return "update", {"update": name, "updates": [{"q": query, "u": update, **further}]}

    def write(self):
        database, name = self.name()
        ns = f"{database}.{name}"
        what, command = self.write_command(ns)
        time = self.run(what, database, command)
        self.note(time, self.observe_documents(ns))

    # Transactions

    def begin(self):
        session = self.client.start_session()
        session.start_transaction()
        self.open.append({"session": session, "touched": set(), "keys": set(), "times": [],
                          "moved": set()})

    def write_in_transaction(self, transaction):
        # mongod refuses a transaction what was created, dropped or renamed after it began; the
        # Rust server lets it write there, and its events then name the collection from before.
        existing = [ns for ns in self.known
                    if ns.split(".", 1)[1] in COLLECTIONS and ns not in transaction["moved"]]
        if not existing:
            return
        ns = self.dice.choice(sorted(existing))
        what, command = self.write_command(ns)
        if what in ("update many", "delete many"):
            return
        session = transaction["session"]
        for statement in command.get("updates", command.get("deletes", ())):
            transaction["keys"].add((ns, bson.encode({"": statement["q"]["_id"]})))
        done = self.run("in transaction", ns.split(".", 1)[0], command, session)
        if done is None:
            self.end(transaction, commit=False)
            return
        transaction["touched"].add(ns)
        time = packed(session.operation_time)
        if time > self.now:
            transaction["times"].append(time)
            self.now = time

    def end(self, transaction, commit):
        self.open.remove(transaction)
        session, times = transaction["session"], transaction["times"]
        before = self.now
        try:
            if commit:
                session.commit_transaction()
                self.counts["commit"] = self.counts.get("commit", 0) + 1
            else:
                session.abort_transaction()
                self.counts["abort"] = self.counts.get("abort", 0) + 1
        except PyMongoError as error:
            self.refused.setdefault("commit", [0, str(error)[:300]])[0] += 1
            commit = False
        changes = [c for ns in sorted(transaction["touched"]) for c in self.observe_documents(ns)]
        if not commit:
            assert not changes, f"an aborted transaction changed something: {changes[:3]}"
        elif self.kind == "rust":
            if changes:
                self.record.add(times[-1] - 1, times[-1], changes)
                self.record.around += [t + d for t in times for d in (-1, 0, 1)]
        else:
            if changes:
                time = packed(session.operation_time)
                self.record.add(before, time, changes)
                self.record.around += [before, time, time + 1]
                self.now = max(self.now, time)
        session.end_session()

    # The catalog

    def change_catalog(self, what, database, command, touched=()):
        time = self.run(what, database, command)
        changes = self.observe_catalog(set(touched))
        if time is None and changes:  # Some say no after they have begun.
            time = packed(self.client[database].command("ping")["operationTime"])
        for transaction in self.open:
            transaction["moved"].update(change["ns"] for change in changes)
        self.note(time, changes)

    def change_schema(self):
        place = self.free_name()
        if place is None:
            return
        database, name = place
        ns = f"{database}.{name}"
        dice = self.dice
        chosen = dice.random()
        if chosen < 0.12:
            self.change_catalog("drop", database, {"drop": name})
            if dice.random() < 0.5:
                self.create(database, name)
        elif chosen < 0.24:
            self.create(database, name)
        elif chosen < 0.42:
            self.rename(ns)
        elif chosen < 0.52:
            self.out(database, name)
        elif chosen < 0.72:
            self.build_index(database, name)
        elif chosen < 0.80:
            number = dice.randrange(4)
            self.change_catalog("drop index", database, {"dropIndexes": name, "index": dice.choice(
                [f"index {number}", f"index {number}", "*"])})
        elif chosen < 0.88:
            self.change_catalog("validator", database, {"collMod": name, **dice.choice([
                {"validator": {"n": {"$gte": -1000000}}}, {"validator": {}},
                {"validator": {"_id": {"$exists": True}}, "validationLevel": "moderate"},
                {"validationLevel": "strict", "validationAction": "error"}])})
        elif chosen < 0.94:
            self.view(database)
        elif chosen < 0.97:
            self.tune()
        elif not any(ns.startswith("stock.") for t in self.open for ns in t["touched"]):
            self.change_catalog("drop database", "stock", {"dropDatabase": 1})

    def create(self, database, name):
        options = self.dice.choice([
            {}, {}, {"validator": {"n": {"$gte": -1000000}}, "validationLevel": "moderate"},
            {"collation": {"locale": "en", "strength": 2}},
            {"validator": {"_id": {"$exists": True}}, "validationAction": "warn"}])
        if "collation" in options and self.kind == "python":
            options = {}
        self.change_catalog("create", database, {"create": name, **options})

    def rename(self, ns):
        other = self.free_name()
        if other is None or ".".join(other) == ns:
            return
        across = ns.split(".", 1)[0] != other[0]
        self.change_catalog("rename across" if across else "rename", "admin", {
            "renameCollection": ns, "to": ".".join(other), "dropTarget": True},
            {ns, ".".join(other)})
        if self.dice.random() < 0.4:  # A chain: back again, or further.
            self.change_catalog("rename", "admin", {
                "renameCollection": ".".join(other), "to": f"{other[0]}.{self.dice.choice('cd')}"},
                {f"{other[0]}.c", f"{other[0]}.d"})

    def out(self, database, name):
        sources = sorted(ns for ns, (info, documents) in self.known.items()
                         if ns.startswith(database + ".") and len(documents) > 2)
        if not sources:
            return
        source = self.dice.choice(sources).split(".", 1)[1]
        stages = [{"$sort": {"_id": 1}}, {"$limit": 2 + self.dice.randrange(20)}]
        if self.dice.random() < 0.5:
            last = {"$merge": {"into": name}}
        else:
            last = {"$out": name}
        self.change_catalog(next(iter(last)), database, {
            "aggregate": source, "pipeline": [*stages, {"$addFields": {"out": self.dice.random()}},
                                              last], "cursor": {}}, {f"{database}.{name}"})

    def build_index(self, database, name):
        number = self.dice.randrange(4)
        options = self.dice.choice([{}, {"sparse": True}, {"expireAfterSeconds": 10 ** 9},
                                    {"partialFilterExpression": {"n": {"$gt": 5}}}])
        self.change_catalog("create index", database, {"createIndexes": name, "indexes": [
            {"key": {self.dice.choice(["n", "text", "list", "items.sku"]): 1, "m": -1}
             if not options.get("expireAfterSeconds") else {"seen": 1},
             "name": f"index {number}", **options}]})

    def view(self, database):
        if f"{database}.seen" in self.known:
            self.change_catalog("drop view", database, {"drop": "seen"})
        else:
            self.change_catalog("create view", database, {
                "create": "seen", "viewOn": self.dice.choice(COLLECTIONS),
                "pipeline": [{"$match": {"n": self.dice.randrange(9)}}]})

    def tune(self):
        """Changes of the catalog that events may not tell."""
        if "shop.tuned" not in self.known:
            self.change_catalog("create tuned", "shop", {"create": "tuned"})
            self.change_catalog("create tuned", "shop", {"createIndexes": "tuned", "indexes": [
                {"key": {"at": 1}, "name": "at", "expireAfterSeconds": 10 ** 9}]})
            self.change_catalog("create tuned", "shop", {"create": "tuned_view", "viewOn": "a",
                                                         "pipeline": []})
        self.change_catalog("tune", "shop", self.dice.choice([
            {"collMod": "tuned", "index": {"name": "at",
                                           "expireAfterSeconds": 10 ** 8 + self.next_id}},
            {"collMod": "tuned", "index": {"name": "at", "hidden": self.dice.random() < 0.5}},
            {"collMod": "tuned_view", "viewOn": "b",
             "pipeline": [{"$match": {"n": self.dice.randrange(99)}}]}]))

    # All together

    def step(self):
        chosen = self.dice.random()
        if self.open and chosen < 0.45:
            transaction = self.dice.choice(self.open)
            if len(transaction["touched"]) and self.dice.random() < 0.3:
                self.end(transaction, commit=self.dice.random() < 0.85)
            else:
                self.write_in_transaction(transaction)
        elif len(self.open) < 3 and chosen < 0.55:
            self.begin()
        elif chosen < 0.70:
            self.change_schema()
        else:
            self.write()

    def settle(self):
        for transaction in list(self.open):
            self.end(transaction, commit=True)
