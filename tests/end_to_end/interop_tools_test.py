#!/usr/bin/env python3
"""`export` and `import` against the real mongodump and mongorestore, where they are on PATH."""

import shutil
import subprocess
import sys
import unittest

import dump_format
import harness
from dump_samples import WithServer, by_key, sample_dump


class RealTools(WithServer):
    def test_mongorestore_reads_what_is_exported(self):
        dump = {ns: dumped for ns, dumped in sample_dump().items() if ns[1] != "types"}
        self.pipe("import", "-", data=dump_format.make_archive(dump))
        out = self.folder / "out"
        self.holdfast.run("export", "latest", "--to", str(out))
        subprocess.run(["mongorestore", "--stopOnError", f"--uri={self.server.uri}", str(out)],
                       check=True)
        for (database, name), dumped in dump.items():
            if dump_format.has_documents(dumped.metadata):
                found = [raw.raw for raw in self.client[database][name].find()]
                self.assertEqual(by_key(found), by_key(dumped.documents), name)

    def test_mongodump_is_read(self):
        self.client.shop.users.insert_many([{"_id": i} for i in range(100)])
        archive = self.folder / "real.archive"
        subprocess.run(["mongodump", f"--uri={self.server.uri}", "--gzip", f"--archive={archive}"],
                       check=True)
        self.holdfast.run("import", str(archive))
        shown = self.holdfast.result("show", "latest")
        self.assertEqual([(one["name"], one["documents"]) for one in shown["collections"]],
                         [("shop.users", 100)])


if __name__ == "__main__":
    harness.require_program()
    for program in ("mongodump", "mongorestore"):
        if shutil.which(program) is None:
            harness.skip(f"needs {program}, which is not on PATH")
    unittest.main(verbosity=2 if "-v" in sys.argv else 1, warnings="ignore")
