#!/usr/bin/env python3
"""Capture loses nothing, stores nothing twice, and says what it could not have.

Under a busy application capture is killed at random moments and at every call that makes something
durable, its connections are cut, the server restarts, the repository's disk is full: each time the
events that the repository holds are those that an independent reader of the same change stream saw,
in the same order, in one unbroken chain. A log that the server has dropped is a recorded gap with
exit code 13. Two captures of one database: one of them ends with exit code 11.
HOLDFAST_KILLS: how many random moments (40 in CI, else 8).
"""

import copy
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import bson
import pymongo
from bson import json_util

import harness
from cut_proxy import Proxy, port_of
from server import TestServer, find_server

DATABASE = "shop"
MARKERS = "holdfast.barrier"
KILLS = int(os.environ.get("HOLDFAST_KILLS", 40 if os.environ.get("CI") == "true" else 8))
SIGKILLED = -9
SEED = int(os.environ.get("HOLDFAST_SEED", "1"))
BUSY, GAP, TERMINATED = 11, 13, 143


class Reader(threading.Thread):
    """Reads the change stream from now on, with a client that shares no code with Holdfast."""

    def __init__(self, uri):
        super().__init__(daemon=True)
        self.client = pymongo.MongoClient(uri, directConnection=True)
        self.stream = self.client[DATABASE].watch(show_expanded_events=True, max_await_time_ms=200)
        self.events = []
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            try:
                event = self.stream.try_next()
            except pymongo.errors.PyMongoError:
                time.sleep(0.2)
                continue
            if event is None or event["ns"].get("coll") == MARKERS:
                continue
            if event["operationType"] not in ("invalidate", "startIndexBuild", "abortIndexBuild"):
                self.events.append(shape(event))

    def wait_for(self, time_text):
        """Until it has read past a cluster time; the caller has written something later."""
        deadline = time.monotonic() + 60
        while not self.events or self.events[-1][0] < parse_time(time_text):
            assert time.monotonic() < deadline, "the independent reader does not come along"
            time.sleep(0.1)

    def between(self, begin, end):
        return [event for event in self.events if parse_time(begin) < event[0] <= parse_time(end)]


def parse_time(text):
    seconds, increment = text.split(".")[0].split(":")
    return int(seconds), int(increment)


def plain(value):
    """As relaxed Extended JSON has it, whatever wrote it."""
    return json.loads(json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS))


def canonical(value):
    """Numbers of one value are one number: writers of JSON differ in 5 and 5.0, Z and +00:00."""
    text = json.dumps(value, sort_keys=True)
    parsed = json_util.loads(text)
    return bson.encode({"": json_util.loads(json_util.dumps(parsed))})


def shape(event):
    time_ = (event["clusterTime"].time, event["clusterTime"].inc)
    body = event.get("fullDocument") if event["operationType"] != "update" \
        else event["updateDescription"]
    key = event.get("documentKey", {}).get("_id")
    return (time_, event["operationType"], f"{event['ns']['db']}.{event['ns'].get('coll', '')}",
            canonical(plain(key)), None if body is None else canonical(plain(body)))


def stored_events(holdfast):
    found = []
    for line in holdfast.run("log", "--limit", "1000000", "--show-documents",
                             "--json").splitlines():
        event = json.loads(line)
        if event.get("type") != "event":
            continue
        body = event.get("content")
        found.append((parse_time(event["event"]), event["op"], event["collection"].split(" → ")[0],
                      canonical(event["id"]), None if body is None else canonical(body)))
    return found


def check_complete(holdfast, reader, database, begin, end, why):
    """What is stored is what the other reader saw, between the log's ends; none twice."""
    database["after"].insert_one({"at": time.time()})
    reader.wait_for(end)
    # Where a log begins "now", a server may deliver events from before the time that it answered
    # with: what was written while it opened the stream. They do no harm.
    wanted = reader.between(begin, end)
    stored = [event for event in stored_events(holdfast) if event[0] > parse_time(begin)]
    if wanted != stored:
        for at, (one, other) in enumerate(zip(wanted, stored)):
            assert one == other, f"{why}: event {at} is {other} instead of {one}"
        raise AssertionError(f"{why}: {len(stored)} events are stored, {len(wanted)} happened; "
                             f"then {(wanted + stored)[min(len(wanted), len(stored))]}")
    report = holdfast.result("verify", "--read-data")
    assert not report["damage"], (why, report)
    print(f"{why}: {len(stored)} events in {report['log_segments']} segments, none lost, none "
          "twice", flush=True)


