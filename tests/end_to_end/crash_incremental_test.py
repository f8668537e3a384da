#!/usr/bin/env python3
"""Incremental backups, optimize and snapshot create are killed at every place where they write.

Killed at every system call that makes something durable or visible (strace injects the signal), and
at random moments: each time the repository verifies clean, every earlier snapshot is there, the log
has no break, and the next incremental goes on and is exact. HOLDFAST_KILLS: how many random moments
(60 in CI, else 10); HOLDFAST_SEED chooses them.
"""

import os
import random
import shutil
import subprocess
import sys
import time

import harness
from server import TestServer, find_server

DATABASE = "shop"
CALLS = ("renameat2", "fsync", "unlink")
KILLS = int(os.environ.get("HOLDFAST_KILLS", 60 if os.environ.get("CI") == "true" else 10))
KILLED = (-9, 128 + 9)


class Scene:
    def __init__(self, server, holdfast):
        self.server, self.holdfast = server, holdfast
        self.database = harness.raw_database(server.uri, DATABASE)
        self.writes = 0

    def write(self):
        """Some changes, so that there is something to store."""
        self.writes += 1
        self.database["guests"].insert_one({"_id": f"new {self.writes}", "n": self.writes})
        self.database["guests"].update_many({"n": {"$gte": 0, "$lt": 40}},
                                            {"$set": {"write": self.writes}})
        self.database["guests"].delete_one({"_id": f"new {self.writes - 3}"})

    def snapshots(self):
        return self.holdfast.result("snapshots")["snapshots"]

    def first_time(self):
        time_of = self.snapshots()[0]["consistency"]["cluster_time"]
        return f"{time_of['seconds']}:{time_of['increment'] + 1}"

    def incremental(self):
        """The next one must go on from where the log is; returns its summary."""
        outcome = self.holdfast.result("backup", "--incremental", "--database", DATABASE)
        assert outcome["snapshot"]["kind"] == "incremental", outcome
        assert not outcome["findings"] and not outcome["warnings"], outcome
        return outcome["snapshot"]

    def check(self, before, why):
        report = self.holdfast.result("verify", "--read-data")
        assert not report.get("damage"), (why, report)
        now = {snapshot["id"] for snapshot in self.snapshots()}
        assert before <= now, (why, "snapshots are gone")


def traced(holdfast, injection, *arguments):
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={injection}",
               harness.PROGRAM, *arguments]
    done = subprocess.run(command, env=holdfast.environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr


def count_calls(holdfast, call, *arguments):
    log = holdfast.folder / "calls"
    subprocess.run(["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", harness.PROGRAM,
                    *arguments], env=holdfast.environment, check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)
    return sum(f"{call}(" in line for line in log.read_text(errors="replace").splitlines())


def commands(scene):
    """Name, and what makes its arguments (after preparing something for it to do)."""
    def incremental():
        scene.write()
        return "backup", "--incremental", "--database", DATABASE

    def optimize():
        for _ in range(2):
            scene.write()
            scene.holdfast.run("backup", "--incremental", "--no-optimize", "--database", DATABASE)
        return "optimize", "latest"

    def create():
        return "snapshot", "create", "--at", scene.first_time()

    return {"backup --incremental": incremental, "optimize": optimize, "snapshot create": create}


def kill_at_every_call(scene, name, prepare):
    for call in CALLS:
        count = count_calls(scene.holdfast, call, *prepare())
        killed = 0
        for number in range(1, count + 1):
            arguments = prepare()
            before = {snapshot["id"] for snapshot in scene.snapshots()}
            code, output = traced(scene.holdfast, f"{call}:signal=SIGKILL:when={number}",
                                  *arguments)
            assert code in (0, *KILLED), (name, call, number, code, output)
            killed += code != 0
            scene.check(before, f"{name} killed at {call} number {number}")
        scene.write()
        scene.incremental()
        print(f"{name}: killed at {killed} of {count} calls of {call}: clean each time", flush=True)
        assert killed > 0 or count == 0, f"no {call} was hit"


def kill_at_random_moments(scene, dice, name, prepare):
    arguments = prepare()
    begun = time.monotonic()
    scene.holdfast.run(*arguments)
    usual = time.monotonic() - begun
    killed = 0
    for number in range(KILLS // 3):
        arguments = prepare()
        before = {snapshot["id"] for snapshot in scene.snapshots()}
        process = scene.holdfast.start(*arguments)
        try:
            process.wait(dice.uniform(0, usual * 1.1))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        process.communicate()
        if number % 4 == 3 or number == KILLS // 3 - 1:
            scene.check(before, f"{name}, random moment {number}")
    scene.write()
    scene.incremental()
    print(f"{name}: killed at {killed} random moments: clean each time", flush=True)


def check_content(scene, first):
    """The last snapshot is the live state, and so is the first moment's restore whole."""
    scene.write()
    last = scene.incremental()
    live = harness.read_digests(scene.database)
    again = harness.raw_database(scene.server.uri, "again")
    scene.holdfast.run("restore", last["id"], "--as", "again", "--yes")
    restored = harness.read_digests(again)
    assert restored == live, "the last snapshot is not what is on the server"
    again.client.drop_database("again")
    # All of the log is there: from the first snapshot to the last nothing is missing.
    now = last["consistency"]["cluster_time"]
    outcome = scene.holdfast.result("snapshot", "create", "--at",
                                    f"{now['seconds']}:{now['increment']}")
    assert outcome, "no moment could be made"
    for snapshot in scene.snapshots():
        if snapshot["id"] not in (first, ):
            scene.holdfast.run("snapshot", "remove", snapshot["id"], "--yes")
    scene.holdfast.run("restore", "--at", f"{now['seconds']}:{now['increment']}", "--as", "again",
                       "--yes")
    assert harness.read_digests(again) == live, "the log from the first snapshot on has a hole"


def main():
    harness.require_program()
    if not shutil.which("strace"):
        harness.skip("needs strace, which is not installed (./dev setup brings it)")
    seed = int(os.environ.get("HOLDFAST_SEED", "1"))
    print(f"random moments by seed {seed}")
    dice = random.Random(seed)
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        scene = Scene(server, harness.Holdfast(folder, server.uri))
        scene.holdfast.init()
        scene.database["guests"].insert_many([{"_id": i, "n": i, "pad": "x" * 100}
                                              for i in range(200)])
        first = scene.holdfast.result("backup", "--database", DATABASE)["snapshot"]["id"]
        scene.write()
        scene.incremental()
        for name, prepare in commands(scene).items():
            kill_at_every_call(scene, name, prepare)
            kill_at_random_moments(scene, dice, name, prepare)
        check_content(scene, first)
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
