#!/usr/bin/env python3
"""The command line keeps the manners of a Unix program: exit codes, signals, secrets, permissions,
locales, closed pipes, terminals. Drives the built program against a real server."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest
from pathlib import Path

import harness
from cli_terminal import PersonAtATerminal, wait_for
from harness import PROGRAM
from server import TestServer, find_server

DATABASE = "manners"
PERSIAN = "سفارش‌ها"


class Manners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = TestServer.start(find_server())
        cls.addClassCleanup(cls.server.stop)
        cls.uri = cls.server.uri.rstrip("/") + "/" + DATABASE
        folder = harness.temporary_folder()
        cls.addClassCleanup(folder.cleanup)
        cls.holdfast = harness.Holdfast(folder.name, cls.uri)
        cls.holdfast.init()
        cls.holdfast.run("smokava", "seed", "--userpackages", "4000", "--seed", "3", "--now",
                         "2026-11-01")
        cls.database = harness.raw_database(cls.server.uri, DATABASE)
        cls.database[PERSIAN].insert_many([{"_id": i, "نام": "قلیان"} for i in range(10)])
        cls.snapshot = cls.holdfast.result("backup", "--tag", "first")["snapshot"]["id"]

    def run_raw(self, *arguments, environment=None, **options):
        return subprocess.run([PROGRAM, *arguments], env=environment or self.holdfast.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              **options)

    # --- exit codes

    def test_wrong_key_is_12(self):
        wrong = self.holdfast.folder / "wrong"
        wrong.write_text("hunter2\n")
        done = self.run_raw("snapshots", "--password-file", str(wrong))
        self.assertEqual(done.returncode, 12, done.stderr)
        self.assertNotIn(b"hunter2", done.stdout + done.stderr)

    def test_no_repository_is_10(self):
        done = self.run_raw("backup", "-r", str(self.holdfast.folder / "nowhere"))
        self.assertEqual(done.returncode, 10, done.stderr)
        self.assertIn(b"holdfast init", done.stderr)

    def test_no_server_is_1_and_soon(self):
        began = time.monotonic()
        done = self.run_raw("backup", "--uri", "mongodb://127.0.0.1:1/x")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertLess(time.monotonic() - began, 25)

    def test_no_such_database_is_1(self):
        done = self.run_raw("backup", "--database", "no_such_database")
        self.assertEqual(done.returncode, 1, done.stderr)

    # --- signals

    def start_long_backup(self):
        """A backup that holds a lease, so that it is in the middle of its work."""
        leases = lambda: list(self.holdfast.repository.glob("*/leases/*"))
        before = set(leases())
        process = self.holdfast.start("backup", "--workers", "1", "--compression", "max")
        wait_for(lambda: set(leases()) - before or process.poll() is not None)
        return process

    def check_clean(self):
        self.assertTrue(self.holdfast.result("verify", "--read-data")["whole"])
        identifiers = [one["id"] for one in self.holdfast.result("snapshots")["snapshots"]]
        self.assertIn(self.snapshot, identifiers)

    def interrupt(self, number, code):
        for _ in range(5):  # a fast machine may finish first
            process = self.start_long_backup()
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            if process.returncode != 0:
                break
        self.assertEqual(process.returncode, code, out + err)
        self.assertIn("stopping", err)
        self.check_clean()

    def test_ctrl_c_in_the_middle_ends_cleanly(self):
        self.interrupt(signal.SIGINT, 130)

    def test_sigterm_in_the_middle_ends_cleanly(self):
        self.interrupt(signal.SIGTERM, 143)

    def test_a_second_ctrl_c_ends_at_once(self):
        process = self.holdfast.start("backup")
        try:
            self.server.process.send_signal(signal.SIGSTOP)
            time.sleep(0.5)
            if process.poll() is not None:
                self.skipTest("the backup was done before the server could be stopped")
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=2), 130)
        finally:
            self.server.process.send_signal(signal.SIGCONT)
            process.kill()
            process.communicate()
        self.check_clean()

    def test_a_second_ctrl_c_ends_at_once_also_while_nobody_reads_the_output(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b" " * 4096)
        except BlockingIOError:
            os.set_blocking(writing, True)
        process = self.holdfast.start("show", self.snapshot, stdout=writing, stderr=writing)
        time.sleep(0.7)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=2), 130)
        os.close(reading)
        os.close(writing)

    def test_a_background_job_ignores_ctrl_c_as_its_shell_said(self):
        command = ["sh", "-c", 'trap "" INT; exec "$0" backup --workers 1', PROGRAM]
        process = subprocess.Popen(command, env=self.holdfast.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0)

    # --- secrets

    def test_a_password_in_a_uri_shows_in_no_process_list_and_no_message(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            uri = f"mongodb://keeper:hunter2@127.0.0.1:{port}/x?serverSelectionTimeoutMS=1000"
            for arguments in (["--uri", uri], ["--uri=" + uri]):
                process = self.holdfast.start("doctor", *arguments, "--log-level", "debug",
                                              "--json")
                time.sleep(0.5)
                command_line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
                out, err = process.communicate(timeout=60)
                self.assertIn(b"keeper", command_line)
                for text in (command_line.decode(), out, err):
                    self.assertNotIn("hunter2", text)

    def test_a_refused_login_names_no_password(self):
        uri = self.uri.replace("mongodb://", "mongodb://keeper:hunter2@")
        done = self.run_raw("backup", "--uri", uri, "--log-level", "debug", "--json")
        self.assertNotIn(b"hunter2", done.stdout + done.stderr)

    def test_no_secret_lies_in_the_repository_in_the_clear(self):
        for path in self.holdfast.repository.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                self.assertNotIn(b"correct horse", content)
                self.assertNotIn("قلیان".encode(), content)

    # --- permissions

    def test_files_are_for_the_owner_whatever_the_umask(self):
        for umask in (0o000, 0o022, 0o777):
            with harness.temporary_folder() as folder:
                holdfast = harness.Holdfast(folder, self.uri)
                run = lambda *words: subprocess.run(
                    [PROGRAM, *words], env=holdfast.environment, stdin=subprocess.DEVNULL,
                    capture_output=True, check=True, preexec_fn=lambda: os.umask(umask))
                run("init", "--recovery-key-file", str(holdfast.folder / "recovery"))
                run("backup", "--collection", "users")
                run("key", "add", "--recovery", "--new-recovery-key-file",
                    str(holdfast.folder / "second"))
                paths = [holdfast.repository, *holdfast.repository.rglob("*"),
                         holdfast.folder / "recovery", holdfast.folder / "second"]
                self.assertGreater(len(paths), 8)
                for path in paths:
                    mode = stat.S_IMODE(path.stat().st_mode)
                    self.assertEqual(mode, 0o700 if path.is_dir() else 0o600,
                                     f"{path} with umask {umask:o}")

    # --- text

    def test_names_are_utf_8_under_the_c_locale(self):
        environment = {**self.holdfast.environment, "LC_ALL": "C", "LANG": "C"}
        done = self.run_raw("show", self.snapshot, environment=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode("utf-8")
        line = next(line for line in text.splitlines() if PERSIAN in line)
        self.assertIn(f"\u2068{DATABASE}.{PERSIAN}\u2069", line)

    def test_times_have_their_zone(self):
        environment = {**self.holdfast.environment, "TZ": "Asia/Tehran"}
        done = self.run_raw("snapshots", environment=environment)
        self.assertIn(b"+03:30", done.stdout)

    def test_json_is_json_and_nothing_else(self):
        for words in (["snapshots"], ["show", self.snapshot], ["info"], ["status"], ["key", "list"],
                      ["verify"], ["doctor"], ["config", "show"], ["version"],
                      ["restore", self.snapshot, "--drop", "--dry-run"],
                      ["restore", self.snapshot]):
            done = self.run_raw(*words, "--json")
            lines = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
            self.assertTrue(lines, words)
            expected = "holdfast.error/1" if done.returncode == 1 else "holdfast."
            self.assertTrue(lines[-1]["format"].startswith(expected), lines[-1])
            for line in lines[:-1]:
                self.assertIn(line["type"], ("progress", "note"))

    def test_quiet_is_silent_when_all_is_well(self):
        done = self.run_raw("verify", "--quiet")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    # --- pipes

    def test_a_reader_that_leaves_early_is_no_error(self):
        for words in (["show", self.snapshot], ["backup", "--collection", "users"],
                      ["verify", "--json"]):
            reading, writing = os.pipe()
            process = subprocess.Popen([PROGRAM, *words], env=self.holdfast.environment,
                                       stdin=subprocess.DEVNULL, stdout=writing,
                                       stderr=subprocess.PIPE)
            os.close(writing)
            os.close(reading)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, errors)
            self.assertNotIn(b"error", errors)

    def test_closed_standard_streams_let_nothing_land_in_the_repository(self):
        for closed in (">&-", "<&- >&-", "<&- >&- 2>&-"):
            done = subprocess.run(["sh", "-c", f'"$0" backup --collection users {closed}', PROGRAM],
                                  env=self.holdfast.environment, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.check_clean()

    def test_a_full_disk_behind_standard_output_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "show", self.snapshot], env=self.holdfast.environment,
                                  stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)


class AtATerminal(PersonAtATerminal):
    """A pseudo-terminal plays the person."""

    def setUp(self):
        folder = harness.temporary_folder()
        self.addCleanup(folder.cleanup)
        self.holdfast = harness.Holdfast(folder.name, "")
        self.environment = {**self.holdfast.environment, "TERM": "xterm"}
        for name in ("HOLDFAST_PASSWORD_FILE", "MONGODB_URI"):
            self.environment.pop(name)

    def test_a_password_is_asked_for_twice_without_echo(self):
        self.start("init")
        self.read_until("New password: ")
        self.assertFalse(self.echo())
        self.type("s3cret\n")
        self.read_until("Once more: ")
        self.type("s3cret\n")
        self.assertEqual(self.end(), 0, self.seen)
        self.assertNotIn("s3cret", self.seen)
        self.assertIn("Recovery key, shown this once", self.seen)

        self.start("snapshots")
        self.read_until("Password of ")
        self.type("wrong\n")
        self.read_until("that is not it")
        self.read_until("Password of ")
        time.sleep(0.2)
        self.type("s3cret\n")
        self.assertEqual(self.end(), 0, self.seen)
        self.assertIn("no snapshots yet", self.seen)
        self.assertNotIn("s3cret", self.seen)

    def test_ctrl_c_at_a_question_gives_the_echo_back(self):
        self.start("init")
        self.read_until("New password: ")
        self.assertFalse(self.echo())
        self.type("\x03")
        wait_for(self.echo)
        self.assertEqual(self.end(), 130, self.seen)
        self.assertFalse(self.holdfast.repository.exists())

    def test_no_answer_changes_nothing(self):
        self.start("init")
        self.read_until("New password: ")
        self.type("\x04")
        self.assertEqual(self.end(), 1, self.seen)
        self.assertFalse(self.holdfast.repository.exists())

    def test_colours_only_without_no_color(self):
        self.environment["BACKUP_PATH"] = "/nowhere"
        self.environment.pop("HOLDFAST_REPOSITORY")
        self.start("doctor")
        self.assertEqual(self.end(), 4, self.seen)
        self.assertIn("\x1b[31m", self.seen)
        self.environment["NO_COLOR"] = "1"
        self.start("doctor")
        self.assertEqual(self.end(), 4, self.seen)
        self.assertNotIn("\x1b[", self.seen)


if __name__ == "__main__":
    harness.require_program()
    unittest.main(verbosity=2 if "-v" in sys.argv else 1, warnings="ignore")