def chains_broken(holdfast):
    """Gaps inside the log, as `log` warns of them."""
    done = subprocess.run([harness.PROGRAM, "log", "--limit", "1"], env=holdfast.environment,
                          text=True, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    return [line for line in done.stderr.splitlines() if "GAP" in line]


def capture(holdfast, *arguments, expect=0):
    return holdfast.result("capture", "--database", DATABASE, *arguments, expect=expect)


def start_capture(holdfast, *arguments):
    return holdfast.start("capture", "--database", DATABASE, "--segment-seconds", "1", "--json",
                          *arguments)


def end(process, signal_number=signal.SIGTERM, expect=(TERMINATED,)):
    process.send_signal(signal_number)
    output, errors = process.communicate(timeout=90)
    assert process.returncode in expect, (process.returncode, output[-2000:], errors[-2000:])
    return output, errors


class Place:
    """A seeded server, a repository, traffic, and the independent reader."""

    def __init__(self, server, folder, rate=300):
        self.server = server
        self.direct = harness.Holdfast(folder, server.uri)
        self.direct.init()
        self.direct.run("smokava", "seed", "--database", DATABASE, "--userpackages", "300")
        self.database = pymongo.MongoClient(server.uri, directConnection=True)[DATABASE]
        self.reader = Reader(server.uri)
        self.traffic = self.direct.start("smokava", "traffic", "--database", DATABASE, "--rate",
                                         str(rate), "--ddl", "--quiet") if rate else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.traffic:
            self.traffic.kill()
            self.traffic.communicate()
        self.reader.ended.set()
        self.reader.join(5)


def killed_at_random_moments(server):
    with harness.temporary_folder() as folder, Place(server, folder) as place:
        begin = capture(place.direct, "--once")["begin"]
        dice = random.Random(SEED)
        for _ in range(KILLS):
            process = start_capture(place.direct)
            time.sleep(dice.uniform(0.05, 4))
            process.kill()
            process.communicate()
        process = start_capture(place.direct)
        time.sleep(3)
        end(process)
        end_time = capture(place.direct, "--once")["end"]
        check_complete(place.direct, place.reader, place.database, begin, end_time,
                       f"killed at {KILLS} random moments (seed {SEED})")
        assert not chains_broken(place.direct)


def killed_at_every_write(server):
    if not shutil.which("strace"):
        print("not done: killing at every write needs strace", flush=True)
        return
    with harness.temporary_folder() as folder, Place(server, folder, rate=50) as place:
        begin = capture(place.direct, "--once")["begin"]
        killed = 0
        for call in ("renameat2", "fsync", "write"):
            before = killed
            for number in range(1, 10):
                command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                           f"inject={call}:signal=SIGKILL:when={number}", harness.PROGRAM,
                           "capture", "--once", "--quiet", "--database", DATABASE]
                done = subprocess.run(command, env=place.direct.environment, text=True,
                                      stdin=subprocess.DEVNULL, capture_output=True, check=False)
                assert done.returncode in (0, SIGKILLED, 128 + 9), (call, number, done)
                killed += done.returncode != 0
                if done.returncode == 0:
                    break  # there are no more such calls in any thread
            assert killed > before, f"no {call} was hit"
        end_time = capture(place.direct, "--once")["end"]
        check_complete(place.direct, place.reader, place.database, begin, end_time,
                       f"killed at {killed} writes")
        assert not chains_broken(place.direct)


def through_cuts_and_a_restart(kind):
    with harness.temporary_folder() as storage, harness.temporary_folder() as folder:
        server = TestServer.start(kind, storage=storage)
        proxy = Proxy(port_of(server))
        try:
            with Place(server, folder) as place:
                captured = copy.copy(place.direct)
                captured.environment = {**place.direct.environment,
                                        "MONGODB_URI": f"{proxy.uri}/?directConnection=true"}
                begin = capture(captured, "--once")["begin"]
                process = start_capture(captured)
                dice = random.Random(SEED)
                for _ in range(10):
                    time.sleep(dice.uniform(0.1, 1))
                    proxy.cut()
                time.sleep(2)
                assert process.poll() is None, process.communicate()
                place.traffic.kill()
                place.traffic.communicate()
                place.traffic = None
                time.sleep(1)
                place.reader.ended.set()  # it has all that happened before the restart
                place.reader.join(5)
                before = list(place.reader.events)
                server.stop()
                proxy.cut()
                time.sleep(8)
                assert process.poll() is None, process.communicate()
                server = TestServer.start(kind, storage=storage)
                proxy.upstream = port_of(server)
                place.reader = Reader(server.uri)
                database = pymongo.MongoClient(server.uri, directConnection=True)[DATABASE]
                database["later"].insert_many([{"_id": number} for number in range(50)])
                time.sleep(4)
                assert process.poll() is None, process.communicate()
                end(process)
                place.direct.environment["MONGODB_URI"] = server.uri
                end_time = capture(place.direct, "--once")["end"]
                place.reader.events[:0] = before
                check_complete(place.direct, place.reader, database, begin, end_time,
                               f"{proxy.cuts} cuts and a restart of the server")
                assert not chains_broken(place.direct)
        finally:
            server.stop()


def only_one_captures(server):
    with harness.temporary_folder() as folder, Place(server, folder) as place:
        begin = capture(place.direct, "--once")["begin"]
        both = [start_capture(place.direct), start_capture(place.direct)]
        deadline = time.monotonic() + 60
        while all(process.poll() is None for process in both) and time.monotonic() < deadline:
            time.sleep(0.1)
        ended = [process for process in both if process.poll() is not None]
        assert len(ended) == 1, "two captures went on beside each other"
        output, errors = ended[0].communicate()
        assert ended[0].returncode == BUSY and "another capture" in errors, (output, errors)
        other = both[1 - both.index(ended[0])]
        time.sleep(2)
        assert other.poll() is None, other.communicate()
        end(other)
        end_time = capture(place.direct, "--once")["end"]
        check_complete(place.direct, place.reader, place.database, begin, end_time,
                       "two captures, of which one gave way")
        assert not chains_broken(place.direct)


