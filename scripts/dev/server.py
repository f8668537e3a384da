#!/usr/bin/env python3
"""Starts a MongoDB-compatible test server on a free port, with a private folder.

As a program: prints the URI, serves until it is told to end, and removes the folder.
As a module: `with TestServer.start(find_server()) as server: server.uri`.

    server.py [rust|python|mongod] [--storage DIR] [--uri-file FILE] [--standalone]
              [-- OPTION…]     options for the server itself, e.g. -- --oplog-max-entries 5000000
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CACHE = Path(os.environ.get("HOLDFAST_CACHE") or Path.home() / ".cache" / "holdfast")
START_LIMIT_SECONDS = 60


def locate(kind):
    """The program of a kind of server, or None: in the tools' cache, else on PATH."""
    cached = {
        "rust": CACHE / "tools" / "secantus-rs" / "bin" / "secantusd-rs",
        "python": CACHE / "tools" / "venv" / "bin" / "secantusd-py",
        "mongod": Path("mongod"),
    }[kind]
    if cached.is_file():
        return str(cached)
    return shutil.which(cached.name)


def find_server(wanted=None):
    """The kind of server to start: the one wanted, else the first that is there."""
    wanted = wanted or os.environ.get("HOLDFAST_TEST_SERVER")
    if wanted:
        if not locate(wanted):
            raise SystemExit(f"the {wanted} test server is not installed; ./dev tools brings it")
        return wanted
    for kind in ("mongod", "rust", "python"):
        if locate(kind):
            return kind
    raise SystemExit("there is no test server; ./dev tools brings one")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TestServer:
    """A running server. Ends it and removes its folder at the end of a `with` block."""

    __test__ = False  # not a test case, whatever its name suggests to a test runner

    def __init__(self, kind, process, uri, folder, owns_folder):
        self.kind, self.process, self.uri = kind, process, uri
        self.folder, self._owns_folder = folder, owns_folder

    @classmethod
    def start(cls, kind, storage=None, standalone=False, options=()):
        owns_folder = storage is None
        folder = Path(storage or tempfile.mkdtemp(prefix="holdfast-server-"))
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        log = open(folder / "server.log", "wb")
        (folder / "data").mkdir(exist_ok=True)
        process = subprocess.Popen(
            [locate(kind), *arguments(kind, port, folder / "data", standalone), *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
            # Ctrl-C at the terminal is for the program that started it, which ends it in order.
            start_new_session=True)
        server = cls(kind, process, f"mongodb://127.0.0.1:{port}", folder, owns_folder)
        try:
            server._wait_until_up(port)
            if kind == "mongod" and not standalone:
                server._initiate(port)
        except BaseException:
            server.stop()
            raise
        return server

    def _wait_until_up(self, port):
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while True:
            if self.process.poll() is not None:
                log = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                raise SystemExit(f"the {self.kind} server ended at once:\n{log}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit(f"the {self.kind} server did not come up in "
                                     f"{START_LIMIT_SECONDS} s")
                time.sleep(0.05)

    def _initiate(self, port):
        """Makes a fresh mongod a one-node replica set and waits for its primary."""
        import pymongo
        with pymongo.MongoClient(self.uri, directConnection=True) as client:
            client.admin.command("replSetInitiate", {
                "_id": "holdfast", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
            while not client.admin.command("hello").get("isWritablePrimary"):
                time.sleep(0.1)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def arguments(kind, port, data, standalone):
    if kind == "mongod":
        replica_set = [] if standalone else ["--replSet", "holdfast"]
        return ["--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(data),
                *replica_set]
    return ["--port", str(port), "--storage-path", str(data), "--log-level", "WARNING",
            *(["--standalone"] if standalone else [])]


def main():
    own, options = sys.argv[1:], []
    if "--" in own:
        cut = own.index("--")
        own, options = own[:cut], own[cut + 1:]
    parser = argparse.ArgumentParser(description="Start a test server and print its URI.")
    parser.add_argument("kind", nargs="?", choices=["rust", "python", "mongod"])
    parser.add_argument("--storage", help="keep the data here (default: a temporary folder)")
    parser.add_argument("--standalone", action="store_true", help="without a replica set")
    parser.add_argument("--uri-file", help="also write the URI to this file once it is up")
    args = parser.parse_args(own)

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    with TestServer.start(find_server(args.kind), args.storage, args.standalone,
                          options) as server:
        print(server.uri, flush=True)
        if sys.stdout.isatty():
            print(f"{server.kind} server, data in {server.folder}; Ctrl-C ends it",
                  file=sys.stderr)
        if args.uri_file:
            partial = Path(args.uri_file + ".partial")
            partial.write_text(server.uri + "\n")
            partial.rename(args.uri_file)
        while not stopped.wait(0.5):
            if server.process.poll() is not None:
                raise SystemExit(f"the {server.kind} server ended by itself; its log: "
                                 f"{server.folder / 'server.log'}")


if __name__ == "__main__":
    main()
