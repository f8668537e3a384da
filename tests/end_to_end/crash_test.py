#!/usr/bin/env python3
"""The program is killed, and the disk fails, at every place where a backup writes.

Killed at every system call that makes something durable or visible (strace injects the signal),
and at random moments: each time the repository verifies clean and the snapshot from before
restores; afterwards the next backup succeeds. Injected disk errors end with a clear message, a
documented exit code and nothing lost. (strace counts the calls of each thread on its own, so one
number may stand for several places.) HOLDFAST_KILLS: how many random moments (200 in CI, else 20).
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
KILLS = int(os.environ.get("HOLDFAST_KILLS", 200 if os.environ.get("CI") == "true" else 20))
SIGKILLED = -9
# What exit codes an injected error may end with: failed for good. Never 0.
FAILED = (1,)


def traced(holdfast, injection, *arguments):
    """Runs the program under strace with a fault injected; returns its exit code and output."""
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={injection}",
               harness.PROGRAM, *arguments]
    done = subprocess.run(command, env=holdfast.environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr


def count_calls(holdfast, call):
    """How many times a backup makes a call."""
    log = holdfast.folder / "calls"
    subprocess.run(["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", harness.PROGRAM,
                    "backup", "--independent", "--database", DATABASE],
                   env=holdfast.environment, check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)
    return sum(f"{call}(" in line for line in log.read_text(errors="replace").splitlines())


def verify_clean(holdfast, why):
    report = holdfast.result("verify", "--read-data")
    assert not report.get("damage"), (why, report)


def snapshots(holdfast):
    return {snapshot["id"] for snapshot in holdfast.result("snapshots")["snapshots"]}


def restores(holdfast, server, snapshot):
    """The restore itself compares counts, fingerprints, options and indexes with the snapshot."""
    holdfast.run("restore", snapshot, "--as", "again", "--yes")
    harness.raw_database(server.uri, "again").client.drop_database("again")


def kill_at_every_call(holdfast, first):
    for call in CALLS:
        count = count_calls(holdfast, call)
        killed = 0
        for number in range(1, count + 1):
            code, output = traced(holdfast, f"{call}:signal=SIGKILL:when={number}", "backup",
                                  "--independent", "--database", DATABASE)
            killed += code != 0
            assert code in (0, SIGKILLED, 128 + 9), (call, number, code, output)
            verify_clean(holdfast, f"killed at {call} number {number}")
            assert first in snapshots(holdfast), (call, number)
        print(f"killed at {killed} of {count} calls of {call}: clean each time", flush=True)
        assert killed > 0 or count == 0, f"no {call} was hit"


def fail_at_every_call(holdfast, first):
    for call, error in (("fsync", "EIO"), ("renameat2", "ENOSPC"), ("write", "ENOSPC"),
                        ("write", "EIO")):
        failed = 0
        for number in (1, 2, 3, 5, 8, 13, 21, 34):
            before = snapshots(holdfast)
            code, output = traced(holdfast, f"{call}:error={error}:when={number}+", "backup",
                                  "--quiet", "--independent", "--database", DATABASE)
            after = snapshots(holdfast)
            if code == 0:
                assert len(after) == len(before) + 1, (call, error, number, output)
                continue
            failed += 1
            assert code in FAILED, (call, error, number, code, output)
            verify_clean(holdfast, f"{error} at {call} {number}")
            assert before <= after and first in after
        print(f"{error} at {call}: {failed} backups failed, none lost anything", flush=True)


def kill_at_random_moments(holdfast, first):
    begun = time.monotonic()
    holdfast.run("backup", "--independent", "--database", DATABASE)
    usual = time.monotonic() - begun
    seed = int(os.environ.get("HOLDFAST_SEED", "1"))
    dice = random.Random(seed)
    killed = 0
    for number in range(KILLS):
        process = holdfast.start("backup", "--independent", "--database", DATABASE)
        try:
            process.wait(dice.uniform(0, usual * 1.1))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        process.communicate()
        if number % 10 == 9 or number == KILLS - 1:
            verify_clean(holdfast, f"seed {seed}, moment {number}")
            assert first in snapshots(holdfast)
    print(f"killed at {killed} random moments (seed {seed}): clean each time", flush=True)


def main():
    harness.require_program()
    if not shutil.which("strace"):
        harness.skip("needs strace, which is not installed (./dev setup brings it)")
    with TestServer.start(find_server()) as server, harness.temporary_folder() as folder:
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        holdfast.run("smokava", "seed", "--database", DATABASE, "--userpackages", "500")
        first = holdfast.result("backup", "--independent", "--database", DATABASE)["snapshot"]["id"]
        kill_at_every_call(holdfast, first)
        fail_at_every_call(holdfast, first)
        kill_at_random_moments(holdfast, first)
        restores(holdfast, server, first)
        last = holdfast.result("backup", "--independent", "--database", DATABASE)["snapshot"]["id"]
        restores(holdfast, server, last)
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
