"""How benchmarks measure: whole processes, in turns, with the operating system's own accounting."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "dev"))
from server import find_server  # noqa: E402

# The log of a whole load must stay readable while it is backed up.
LONG_LOG = ["--oplog-max-entries", "100000000", "--oplog-retention-seconds", "864000"]


class Measured:
    """One run of one program: seconds, CPU seconds, peak memory, and bytes stored (or None)."""

    def __init__(self, seconds, cpu, memory, output):
        self.seconds, self.cpu, self.memory, self.output = seconds, cpu, memory, output
        self.stored = None


def measure(command, environment=None, output=None):
    """Runs a command; fails loudly if it does. Its own time and memory, not the server's."""
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as text:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   stdout=output or text, stderr=errors,
                                   env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{' '.join(map(str, command))}\nended with {process.returncode}:\n"
                             f"{errors.read()[-3000:].decode(errors='replace')}")
        text.seek(0)
        return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024,
                        text.read().decode(errors="replace"))


def bytes_below(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def describe_machine():
    model = next((line.split(":")[1].strip() for line in
                  Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
                 platform.machine())
    versions = [f"{find_server()} test server"]
    for command in (["restic", "version"], ["borg", "--version"], ["mongodump", "--version"]):
        if shutil.which(command[0]):
            first = subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]
            versions.append(" ".join(first.split()[:2]))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({model}), {memory:.0f} GiB, "
            f"Linux {platform.release().split('-')[0]}; {', '.join(versions)}; the server runs on "
            "the same cores.")


def write_report(name, report, raw):
    """Leaves the table and the raw figures in build/bench/; returns where."""
    out = ROOT / "build" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    stem = out / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
    stem.with_suffix(".md").write_text(report)
    stem.with_suffix(".json").write_text(json.dumps(raw, indent=1))
    return stem
