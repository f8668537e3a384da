#!/usr/bin/env python3
"""`export` and `import` against a second reader and writer of the same formats, which shares no
code with Holdfast (dump_format.py), and against the real tools where they are on PATH."""

import csv
import datetime
import gzip
import io
import json
import subprocess
import sys
import unittest
from pathlib import Path

import bson
from bson import json_util

import dump_format
import harness
from dump_format import Dumped
from dump_samples import WithServer, by_key, every_type, metadata, numbered, sample_dump
from harness import PROGRAM


class Dumps(WithServer):
    def same_dump(self, found, expected, in_order=()):
        self.assertEqual(set(found), set(expected))
        for ns, dumped in expected.items():
            self.assertEqual(found[ns].metadata["options"], dumped.metadata["options"], ns)
            self.assertEqual(found[ns].metadata["indexes"], dumped.metadata["indexes"], ns)
            self.assertEqual(found[ns].metadata["type"], dumped.metadata["type"], ns)
            if ns in in_order:
                self.assertEqual(found[ns].documents, dumped.documents, ns)
            else:
                self.assertEqual(by_key(found[ns].documents), by_key(dumped.documents), ns)

    def round_trip(self, path):
        """A foreign dump → snapshot → each of our exports → the foreign reader."""
        expected = sample_dump()
        self.holdfast.run("import", str(path))
        capped = [("shop", "capped")]
        out = self.folder / "out"
        self.holdfast.run("export", "latest", "--to", str(out))
        self.same_dump(dump_format.read_folder(out)[0], expected, capped)
        return expected, capped

    def test_folders(self):
        dump_format.write_folder(self.folder / "dump", sample_dump())
        self.round_trip(self.folder / "dump")

    def test_packed_folders(self):
        dump_format.write_folder(self.folder / "dump", sample_dump(), packed=True)
        expected, capped = self.round_trip(self.folder / "dump")
        packed = self.folder / "packed"
        self.holdfast.run("export", "latest", "--to", str(packed), "--gzip")
        self.assertTrue(all(path.suffix == ".gz" for path in packed.rglob("*") if path.is_file()))
        self.same_dump(dump_format.read_folder(packed)[0], expected, capped)

    def test_interleaved_archives(self):
        path = self.folder / "shop.archive"
        path.write_bytes(dump_format.make_archive(sample_dump(), segment_documents=2))
        expected, capped = self.round_trip(path)
        for arguments in (["--archive"], ["--archive", "--gzip"]):
            data = self.pipe("export", "latest", "--to", "-", *arguments)
            if "--gzip" in arguments:
                data = gzip.decompress(data)
            self.same_dump(dump_format.read_archive(data)[0], expected, capped)

    def test_packed_archives_from_a_pipe(self):
        data = gzip.compress(dump_format.make_archive(sample_dump()))
        # Two members, as some tools write them.
        self.pipe("import", "-", data=data[:0] + data)
        out = self.folder / "out.archive"
        self.holdfast.run("export", "latest", "--to", str(out))
        self.same_dump(dump_format.read_archive(out.read_bytes())[0], sample_dump())

    def test_tar_files(self):
        for prefix in ("", "./", "20261123_091414/"):
            path = self.folder / f"in-{len(prefix)}.tar.gz"
            dump_format.write_tar(path, sample_dump(), prefix)
            self.holdfast.run("import", str(path))
            out = self.folder / f"out-{len(prefix)}.tar.gz"
            self.holdfast.run("export", "latest", "--to", str(out))
            self.same_dump(dump_format.read_tar(out)[0], sample_dump(), [("shop", "capped")])
            listed = subprocess.run(["tar", "-tzf", str(out)], capture_output=True, check=True)
            self.assertIn(b"shop/plain.bson\n", listed.stdout)

    def test_single_bson_files(self):
        dump_format.write_folder(self.folder / "dump", sample_dump())
        self.holdfast.run("import", str(self.folder / "dump/shop/indexed.bson"))
        shown = self.holdfast.result("show", "latest")
        self.assertEqual([one["name"] for one in shown["collections"]], ["shop.indexed"])
        self.assertEqual(len(shown["collections"][0]["indexes"]), 5)
        data = b"".join(numbered(7))
        self.pipe("import", "-", "--database", "shop", "--collection", "loose", data=data)
        self.assertEqual(self.pipe("export", "latest", "--format", "bson", "--to", "-"), data)

    def test_a_dump_goes_into_a_server_and_comes_back(self):
        expected = {ns: dumped for ns, dumped in sample_dump().items()
                    if ns[1] not in ("types",) and "\n" not in ns[1]}
        path = self.folder / "in.archive"
        path.write_bytes(dump_format.make_archive(expected))
        self.holdfast.run("import", str(path), "--to", self.server.uri)
        again = self.holdfast.run("import", str(path), "--to", self.server.uri, expect=1)
        self.assertIn("exist already", again)
        out = self.folder / "out"
        self.holdfast.run("export", "--from", self.server.uri, "--to", str(out))
        found = dump_format.read_folder(out)[0]
        self.assertEqual(set(found), set(expected))
        for ns, dumped in expected.items():
            self.assertEqual(by_key(found[ns].documents), by_key(dumped.documents), ns)
            names = lambda one: {index["name"] for index in one.metadata["indexes"]}
            self.assertEqual(names(found[ns]), names(dumped), ns)

    def test_damage_changes_nothing(self):
        whole = dump_format.make_archive(sample_dump())
        wrong_sum = dump_format.make_archive(sample_dump(), wrong_crc=("shop", "plain"))
        cases = {"wrong sum": wrong_sum, "cut": whole[:-40], "cut inside": whole[:len(whole) // 2],
                 "not packed": b"\x1f\x8b\x08" + whole, "packed and cut": gzip.compress(whole)[:-9],
                 "empty": b"", "noise": bytes(range(256)) * 9}
        flipped = bytearray(whole)
        flipped[len(whole) * 2 // 3] ^= 0x20
        cases["flipped"] = bytes(flipped)
        for name, data in cases.items():
            done = subprocess.run([PROGRAM, "import", "-"], env=self.holdfast.environment,
                                  input=data, capture_output=True, check=False)
            self.assertIn(done.returncode, (1, 2, 4), (name, done.stderr))
            self.assertIn(b"error:", done.stderr, name)
        self.assertEqual(self.holdfast.result("snapshots")["snapshots"], [])

    def test_salvage_gives_up_everything_that_is_whole(self):
        dump = {("shop", "users"): Dumped(metadata("users"), numbered(300)),
                ("shop", "orders"): Dumped(metadata("orders"), numbered(300, 1000))}
        whole = dump_format.make_archive(dump, segment_documents=20)
        at = whole.index(dump[("shop", "users")].documents[157])
        broken = bytearray(whole)
        broken[at:at + 4] = b"\x7f\x00\x00\x7f"
        output = subprocess.run([PROGRAM, "import", "-", "--salvage"], input=bytes(broken),
                                env=self.holdfast.environment, capture_output=True, check=False)
        self.assertEqual(output.returncode, 3, output.stderr)
        self.assertIn(b"shop.users", output.stderr)
        self.assertNotIn(b"shop.orders", output.stderr)
        data = self.pipe("export", "latest", "--archive", "--to", "-")
        found = dump_format.read_archive(data)[0]
        self.assertEqual(found["shop", "orders"].documents, dump["shop", "orders"].documents)
        users = dump["shop", "users"].documents
        self.assertEqual(found["shop", "users"].documents, users[:157] + users[158:])
        # Cut in the middle: what came before is there, and what is missing is said.
        cut = subprocess.run([PROGRAM, "import", "-", "--salvage"], input=whole[:len(whole) // 2],
                             env=self.holdfast.environment, capture_output=True, check=False)
        self.assertEqual(cut.returncode, 3, cut.stderr)
        self.assertIn(b"no end", cut.stderr)

    def test_salvage_of_a_packed_archive_gives_what_can_be_unpacked(self):
        dump = {("shop", "users"): Dumped(metadata("users"), numbered(20000))}
        packed = gzip.compress(dump_format.make_archive(dump, segment_documents=500))
        done = subprocess.run([PROGRAM, "import", "-", "--salvage"],
                              input=packed[:len(packed) * 3 // 4],
                              env=self.holdfast.environment, capture_output=True, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"unpacked", done.stderr)
        count = self.holdfast.result("show", "latest")["collections"][0]["documents"]
        self.assertGreater(count, 10000)
        self.assertLess(count, 20000)

    def test_thousands_of_collections_and_a_clustered_one(self):
        dump = {("shop", f"c{number:04}"): Dumped(metadata(f"c{number:04}"), numbered(1, number))
                for number in range(2000)}
        clustered = {"clusteredIndex": {"v": 2, "key": {"_id": 1}, "name": "_id_", "unique": True}}
        dump["shop", "clustered"] = Dumped(
            metadata("clustered", options=clustered, indexes=[]), numbered(5))
        self.pipe("import", "-", data=dump_format.make_archive(dump))
        out = self.folder / "out"
        self.holdfast.run("export", "latest", "--to", str(out), "--gzip")
        self.same_dump(dump_format.read_folder(out)[0], dump)
        data = self.pipe("export", "latest", "--archive", "--to", "-")
        self.same_dump(dump_format.read_archive(data)[0], dump)

    def test_a_time_series_in_buckets_is_missed_and_never_made_empty(self):
        series = metadata("weather", kind="timeseries",
                          options={"timeseries": {"timeField": "at"}}, indexes=[])
        dump = {("shop", "weather"): Dumped(series),
                ("shop", "system.buckets.weather"): Dumped(metadata("system.buckets.weather"),
                                                           numbered(3)),
                ("shop", "users"): Dumped(metadata("users"), numbered(3))}
        folder = self.folder / "dump"
        dump_format.write_folder(folder, dump)
        (folder / "shop/weather.bson").unlink()
        (folder / "shop/system.buckets.weather.metadata.json").unlink()
        archive = dump_format.make_archive(dump)
        # Of the series itself an archive has no segment.
        end = bson.encode({"db": "shop", "collection": "weather", "EOF": True,
                           "CRC": bson.Int64(0)}) + dump_format.TERMINATOR
        empty = end.replace(b"\x08EOF\x00\x01", b"\x08EOF\x00\x00")
        archive = archive.replace(end, b"").replace(empty, b"")
        for data, path in ((b"", folder), (archive, "-")):
            done = subprocess.run([PROGRAM, "import", path], input=data, capture_output=True,
                                  env=self.holdfast.environment, check=False)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(b"shop.weather is left out", done.stderr)
            shown = self.holdfast.result("show", "latest")
            self.assertEqual([one["name"] for one in shown["collections"]], ["shop.users"])

    def test_hostile_names_climb_nowhere(self):
        bad = {("..", "evil"): Dumped(metadata("evil"), numbered(1))}
        self.pipe("import", "-", data=dump_format.make_archive(bad))
        self.pipe("export", "latest", "--to", str(self.folder / "out"), expect=2)
        self.assertFalse((self.folder / "evil.bson").exists())
        self.assertFalse((self.folder / "out").exists())
        path = self.folder / "climb.tar.gz"
        dump_format.write_tar(path, {("shop", "a"): Dumped(metadata("a"))}, prefix="../")
        self.holdfast.run("import", str(path), expect=4)

    def test_a_bomb_is_refused(self):
        bomb = gzip.compress(bytes(600 * 1024 * 1024), 9)
        done = subprocess.run([PROGRAM, "import", "-"], env=self.holdfast.environment, input=bomb,
                              capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"error:", done.stderr)

    def test_nothing_that_exists_is_overwritten(self):
        self.pipe("import", "-", "--database", "shop", "--collection", "a",
                  data=b"".join(numbered(1)))
        (self.folder / "full").mkdir()
        (self.folder / "full/file").write_text("dear")
        (self.folder / "there.archive").write_text("dear")
        self.pipe("export", "latest", "--to", self.folder / "full", expect=1)
        self.pipe("export", "latest", "--to", self.folder / "there.archive", expect=1)
        self.assertEqual((self.folder / "there.archive").read_text(), "dear")
        left = [path.name for path in self.folder.iterdir() if "partial" in path.name]
        self.assertEqual(left, [])

    def test_a_folder_of_old_dumps_is_adopted(self):
        old = self.folder / "old"
        old.mkdir()
        same = Dumped(metadata("same"), numbered(2000))
        first = {("shop", "same"): same, ("shop", "grows"): Dumped(metadata("grows"), numbered(2))}
        second = {("shop", "same"): same, ("shop", "grows"): Dumped(metadata("grows"), numbered(5))}
        dump_format.write_folder(old / "20250301_120000", first, packed=True)
        (old / "20250201_120000.archive").write_bytes(dump_format.make_archive(first))
        dump_format.write_tar(old / "20250401_120000.tar.gz", second)
        result = self.holdfast.result("import", str(old), "--adopt")
        self.assertEqual([Path(one["path"]).name for one in result["adopted"]],
                         ["20250201_120000.archive", "20250301_120000", "20250401_120000.tar.gz"])
        self.assertEqual([one["shared_collections"] for one in result["adopted"]], [0, 2, 1])
        finished = [one["finished"][:10] for one in
                    self.holdfast.result("snapshots")["snapshots"]]
        self.assertEqual(finished, ["2025-02-01", "2025-03-01", "2025-04-01"])
        self.assertTrue(self.holdfast.result("verify", "--read-data")["whole"])
        data = self.pipe("export", "latest", "--archive", "--to", "-")
        self.same_dump(dump_format.read_archive(data)[0], second)
        (old / "readme.txt").write_text("not a dump")
        output = self.holdfast.run("import", str(old), "--adopt", expect=3)
        self.assertIn("readme.txt", output)

    def test_dumps_are_verified_where_they_lie(self):
        path = self.folder / "20261123_091414.tar.gz"
        dump_format.write_tar(path, sample_dump())
        script = Path(__file__).resolve().parents[2] / "scripts/verify-backup.sh"
        run = lambda *arguments: subprocess.run(
            [script, path, *arguments], env={"HOLDFAST": PROGRAM, "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False)
        whole = run("plain", "other.plain")
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.assertIn("whole", whole.stdout)
        missing = run("users")
        self.assertEqual(missing.returncode, 4)
        self.assertIn("users is missing", missing.stdout)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x10
        path.write_bytes(data)
        self.assertEqual(run().returncode, 4)
        report = self.holdfast.result("verify", str(path), expect=4)
        self.assertFalse(report["whole"])


class Texts(WithServer):
    def load(self, documents):
        self.pipe("import", "-", "--database", "shop", "--collection", "things",
                  data=b"".join(documents))

    def test_canonical_json_keeps_every_type(self):
        documents = [every_type()] + numbered(3)
        self.load(documents)
        for extra in ([], ["--json-array"], ["--pretty"], ["--json-array", "--pretty"]):
            text = self.pipe("export", "latest", "--format", "json", "--to", "-", *extra)
            if not extra:
                lines = text.decode().splitlines()
                self.assertEqual(len(lines), 4)
                read = [bson.encode(json_util.loads(line, json_options=json_util.JSONOptions(
                    json_mode=json_util.JSONMode.CANONICAL, tz_aware=False,
                    datetime_conversion="datetime_auto"))) for line in lines if "part" not in line]
                self.assertEqual(by_key(read), by_key(numbered(3)))
            if extra == ["--json-array"]:
                self.assertEqual(len(json.loads(text)), 4)
            self.pipe("import", "-", "--database", "shop", "--collection", "things", data=text)
            back = self.pipe("export", "latest", "--format", "bson", "--to", "-")
            self.assertEqual(by_key(dump_format.split_documents(back)), by_key(documents))

    def test_relaxed_json_reads_easily(self):
        self.load(numbered(1))
        text = self.pipe("export", "latest", "--format", "json", "--json-format", "relaxed",
                         "--to", "-")
        self.assertEqual(json.loads(text), {"_id": 0, "name": "user 0", "sum": 0})

    def test_a_bad_line_is_named_and_changes_nothing(self):
        text = b'{"_id":1}\n{"_id":2,"a":{"$numberInt":"x"}}\n{"_id":3}\nnonsense\n{"_id":4}\n'
        done = subprocess.run([PROGRAM, "import", "-", "--database", "shop", "--collection", "a"],
                              env=self.holdfast.environment, input=text, capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(b"line 2", done.stderr)
        report = self.folder / "bad.jsonl"
        self.pipe("import", "-", "--database", "shop", "--collection", "a", "--skip-bad",
                  "--report", str(report), data=text, expect=3)
        self.assertEqual([json.loads(line)["line"] for line in report.read_text().splitlines()],
                         [2, 4])
        back = self.pipe("export", "latest", "--format", "bson", "--to", "-")
        self.assertEqual([bson.decode(one)["_id"] for one in dump_format.split_documents(back)],
                         [1, 3, 4])

    def test_modes(self):
        things = self.client.shop.things
        put = lambda text, *options, expect=0: self.pipe(
            "import", "-", "--to", self.server.uri, "--database", "shop", "--collection", "things",
            *options, data=text.encode(), expect=expect)
        put('{"_id":1,"a":1,"b":1}\n{"_id":2,"a":2}\n')
        output = put('{"_id":2,"a":0}\n{"_id":3,"a":3}\n', expect=3)
        find = lambda key: bson.decode(things.find_one({"_id": key}).raw)
        self.assertEqual((find(2)["a"], find(3)["a"]), (2, 3), output)
        put('{"_id":1,"c":1}\n', "--mode", "upsert")
        self.assertEqual(find(1), {"_id": 1, "c": 1})
        put('{"_id":2,"z":9}\n{"_id":7,"z":7}\n', "--mode", "merge")
        self.assertEqual(find(2), {"_id": 2, "a": 2, "z": 9})
        self.assertEqual(find(7), {"_id": 7, "z": 7})
        put('{"z":9,"new":true}\n', "--mode", "merge", "--upsert-fields", "z")
        self.assertEqual(find(2), {"_id": 2, "a": 2, "z": 9, "new": True})
        put('{"_id":7}\n{"_id":77}\n', "--mode", "delete", "--yes")
        self.assertEqual(things.count_documents({}), 3)

    def test_tables(self):
        text = ('sku,"price, net",at,tags.first\n'
                '"a ""quoted"" one",1.50,2026-03-20T12:30:00Z,"two\nlines"\n'
                'b,x,2026-03-20T12:30:00Z,\n')
        fields = "sku,price.decimal(),at.date(),tags.first"
        rows = text.split("\n", 1)[1]
        report = self.folder / "bad.jsonl"
        self.pipe("import", "-", "--format", "csv", "--database", "shop", "--collection", "prices",
                  "--fields", fields, "--skip-bad", "--report", report, data=rows.encode(),
                  expect=3)
        self.assertEqual(json.loads(report.read_text())["line"], 3)
        back = self.pipe("export", "latest", "--format", "bson", "--to", "-")
        found = bson.decode(back)
        self.assertEqual(found.pop("_id").__class__, bson.ObjectId)
        self.assertEqual(found, {
            "sku": 'a "quoted" one', "price": bson.Decimal128("1.50"),
            "at": datetime.datetime(2026, 3, 20, 12, 30), "tags": {"first": "two\nlines"}})
        table = self.pipe("export", "latest", "--format", "csv", "--fields",
                          "sku,price,at,tags,missing", "--to", "-").decode()
        self.assertEqual(list(csv.reader(io.StringIO(table))), [
            ["sku", "price", "at", "tags", "missing"],
            ['a "quoted" one', "1.50", "2026-03-20T12:30:00Z", '{"first":"two\\nlines"}', ""]])

    def test_queries_choose_documents(self):
        self.load(numbered(20))
        for query, expected in [({"_id": {"$gte": 5, "$lt": 8}}, [5, 6, 7]),
                                ({"name": {"$regex": "^USER 1$", "$options": "i"}}, [1]),
                                ({"$or": [{"_id": 3}, {"sum": {"$in": [190]}}]}, [3, 19])]:
            text = self.pipe("export", "latest", "--query", json.dumps(query), "--format", "json",
                             "--to", "-")
            self.assertEqual([json.loads(line)["_id"]["$numberInt"]
                              for line in text.splitlines()], [str(key) for key in expected])
        self.pipe("export", "latest", "--query", '{"$where":"1"}', "--format", "json", "--to", "-",
                  expect=1)


if __name__ == "__main__":
    harness.require_program()
    unittest.main(verbosity=2 if "-v" in sys.argv else 1, warnings="ignore")
