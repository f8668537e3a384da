#!/usr/bin/env python3
"""Collections are created, dropped and made anew, renamed, replaced by `$out`, indexed and altered
while a backup runs. The snapshot is exact all the same: what it restores is, catalog and documents,
the state that the server had at the snapshot's cluster time.

One writer works, so every state is known: it is read from the server after each operation, with the
bounds of the operation's cluster time. The backup reads through a slow connection, so that the
operations fall into its scan. HOLDFAST_SEEDS=1,2,7 chooses the seeds (default: 6 in CI, else 2).
"""

import random
import sys
import time

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

import harness
from cut_proxy import Proxy, port_of
from server import TestServer, find_server

DATABASE = "moving"
PAD = "x" * 1000
BYTES_PER_SECOND = 6_000_000
# A collection that $out fills before it takes the name of its target.
TEMPORARY = "tmp.agg_out"
RAW = CodecOptions(document_class=RawBSONDocument)


def describe(database, info):
    """All that must come back of a collection: options, indexes, documents."""
    options = repr(info.get("options", {}))
    if info.get("type") == "view":
        return options, (), ()
    indexes = sorted(repr(sorted(index.items())) for index in database[info["name"]].list_indexes())
    documents = sorted(harness.digest(raw.raw)
                       for raw in database.get_collection(info["name"], RAW).find(batch_size=5000))
    return options, tuple(indexes), tuple(documents)


def catalog(database):
    return {info["name"]: info for info in database.list_collections()
            if not info["name"].startswith(("system.", "holdfast.", TEMPORARY))}


class History:
    """The states of a database, each with the bounds of the time at which it came to be."""

    def __init__(self, client, name):
        self.client = client
        self.database = client[name]
        self.session = client.start_session(causal_consistency=False)
        self.session.advance_operation_time(self.now())
        self.states = [(None, self.session.operation_time, {
            collection: describe(self.database, info)
            for collection, info in catalog(self.database).items()})]

    def now(self):
        with self.client.start_session() as session:
            self.database.command("ping", session=session)
            return session.operation_time

    def do(self, touched, operation):
        """Runs operation(session), which changes the collections `touched` and no other."""
        since = self.session.operation_time
        operation(self.session)
        state = dict(self.states[-1][2])
        for name in touched:
            state.pop(name, None)
        for name, info in catalog(self.database).items():
            if name in touched:
                state[name] = describe(self.database, info)
        self.states.append((since, self.session.operation_time, state))

    def candidates(self, moment):
        found = []
        for since, until, state in self.states:
            if until <= moment:
                found = [state]
            elif since < moment:
                found.append(state)
        return found


def fill(database, dice):
    def documents(count, size=200):
        return [{"_id": n, "n": dice.randrange(1000), "pad": PAD[:size]} for n in range(count)]
    database.large.insert_many(documents(12_000, 1000))
    for name in ("dropped", "again", "renamed", "source", "target", "over", "altered", "indexed",
                 "written"):
        database[name].insert_many(documents(400))
    database.over.create_index("n")
    database.create_collection("view", viewOn="written", pipeline=[])
    database.create_collection("capped", capped=True, size=1_000_000)
    database.capped.insert_many(documents(50))


