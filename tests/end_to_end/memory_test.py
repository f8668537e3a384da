#!/usr/bin/env python3
"""Memory stays within 256 MiB also where every document is nearly as large as a document can be:
the peak of `backup` (also while all documents are being replaced), `verify` and `restore`, as the
system counted it.
HOLDFAST_LARGE_DOCUMENTS: how many there are (36 in CI, else 24).
"""

import os
import random
import subprocess
import sys
import threading

import bson
import pymongo
from bson.raw_bson import RawBSONDocument

import harness
from server import TestServer, find_server

DATABASE = "large"
MOST_MEBIBYTES = 256
DOCUMENT_BYTES = int(15.9 * 1024 * 1024)
DOCUMENTS = int(os.environ.get("HOLDFAST_LARGE_DOCUMENTS",
                               36 if os.environ.get("CI") == "true" else 24))


def document(dice, number):
    """Half of it does not compress."""
    half = DOCUMENT_BYTES // 2
    return RawBSONDocument(bson.encode({"_id": number, "noise": dice.randbytes(half),
                                        "text": "قلیان " * (half // len("قلیان ".encode()))}))


def peak_of(holdfast, *arguments):
    """Runs the program to its end; returns its output and the most memory that it held, in MiB."""
    with subprocess.Popen([harness.PROGRAM, *arguments], env=holdfast.environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (arguments, process.returncode, output)
    return output, usage.ru_maxrss / 1024


class Replacing:
    """Replaces one document after the other, until the end of the `with` block."""

    def __init__(self, uri, dice):
        self.uri, self.dice = uri, dice
        self.count = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        collection = pymongo.MongoClient(self.uri, directConnection=True)[DATABASE].files
        while not self.over.is_set():
            number = self.count % DOCUMENTS
            collection.replace_one({"_id": number}, document(self.dice, number))
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def main():
    harness.require_program()
    kind = find_server()
    if kind == "python":
        harness.skip("the Python server is too slow for so much data")
    dice = random.Random(1)
    with TestServer.start(kind) as server, harness.temporary_folder() as folder:
        collection = pymongo.MongoClient(server.uri, directConnection=True)[DATABASE].files
        for number in range(DOCUMENTS):
            collection.insert_one(document(dice, number))
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        peaks = {}
        _, peaks["backup"] = peak_of(holdfast, "backup", "--database", DATABASE)
        _, peaks["backup, max"] = peak_of(holdfast, "backup", "--independent",
                                          "--database", DATABASE, "--compression", "max")
        with Replacing(server.uri, dice) as replacing:
            _, peaks["backup, all replaced"] = peak_of(holdfast, "backup", "--independent",
                                                       "--database", DATABASE)
        assert replacing.count > DOCUMENTS // 2, f"only {replacing.count} were replaced meanwhile"
        _, peaks["verify"] = peak_of(holdfast, "verify", "--read-data")
        output, peaks["restore"] = peak_of(holdfast, "restore", "latest", "--as", "again")
        assert "identical with snapshot" in output, output
        output, peaks["restore, replacing"] = peak_of(
            holdfast, "restore", "latest", "--as", "again", "--merge", "--on-conflict", "replace",
            "--yes")
        assert "identical with snapshot" in output, output
        print(f"{DOCUMENTS} documents of {DOCUMENT_BYTES:,} bytes: " +
              ", ".join(f"{what} {peak:.0f} MiB" for what, peak in peaks.items()), flush=True)
        for what, peak in peaks.items():
            assert peak <= MOST_MEBIBYTES, f"{what}: more than {MOST_MEBIBYTES} MiB"
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
