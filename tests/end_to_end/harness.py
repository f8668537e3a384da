"""What the end-to-end tests share: a repository, the built program, raw documents of a server."""

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import bson
import pymongo
from bson.raw_bson import RawBSONDocument

PROGRAM = os.environ.get("HOLDFAST_BIN", "")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


def require_program():
    if not PROGRAM or not Path(PROGRAM).is_file():
        skip("HOLDFAST_BIN names no built program")


class Holdfast:
    """Runs the program on one repository, which it makes with a password of its own."""

    def __init__(self, folder, uri):
        self.folder = Path(folder)
        self.uri = uri
        self.repository = self.folder / "repository"
        self.password = self.folder / "password"
        self.password.write_text("correct horse battery staple\n")
        self.password.chmod(0o600)
        self.environment = {**os.environ, "HOLDFAST_REPOSITORY": str(self.repository),
                            "HOLDFAST_PASSWORD_FILE": str(self.password), "MONGODB_URI": uri}

    def init(self):
        self.run("init", "--recovery-key-file", str(self.folder / "recovery"))

    def start(self, *arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([PROGRAM, *arguments], env=self.environment,
                                stdin=subprocess.DEVNULL, text=True, **options)

    def run(self, *arguments, expect=0):
        """Runs to the end; fails the test on another exit code. Returns standard output."""
        done = subprocess.run([PROGRAM, *arguments], env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != expect:
            raise AssertionError(f"holdfast {' '.join(arguments)} ended with {done.returncode} "
                                 f"instead of {expect}\n{done.stdout}\n{done.stderr}")
        return done.stdout if expect == 0 else done.stdout + done.stderr

    def result(self, *arguments, expect=0):
        """Runs with --json and returns the final result."""
        return last_result(self.run(*arguments, "--json", expect=expect))


def last_result(output):
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            found = json.loads(line)
            if found.get("type", "result") == "result":
                return found.get("result", found)
    raise AssertionError(f"no result in:\n{output}")


def cluster_time(snapshot):
    """The one moment of an exact snapshot; fails the test for another one."""
    consistency = snapshot["consistency"]
    assert consistency["kind"] == "exact", consistency
    return bson.Timestamp(consistency["cluster_time"]["seconds"],
                          consistency["cluster_time"]["increment"])


def seeds(in_ci, else_count):
    """Those of HOLDFAST_SEEDS=1,2,7, else so many."""
    chosen = os.environ.get("HOLDFAST_SEEDS")
    if chosen:
        return [int(seed) for seed in chosen.split(",")]
    return list(range(1, 1 + (in_ci if os.environ.get("CI") == "true" else else_count)))


def raw_database(uri, name):
    client = pymongo.MongoClient(uri, directConnection=True, document_class=RawBSONDocument)
    return client[name]


def key_bytes(raw):
    """The `_id` of a raw document as bytes that are equal for equal keys of one type."""
    return bson.encode({"": raw["_id"]})


def digest(data):
    return hashlib.blake2b(data, digest_size=16).digest()


def read_digests(database):
    """{(collection, key): digest of the raw document} of all collections that hold documents."""
    found = {}
    for info in database.list_collections():
        name = info["name"]
        if info.get("type", "collection") == "view" or name.startswith("system."):
            continue
        for raw in database[name].find({}, batch_size=5000):
            found[name, key_bytes(raw)] = digest(raw.raw)
    return found


def read_bson_file(path):
    """The documents of a file of concatenated BSON; a cut last one is left out."""
    data = Path(path).read_bytes()
    at = 0
    while at + 4 <= len(data):
        size, = struct.unpack_from("<i", data, at)
        if at + size > len(data):
            return
        yield RawBSONDocument(data[at:at + size])
        at += size


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="holdfast-test-")
