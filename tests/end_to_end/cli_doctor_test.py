#!/usr/bin/env python3
"""`doctor` says what is wrong and what to do, and the roles that it prints are exactly enough:
under access control a backup and a restore run with them, and without one of their rights they are
reported as lacking."""

import json
import re
import sys
import tempfile
import unittest
from urllib.parse import quote

import pymongo

import harness
from server import TestServer, find_server, locate

ROOT = ("keeper", "s3cret-pa55")


def role_from(commands):
    """(role name, privileges) out of the text for mongosh."""
    text = re.search(r"db\.createRole\((\{.*?\})\)\n", commands, re.DOTALL).group(1)
    text = re.sub(r"([{\s,])(role|roles|privileges|resource|db|collection|actions|cluster):",
                  r'\1"\2":', text)
    role = json.loads(re.sub(r",\s*\]", "]", text))
    assert role["roles"] == []
    return role["role"], role["privileges"]


class UnderAccessControl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kind = find_server()
        if kind == "mongod":
            kind = next((one for one in ("rust", "python") if locate(one)), None)
            if kind is None:
                raise unittest.SkipTest("mongod's access control needs a key file set up by hand")
        storage = tempfile.TemporaryDirectory(prefix="holdfast-auth-")
        cls.addClassCleanup(storage.cleanup)
        with TestServer.start(kind, storage.name) as server:
            client = pymongo.MongoClient(server.uri, directConnection=True)
            client.admin.command("createUser", ROOT[0], pwd=ROOT[1], roles=["root"])
            client.close()
        cls.server = TestServer.start(kind, storage.name, options=["--auth"])
        cls.addClassCleanup(cls.server.stop)
        cls.client = pymongo.MongoClient(cls.uri_as(*ROOT))
        cls.client.shop.users.insert_many([{"_id": i, "name": f"user {i}"} for i in range(50)])
        cls.client.shop.users.create_index("name")
        cls.client.shop.command("create", "checked", validator={"n": {"$type": "int"}})
        cls.client.shop.command("create", "people", viewOn="users", pipeline=[])

    @classmethod
    def uri_as(cls, user, password, database="shop"):
        address = cls.server.uri.split("://")[1].rstrip("/")
        return (f"mongodb://{quote(user)}:{quote(password)}@{address}/{database}"
                "?authSource=admin&directConnection=true")

    def setUp(self):
        folder = harness.temporary_folder()
        self.addCleanup(folder.cleanup)
        self.holdfast = harness.Holdfast(folder.name, self.uri_as(*ROOT))
        self.holdfast.init()

    def checks(self, uri, code):
        report = self.holdfast.result("doctor", "--uri", uri, expect=code)
        return {check["name"]: check for check in report["checks"]}

    def told(self, checks):
        """Whether the server lists privileges; the Python one does not, and doctor says so."""
        if "account" in checks:
            self.assertEqual(checks["account"]["verdict"], "warn")
            self.assertIn("does not tell", checks["account"]["finding"])
        return "account" not in checks

    def make_user(self, user, role=None, privileges=()):
        for command, name in (("dropUser", user), ("dropRole", role)):
            try:
                if name:
                    self.client.admin.command(command, name)
            except pymongo.errors.OperationFailure:
                pass
        roles = []
        if role:
            self.client.admin.command("createRole", role, privileges=list(privileges), roles=[])
            roles = [{"role": role, "db": "admin"}]
        self.client.admin.command("createUser", user, pwd="pa55", roles=roles)
        return self.uri_as(user, "pa55")

    def test_root_may_do_everything(self):
        checks = self.checks(self.uri_as(*ROOT), 0)
        if self.told(checks):
            self.assertEqual(checks["backup rights"]["verdict"], "ok", checks)
            self.assertEqual(checks["restore rights"]["verdict"], "ok", checks)

    def test_a_wrong_password_is_told_without_it(self):
        output = self.holdfast.run("doctor", "--uri", self.uri_as("keeper", "hunter2"), expect=4)
        self.assertIn("fail  connection", output)
        self.assertNotIn("hunter2", output)

    def test_the_roles_that_it_prints_are_enough(self):
        nobody = self.make_user("nobody")
        checks = self.checks(nobody, 4)
        self.assertEqual(checks["backup rights"]["verdict"], "fail", checks)
        self.assertEqual(checks["restore rights"]["verdict"], "warn", checks)

        backup_uri = self.make_user("saver", *role_from(checks["backup rights"]["advice"]))
        restore_uri = self.make_user("bringer", *role_from(checks["restore rights"]["advice"]))
        checks = self.checks(backup_uri, 0)
        if self.told(checks):
            self.assertEqual(checks["backup rights"]["verdict"], "ok")
            self.assertEqual(checks["restore rights"]["verdict"], "warn")

        result = self.holdfast.result("backup", "--uri", backup_uri)
        self.assertEqual(result["snapshot"]["collections"], 3)
        self.holdfast.run("restore", "latest", "--uri", backup_uri, "--drop", "--yes", expect=1)

        self.client.shop.users.delete_many({"_id": {"$lt": 10}})
        restored = self.holdfast.result("restore", "latest", "--uri", restore_uri, "--drop",
                                        "--yes")
        self.assertTrue(restored["identical"], restored)
        self.client.drop_database("shop")
        restored = self.holdfast.result("restore", "latest", "--uri", restore_uri)
        self.assertTrue(restored["identical"], restored)
        self.assertEqual(self.client.shop.users.count_documents({}), 50)


class Standalone(unittest.TestCase):
    def test_a_standalone_is_a_warning_with_the_commands_to_change_it(self):
        with TestServer.start(find_server(), standalone=True) as server, \
                harness.temporary_folder() as folder:
            holdfast = harness.Holdfast(folder, server.uri.rstrip("/") + "/shop")
            holdfast.init()
            output = holdfast.run("doctor")
            self.assertIn("warn  topology", output)
            self.assertIn("rs.initiate(", output)
            self.assertIn("replSetName: rs0", output)
            self.assertIn("warn  snapshots", output)


if __name__ == "__main__":
    harness.require_program()
    unittest.main(verbosity=2 if "-v" in sys.argv else 1, warnings="ignore")
