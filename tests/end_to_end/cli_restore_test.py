#!/usr/bin/env python3
"""`restore`, `snapshot` and `verify` as an operator meets them: what is refused, what is asked,
what is said at the end, and with which exit code."""

import datetime
import subprocess
import sys
import unittest

import pymongo

import harness
from cli_terminal import PersonAtATerminal
from harness import PROGRAM
from server import TestServer, find_server

DATABASE = "shop"


class Restore(PersonAtATerminal):
    @classmethod
    def setUpClass(cls):
        cls.server = TestServer.start(find_server())
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        folder = harness.temporary_folder()
        self.addCleanup(folder.cleanup)
        self.holdfast = harness.Holdfast(folder.name, self.server.uri.rstrip("/") + "/" + DATABASE)
        self.holdfast.init()
        self.client = harness.raw_database(self.server.uri, DATABASE).client
        for name in self.client.list_database_names():
            if name not in ("admin", "config", "local"):
                self.client.drop_database(name)
        self.database = self.client[DATABASE]
        self.database.users.insert_many([{"_id": i, "name": f"user {i}"} for i in range(200)])
        self.database.users.create_index("name", unique=True)
        self.database.orders.insert_many([{"_id": i, "sum": i * 10} for i in range(300)])
        self.snapshot = self.holdfast.result("backup")["snapshot"]["id"]

    def state(self):
        return harness.read_digests(self.database)

    def refuse(self, code, text, *arguments):
        before = self.state()
        output = self.holdfast.run("restore", *arguments, expect=code)
        self.assertIn(text, output)
        self.assertEqual(self.state(), before)
        return output

    def test_an_existing_target_is_refused_with_the_list(self):
        output = self.refuse(1, "shop.orders", "latest")
        self.assertIn("shop.users", output)
        self.assertIn("--drop", output)

    def test_a_dry_run_changes_nothing(self):
        before = self.state()
        self.database.users.delete_one({"_id": 5})
        changed = self.state()
        self.assertNotEqual(before, changed)
        output = self.holdfast.run("restore", "latest", "--drop", "--dry-run")
        self.assertIn("nothing was changed", output)
        self.assertIn("replace", output)
        self.assertEqual(self.state(), changed)
        self.assertEqual(self.client.list_database_names().count("shop"), 1)
        plan = self.holdfast.result("restore", "latest", "--drop", "--dry-run")
        self.assertEqual([one["target"] for one in plan["collections"]],
                         ["shop.orders", "shop.users"])

    def test_replacing_wants_a_yes(self):
        self.refuse(2, "say --yes", "latest", "--drop")
        self.refuse(2, "say --yes", "latest", "--merge")

    def test_a_person_is_asked_before_anything_is_replaced(self):
        self.environment = {**self.holdfast.environment, "TERM": "xterm"}
        self.database.users.delete_one({"_id": 5})
        before = self.state()
        self.start("restore", "latest", "--drop")
        self.read_until("2 existing collections of")
        self.read_until("Type yes to go on: ")
        self.type("y\n")
        self.assertEqual(self.end(), 1, self.seen)
        self.assertIn("nothing was changed", self.seen)
        self.assertEqual(self.state(), before)
        self.start("restore", "latest", "--drop")
        self.read_until("Type yes to go on: ")
        self.type("yes\n")
        self.assertEqual(self.end(), 0, self.seen)
        self.assertEqual(len(self.state()), len(before) + 1)

    def test_drop_brings_the_snapshot_back_and_leaves_the_rest_alone(self):
        before = self.state()
        self.database.users.delete_many({"_id": {"$lt": 100}})
        self.database.orders.update_one({"_id": 7}, {"$set": {"sum": -1}})
        self.database.other.insert_one({"_id": 1})
        output = self.holdfast.run("restore", "latest", "--drop", "--yes")
        self.assertIn(f"identical with snapshot {self.snapshot}", output)
        after = self.state()
        self.assertEqual(len(after), len(before) + 1)
        self.assertTrue(before.items() <= after.items())

    def test_another_name_leaves_the_original_alone(self):
        before = self.state()
        result = self.holdfast.result("restore", "latest", "--as", "copy")
        self.assertTrue(result["identical"])
        self.assertEqual(self.state(), before)
        self.assertEqual(harness.read_digests(self.client["copy"]), before)

    def test_a_uri_that_names_another_database_is_refused(self):
        uri = self.server.uri.rstrip("/") + "/elsewhere"
        self.refuse(2, "--as elsewhere", "latest", "--uri", uri)

    def test_a_glob_without_a_match_is_refused(self):
        self.refuse(1, "user", "latest", "--collection", "user", "--drop", "--yes")

    def test_conflicts_are_named_and_are_exit_code_3(self):
        self.database.users.update_one({"_id": 5}, {"$set": {"name": "changed since"}})
        self.database.orders.delete_one({"_id": 7})
        output = self.holdfast.run("restore", "latest", "--merge", "--yes", expect=3)
        self.assertIn("NOT complete", output)
        self.assertNotIn("identical with snapshot", output)
        self.assertEqual(self.database.orders.count_documents({}), 300)
        self.assertEqual(self.database.users.find_one({"_id": 5})["name"], "changed since")
        output = self.holdfast.run("restore", "latest", "--merge", "--on-conflict", "replace",
                                   "--yes")
        self.assertIn("identical with snapshot", output)
        self.assertEqual(self.database.users.find_one({"_id": 5})["name"], "user 5")

    def test_merging_keeps_what_is_there_where_told(self):
        self.database.users.update_one({"_id": 5}, {"$set": {"name": "changed since"}})
        self.database.orders.delete_one({"_id": 7})
        self.database.orders.insert_one({"_id": "mine"})
        result = self.holdfast.result("restore", "latest", "--merge", "--on-conflict", "keep",
                                      "--yes")
        self.assertFalse(result["identical"], "one is kept, and one is no document of the snapshot")
        told = {one["target"]: (one["documents"], one["kept"]) for one in result["collections"]}
        self.assertEqual(told, {"shop.orders": (1, 299), "shop.users": (0, 200)})
        again = self.holdfast.run("restore", "latest", "--merge", "--on-conflict", "keep", "--yes")
        self.assertIn("1 document of the server's kept in place", again)
        self.assertIn("beside them 1 other document", again)
        self.assertNotIn("identical with snapshot", again)
        self.assertEqual(self.database.users.find_one({"_id": 5})["name"], "changed since")
        self.assertEqual(self.database.orders.count_documents({}), 301)

    def test_a_refused_document_is_named_and_is_exit_code_3(self):
        # As if a rule had come after the document: 5 is another's name by now.
        self.database.users.delete_one({"_id": 5})
        self.database.users.insert_one({"_id": "new", "name": "user 5"})
        result = self.holdfast.run("restore", "latest", "--merge", "--on-conflict", "keep", "--yes",
                                   expect=3)
        self.assertIn('refused: _id {"$numberInt":"5"}', result)
        self.assertIn("name_1", result)
        self.assertIn("NOT complete", result)

    def test_a_time_series_that_is_replaced_is_kept_in_a_safety_snapshot(self):
        try:
            self.client.shop.create_collection(
                "weather", timeseries={"timeField": "t", "metaField": "m"})
        except pymongo.errors.OperationFailure as error:
            self.skipTest(f"this server cannot make time series: {error}")
        self.database.weather.insert_one({"t": datetime.datetime(2026, 1, 1), "m": 1, "degrees": 3})
        self.holdfast.run("backup")
        self.database.weather.insert_one({"t": datetime.datetime(2026, 1, 2), "m": 1, "degrees": 4})
        plan = self.holdfast.run("restore", "latest", "--drop", "--dry-run")
        self.assertIn("drop and create", plan)
        self.holdfast.run("restore", "latest", "--drop", "--yes")
        self.assertEqual(self.database.weather.count_documents({}), 1)
        safety = self.holdfast.result("snapshots")["snapshots"][-1]
        self.assertTrue(safety["critical"])
        self.assertEqual(safety["documents"], 2)

    def test_in_place_keeps_what_it_drops_and_latest_still_means_the_backup(self):
        self.database.users.update_one({"_id": 5}, {"$set": {"name": "changed since"}})
        self.holdfast.run("restore", "latest", "--drop", "--in-place", "--yes")
        snapshots = self.holdfast.result("snapshots")["snapshots"]
        self.assertEqual(len(snapshots), 2)
        safety = snapshots[-1]
        self.assertTrue(safety["critical"])
        self.assertIn("safety", safety["tags"])
        self.assertEqual(self.database.users.find_one({"_id": 5})["name"], "user 5")
        # Run again with the same words: the backup is meant, not what was dropped.
        again = self.holdfast.result("restore", "latest", "--drop", "--yes")
        self.assertEqual(again["snapshot"], self.snapshot)
        self.holdfast.run("restore", safety["id"], "--drop", "--yes", "--collection", "users")
        self.assertEqual(self.database.users.find_one({"_id": 5})["name"], "changed since")

    def test_no_safety_snapshot_takes_none(self):
        self.holdfast.run("restore", "latest", "--drop", "--in-place", "--no-safety-snapshot",
                          "--yes")
        self.assertEqual(len(self.holdfast.result("snapshots")["snapshots"]), 1)

    def test_without_comparing_nothing_is_claimed(self):
        output = self.holdfast.run("restore", "latest", "--as", "copy", "--no-compare")
        self.assertIn("not compared", output)
        self.assertNotIn("identical", output)

    def test_tags_come_and_go(self):
        self.holdfast.run("snapshot", "tag", "latest", "audited", "نگه‌دار")
        tags = lambda: self.holdfast.result("snapshots")["snapshots"][0]["tags"]
        self.assertEqual(sorted(tags()), sorted(["audited", "نگه‌دار"]))
        self.holdfast.run("snapshot", "untag", self.snapshot[:8], "audited", "never-there")
        self.assertEqual(tags(), ["نگه‌دار"])

    def test_a_critical_snapshot_needs_its_id(self):
        critical = self.holdfast.result("backup", "--critical", "before the change")
        identifier = critical["snapshot"]["id"]
        output = self.holdfast.run("snapshot", "remove", identifier, "--yes", expect=2)
        self.assertIn("before the change", output)
        self.holdfast.run("snapshot", "remove", identifier, "--confirm", self.snapshot, expect=2)
        self.holdfast.run("snapshot", "remove", self.snapshot, expect=2)
        self.holdfast.run("snapshot", "remove", self.snapshot[:8], "--yes")
        self.holdfast.run("snapshot", "remove", identifier, "--confirm", identifier)
        self.assertEqual(self.holdfast.result("snapshots")["snapshots"], [])
        self.assertTrue(self.holdfast.result("verify")["whole"])

    def test_damage_is_named_and_is_exit_code_4(self):
        other = self.holdfast.result("backup", "--collection", "orders")["snapshot"]["id"]
        before = set(self.holdfast.repository.glob("*/segments/*"))
        third = self.holdfast.result("backup", "--collection", "users")["snapshot"]["id"]
        new = set(self.holdfast.repository.glob("*/segments/*")) - before
        path = new.pop()
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 1
        path.write_bytes(data)
        report = self.holdfast.result("verify", "--read-data", expect=4)
        self.assertFalse(report["whole"])
        self.assertIn(self.snapshot, report["whole_snapshots"])
        self.assertIn(other, report["whole_snapshots"])
        self.assertNotIn(third, report["whole_snapshots"])
        output = self.holdfast.run("verify", "--read-data", "--quiet", expect=4)
        self.assertIn("DAMAGE", output)
        self.assertIn("shop.users", output)
        self.holdfast.run("verify", "--read-data", self.snapshot)
        before = self.state()
        self.holdfast.run("restore", third, "--drop", "--yes", expect=4)
        self.assertEqual(self.state(), before)

    def test_what_a_snapshot_holds_is_shown(self):
        shown = self.holdfast.result("show", "latest")
        users = next(one for one in shown["collections"] if one["name"] == "shop.users")
        self.assertEqual(users["documents"], 200)
        self.assertEqual({index["name"] for index in users["indexes"]}, {"_id_", "name_1"})
        self.assertEqual(self.holdfast.result("status")["last_backup"]["id"], self.snapshot)
        info = self.holdfast.result("info")
        self.assertEqual((info["snapshots"], info["garbage_files"]), (1, 0))

    def test_a_password_comes_through_a_pipe_too(self):
        command = f'"{PROGRAM}" snapshots --password-file <(cat "$HOLDFAST_PASSWORD_FILE")'
        environment = dict(self.holdfast.environment)
        done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    harness.require_program()
    unittest.main(verbosity=2 if "-v" in sys.argv else 1, warnings="ignore")
