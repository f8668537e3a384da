#!/usr/bin/env python3
"""Every line of docs/guide.md that calls Holdfast works, in the order in which it is written; those
that also call docker, with a stand-in that knows which lines docker and the tools take."""

import json
import re
import shlex
import subprocess
import sys
import unittest
from pathlib import Path

import harness
from dump_samples import sample_dump
from harness import PROGRAM
from server import TestServer, find_server

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide.md"


def lines_to_run():
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()
            if not line.startswith("#")]


def docker_lines():
    return [line.removeprefix("# ") for line in GUIDE.read_text().splitlines()
            if re.search(r"^(# )?(holdfast [^`]*\| )?docker ", line)]


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = TestServer.start(find_server())
        cls.addClassCleanup(cls.server.stop)

    def test_every_line_works(self):
        lines = lines_to_run()
        self.assertGreater(len(lines), 25)
        with harness.temporary_folder() as folder:
            uri = self.server.uri.rstrip("/") + "/shop"
            shop = harness.raw_database(self.server.uri, "shop")
            for name in ("shop", "shop_check"):
                shop.client.drop_database(name)
            shop.users.insert_many([{"_id": i, "name": f"user {i}"} for i in range(50)])
            shop.orders.insert_many([{"_id": i, "sum": i * 10} for i in range(50)])
            shop.logs.insert_one({"_id": 1})
            before = harness.read_digests(shop)
            holdfast = harness.Holdfast(folder, uri)
            work = Path(folder) / "shop"
            work.mkdir()
            environment = {**holdfast.environment,
                           "PATH": f"{Path(PROGRAM).parent}:/usr/bin:/bin"}
            for line in lines:
                self.assertTrue(line.startswith("holdfast "), line)
                done = subprocess.run(["bash", "-o", "pipefail", "-c", line], env=environment,
                                      cwd=work, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}\n{done.stderr}")
            after = harness.read_digests(shop)
            self.assertEqual({key: one for key, one in after.items() if key[0] != "people"},
                             before)
            self.assertEqual(sum(key[0] == "people" for key in after), 50)

    def test_docker_lines_work(self):
        lines = docker_lines()
        self.assertEqual(len(lines), 4)
        expected = {f"{ns[0]}.{ns[1]}": len(dumped.documents)
                    for ns, dumped in sample_dump().items()}
        with harness.temporary_folder() as folder:
            folder = Path(folder)
            holdfast = harness.Holdfast(folder, self.server.uri)
            holdfast.init()
            tools = folder / "tools"
            tools.mkdir()
            stand_in = Path(__file__).with_name("stand_in_docker.py")
            program = shlex.join([sys.executable, str(stand_in)])
            (tools / "docker").write_text(f'#!/bin/sh\nexec {program} "$@"\n')
            (tools / "docker").chmod(0o755)
            environment = {**holdfast.environment, "HOLDFAST_STAND_IN_FOLDER": str(folder),
                           "PYTHONPATH": ":".join(sys.path),
                           "PATH": f"{tools}:{Path(PROGRAM).parent}:/usr/bin:/bin"}
            for line in lines:
                if "< shop.archive" in line:  # what the line before it left is packed
                    self.run_line("gunzip -c shop.archive.gz > shop.archive", environment, folder)
                self.run_line(line, environment, folder)
            self.assertEqual(json.loads((folder / "seen").read_text()), expected)

    def run_line(self, line, environment, folder):
        done = subprocess.run(["bash", "-o", "pipefail", "-c", line], env=environment, cwd=folder,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    harness.require_program()
    unittest.main(verbosity=2 if "-v" in sys.argv else 1, warnings="ignore")