def operations(history, dice):
    """What is done, in an order of the dice's: (touched collections, operation)."""
    database, admin = history.database, history.client.admin

    def rename(source, target, session, replace=False):
        admin.command("renameCollection", f"{DATABASE}.{source}", to=f"{DATABASE}.{target}",
                      dropTarget=replace, session=session)

    groups = [
        [({"dropped"}, lambda s: database.drop_collection("dropped", session=s))],
        [({"again"}, lambda s: database.drop_collection("again", session=s)),
         ({"again"}, lambda s: database.create_collection("again", session=s)),
         *[({"again"}, lambda s, n=n: database.again.insert_one({"_id": f"new {n}"}, session=s))
           for n in range(5)],
         ({"again"}, lambda s: database.again.create_index("x", session=s))],
        [({"renamed", "moved"}, lambda s: rename("renamed", "moved", s)),
         ({"moved"}, lambda s: database.moved.update_one({"_id": 7}, {"$set": {"late": 1}},
                                                         session=s)),
         ({"renamed"}, lambda s: database.create_collection("renamed", session=s))],
        [({"source", "over"}, lambda s: rename("source", "over", s, replace=True)),
         ({"over"}, lambda s: database.over.delete_one({"_id": 3}, session=s))],
        [({"target"}, lambda s: list(database.written.aggregate(
            [{"$match": {"_id": {"$lt": 90}}}, {"$out": "target"}], session=s)))],
        [({"indexed"}, lambda s: database.indexed.create_index([("n", 1), ("_id", -1)],
                                                               session=s)),
         ({"indexed"}, lambda s: database.indexed.create_index("gone", session=s)),
         ({"indexed"}, lambda s: database.indexed.drop_index("gone_1", session=s))],
        [({"altered"}, lambda s: database.command(
            "collMod", "altered", validator={"n": {"$gte": 0}}, session=s))],
        [({"born"}, lambda s: database.create_collection("born", session=s)),
         *[({"born"}, lambda s, n=n: database.born.insert_one({"_id": n}, session=s))
           for n in range(4)],
         ({"born"}, lambda s: database.born.update_one({"_id": 2}, {"$set": {"a": 1}},
                                                       session=s))],
        [({"shortlived"}, lambda s: database.create_collection("shortlived", session=s)),
         ({"shortlived"}, lambda s: database.shortlived.insert_one({"_id": 1}, session=s)),
         ({"shortlived"}, lambda s: database.drop_collection("shortlived", session=s))],
        [({"capped"}, lambda s, n=n: database.capped.insert_one({"_id": 1000 + n}, session=s))
         for n in range(3)],
        [({"written"}, lambda s, n=n: database.written.update_one(
            {"_id": n}, {"$inc": {"n": 5}}, session=s)) for n in range(12)],
    ]
    while groups:
        group = dice.choice(groups)
        yield group.pop(0)
        if not group:
            groups.remove(group)


def describe_difference(wanted, found):
    lines = []
    for name in sorted(set(wanted) | set(found)):
        if name not in found or name not in wanted:
            lines.append(f"{name} is {'missing' if name in wanted else 'unexpected'}")
            continue
        for what, one, other in zip(("options", "indexes", "documents"), wanted[name],
                                    found[name]):
            if one != other:
                lines.append(f"{name}: other {what}" + (
                    f" ({len(other)} instead of {len(one)})" if what == "documents"
                    else f": {other} instead of {one}"))
    return lines


def check(server, proxy, holdfast, seed):
    dice = random.Random(seed)
    client = pymongo.MongoClient(server.uri, directConnection=True)
    client.drop_database(DATABASE)
    fill(client[DATABASE], dice)
    history = History(client, DATABASE)
    proxy.bytes_per_second = BYTES_PER_SECOND
    leases = set(holdfast.repository.glob("*/leases/*"))
    process = holdfast.start("backup", "--database", DATABASE, "--workers", "1", "--json")
    while not set(holdfast.repository.glob("*/leases/*")) - leases:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    done_during_backup = 0
    for touched, operation in operations(history, dice):
        history.do(touched, operation)
        done_during_backup += process.poll() is None
        time.sleep(dice.choice((0, 0, 0.01, 0.06)))
    proxy.bytes_per_second = None
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, (output, errors)
    result = harness.last_result(output)
    moment = harness.cluster_time(result["snapshot"])
    client.drop_database("again")
    holdfast.run("restore", result["snapshot"]["id"], "--as", "again", "--yes")
    restored = {name: describe(client["again"], info)
                for name, info in catalog(client["again"]).items()}
    candidates = history.candidates(moment)
    differences = [describe_difference(state, restored) for state in candidates]
    assert not all(differences), (f"seed {seed}: at {moment} the restored database is none of "
                                  f"{len(candidates)} possible states", differences)
    client.drop_database("again")
    print(f"seed {seed}: {len(history.states) - 1} operations, {done_during_backup} of them while "
          f"the backup ran, {result['rounds']} windows: exact at {moment.time}:{moment.inc}",
          flush=True)
    return done_during_backup


def main():
    harness.require_program()
    kind = find_server()
    if kind == "python":
        harness.skip("the Python server is too slow for many operations during one backup")
    with TestServer.start(kind) as server, harness.temporary_folder() as folder:
        proxy = Proxy(port_of(server))
        holdfast = harness.Holdfast(folder, proxy.uri)
        holdfast.init()
        during = [check(server, proxy, holdfast, seed) for seed in harness.seeds(6, 2)]
        assert max(during) >= 10, "hardly anything happened while a backup ran"
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