def beside_incremental_backups(server):
    """Both store what they read, and go on behind each other."""
    with harness.temporary_folder() as folder, Place(server, folder) as place:
        place.direct.run("backup", "--database", DATABASE)
        begin = capture(place.direct, "--once")["begin"]
        process = start_capture(place.direct)
        for _ in range(5):
            time.sleep(0.7)
            place.direct.run("backup", "--incremental", "--database", DATABASE, "--quiet")
        assert process.poll() is None, process.communicate()
        end(process)
        end_time = capture(place.direct, "--once")["end"]
        check_complete(place.direct, place.reader, place.database, begin, end_time,
                       "beside five incremental backups")
        assert not chains_broken(place.direct)
        coverage, = place.direct.result("coverage")["coverage"]
        assert len(coverage["spans"]) == 1 and not coverage["gaps"], coverage


def a_full_disk_loses_nothing(server):
    with harness.temporary_folder() as folder, harness.temporary_folder() as small:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            print(f"not done: a full disk needs root ({mounted.stderr.strip()})", flush=True)
            return
        try:
            with Place(server, folder) as place:
                holdfast = place.direct
                holdfast.environment["HOLDFAST_REPOSITORY"] = small + "/repository"
                holdfast.run("init", "--recovery-key-file", folder + "/recovery-2")
                begin = capture(holdfast, "--once")["begin"]
                process = start_capture(holdfast)
                time.sleep(2)
                filler = small + "/filler"
                subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M"],
                               capture_output=True, check=False)
                time.sleep(5)
                assert process.poll() is None, process.communicate()
                os.unlink(filler)
                time.sleep(8)
                said = "".join(end(process))
                assert "cannot be written to" in said, said
                end_time = capture(holdfast, "--once")["end"]
                check_complete(holdfast, place.reader, place.database, begin, end_time,
                               "a full disk for a while")
                assert not chains_broken(holdfast)
        finally:
            subprocess.run(["umount", "-l", small], check=False, capture_output=True)


def flood(database):
    """More than a small oplog holds; the server trims it now and then."""
    for _ in range(8):
        database["flood"].insert_many([{} for _ in range(500)])
        time.sleep(0.2)


def lost_history_is_a_recorded_gap(kind):
    if kind == "mongod":
        print("not done: mongod's oplog cannot be made so small", flush=True)
        return
    with TestServer.start(kind, options=["--oplog-max-entries", "300"]) as server, \
            harness.temporary_folder() as folder, Place(server, folder, rate=0) as place:
        holdfast = place.direct
        holdfast.run("backup", "--database", DATABASE)
        first = capture(holdfast, "--once")
        assert first["events"] == 0 and not first["gaps"], first
        flood(place.database)
        second = capture(holdfast, "--once", expect=GAP)
        assert len(second["gaps"]) == 1, second
        # While it runs, but does not come to read.
        process = start_capture(holdfast)
        time.sleep(3)
        process.send_signal(signal.SIGSTOP)
        flood(place.database)
        process.send_signal(signal.SIGCONT)
        time.sleep(4)
        said = "".join(end(process))
        assert "GAP" in said, said
        coverage, = holdfast.result("coverage")["coverage"]
        assert len(coverage["spans"]) == 1 and coverage["gaps"][0]["open"], coverage
        holdfast.run("backup", "--database", DATABASE)
        capture(holdfast, "--once", expect=0)
        coverage, = holdfast.result("coverage")["coverage"]
        assert len(coverage["spans"]) == 2 and len(coverage["gaps"]) == 1, coverage
        # Nothing that is stored may pretend to be whole across a gap.
        assert chains_broken(holdfast)
        report = holdfast.result("verify", "--read-data")
        assert not report["damage"], report
    print("lost history is a recorded gap, while stopped and while running", flush=True)


def standalone_is_refused(kind):
    with TestServer.start(kind, standalone=True) as server, \
            harness.temporary_folder() as folder:
        holdfast = harness.Holdfast(folder, server.uri)
        holdfast.init()
        said = holdfast.run("capture", "--database", DATABASE, expect=1)
        assert "standalone" in said and "rs.initiate" in said, said
    print("a standalone is refused, with how to convert it", flush=True)


def main():
    harness.require_program()
    kind = find_server()
    if kind == "python":
        harness.skip("needs the fast test server: the Python server cannot take this load")
    with TestServer.start(kind) as server:
        killed_at_random_moments(server)
        client = pymongo.MongoClient(server.uri, directConnection=True)
        for part in (killed_at_every_write, only_one_captures, beside_incremental_backups,
                     a_full_disk_loses_nothing):
            client.drop_database(DATABASE)
            part(server)
    through_cuts_and_a_restart(kind)
    lost_history_is_a_recorded_gap(kind)
    standalone_is_refused(kind)
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
