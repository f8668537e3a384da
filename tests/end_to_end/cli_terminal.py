"""A person at a terminal, for the tests of the command line: a pseudo-terminal to read and type."""

import os
import pty
import select
import termios
import time
import unittest

from harness import PROGRAM


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.01)


class PersonAtATerminal(unittest.TestCase):
    """Set `environment` before `start`."""

    def start(self, *arguments):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(PROGRAM, [PROGRAM, *arguments], self.environment)
        self.addCleanup(os.close, self.terminal)
        self.seen = ""

    def read_until(self, text, seconds=20):
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], 0.2)
            try:
                chunk = os.read(self.terminal, 65536) if ready else b""
            except OSError:  # the other side is closed
                break
            self.seen += chunk.decode("utf-8", "replace")
            if time.monotonic() > deadline:
                break
        self.assertIn(text, self.seen)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def end(self):
        self.read_rest()
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def read_rest(self):
        while True:
            try:
                chunk = os.read(self.terminal, 65536)
            except OSError:
                return
            if not chunk:
                return
            self.seen += chunk.decode("utf-8", "replace")

    def echo(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)
