#!/usr/bin/env python3
"""What an operator meets when files of a repository are damaged, lost, foreign or too new: `verify`
names it with exit code 4, `restore` never brings anything wrong, and nothing crashes. (That every
single flipped byte is noticed is tested in src/repository/damage_test.cpp.)"""

import hashlib
import shutil
import sys

import pymongo

import harness
from server import TestServer, find_server

DATABASE = "shop"
DAMAGED = 4
WRONG_KEY = 12
# An unreadable repository is exit code 4, too, unless it cannot be told from a wrong key.
TOLD = (DAMAGED, WRONG_KEY)


def files_of(holdfast):
    return sorted(path for path in holdfast.repository.rglob("*") if path.is_file())


def code_of(holdfast, *arguments):
    process = holdfast.start(*arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode >= 0, (arguments, process.returncode, output, errors)
    return process.returncode, output, errors


class Check:
    """A damaged repository: what verify, snapshots and restore make of it."""

    def __init__(self, server, holdfast, live):
        self.holdfast, self.live = holdfast, live
        self.database = harness.raw_database(server.uri, "again")
        self.restored = 0

    def noticed(self, what, may_be_unnoticed=False):
        code, output, errors = code_of(self.holdfast, "verify", "--read-data")
        assert code in TOLD or may_be_unnoticed and code == 0, (what, code, output, errors)
        code, output, errors = code_of(self.holdfast, "restore", "latest", "--as", "again")
        if code == 0:
            # Another snapshot may be the latest now, or the damage may lie elsewhere.
            assert harness.read_digests(self.database) in self.live, (what, output)
            self.restored += 1
        else:
            assert "identical with" not in output and "error:" in errors, (what, output, errors)
        self.database.client.drop_database("again")


def damage(check, holdfast, newest):
    tried = 0
    for path in files_of(holdfast):
        original = path.read_bytes()
        garbage = path.parent.name == "leases"
        # As of the newest snapshot: the log just seems to end earlier.
        end_of_log = path == max(path.parent.iterdir()) and path.parent.name == "log"
        path.unlink()
        check.noticed(f"{path} removed", path.name.startswith(newest) or garbage or end_of_log)
        for length in (0, len(original) // 2, len(original) - 1):
            path.write_bytes(original[:length])
            check.noticed(f"{path} cut to {length}")
        flipped = bytearray(original)
        flipped[len(original) // 2] ^= 0x10
        path.write_bytes(flipped)
        check.noticed(f"{path} flipped")
        path.write_bytes(original)
        tried += 5
    assert code_of(holdfast, "verify", "--read-data")[0] == 0
    print(f"{tried} kinds of damage: all noticed; {check.restored} restores came through, right",
          flush=True)


def wrong_keys(holdfast, folder):
    def refused(code, text, *arguments):
        found, output, errors = code_of(holdfast, "restore", "latest", "--as", "again", *arguments)
        assert found == code and text in errors, (found, output, errors)

    wrong = holdfast.folder / "wrong"
    wrong.write_bytes(b"x" * 40)
    refused(WRONG_KEY, "password", "--password-file", str(wrong))
    refused(WRONG_KEY, "key-file", "--key-file", str(wrong))
    refused(WRONG_KEY, "recovery key", "--recovery-key-file", str(wrong))

    # Somebody else's repository, with their keys or with their files.
    other = harness.Holdfast(folder, holdfast.uri)
    other.password.write_text("another one\n")
    other.init()
    other.run("backup", "--database", DATABASE)
    refused(WRONG_KEY, "", "--repository", str(other.repository))
    keys = holdfast.repository / "keys"
    shutil.move(keys, holdfast.folder / "keys")
    shutil.copytree(other.repository / "keys", keys)
    found, _, errors = code_of(holdfast, "snapshots", "--password-file", str(other.password))
    assert found in TOLD and "error:" in errors, (found, errors)
    shutil.rmtree(keys)
    shutil.move(holdfast.folder / "keys", keys)

    # A later version of Holdfast made it.
    header = holdfast.repository / "holdfast.json"
    text = header.read_text()
    covered = text[:text.index(',"checksum"')].replace('"format":1,', '"format":999,')
    checksum = hashlib.blake2b(covered.encode(), digest_size=32).hexdigest()
    header.write_text(f'{covered},"checksum":"{checksum}"}}\n')
    found, _, errors = code_of(holdfast, "snapshots")
    assert found == 1 and "999" in errors and "newer" in errors, (found, errors)
    header.write_text(text)
    print("wrong keys, foreign files and a newer format are told apart", flush=True)


def main():
    harness.require_program()
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder, \
            harness.temporary_folder() as other:
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        database = pymongo.MongoClient(server.uri, directConnection=True)[DATABASE]
        database.users.insert_many([{"_id": n, "name": f"user {n}"} for n in range(50)])
        live = []
        for _ in range(2):
            database.users.insert_one({})
            newest = holdfast.result("backup", "--database", DATABASE)["snapshot"]["id"]
            live.append(harness.read_digests(harness.raw_database(server.uri, DATABASE)))
        damage(Check(server, holdfast, live), holdfast, newest)
        wrong_keys(holdfast, other)
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
