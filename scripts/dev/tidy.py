#!/usr/bin/env python3
"""Runs clang-tidy over the sources of a compilation database and remembers what was clean.

A file is looked at again only when it, one of our headers that it includes, its compiler flags,
.clang-tidy or clang-tidy itself has changed; so a repeated run takes seconds.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

TIDY, COMPILER = "clang-tidy-14", "clang++-14"


def changed_files(root):
    """Files that differ from the main branch's last published commit, or from HEAD."""
    def git(*arguments):
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
        return done.stdout.split("\n") if done.returncode == 0 else []
    base = (git("merge-base", "HEAD", "@{upstream}") or ["HEAD"])[0] or "HEAD"
    names = git("diff", "--name-only", base) + git("ls-files", "--others", "--exclude-standard")
    return {str(Path(root, name)) for name in names if name}


def dependencies(entry):
    """The file and our own headers that it includes."""
    words = shlex.split(entry["command"])
    flags = [word for word in words[1:] if word.startswith(("-I", "-D", "-std", "-isystem"))]
    rule = subprocess.run([COMPILER, *flags, "-MM", "-MG", entry["file"]],
                          capture_output=True, text=True, cwd=entry["directory"]).stdout
    return sorted(set(rule.replace("\\\n", " ").split(":", 1)[-1].split()))


def fingerprint(entry, config, root):
    digest = hashlib.blake2b(config, digest_size=16)
    digest.update(entry["command"].replace(entry["directory"], "").replace(root, "").encode())
    for name in dependencies(entry):
        path = Path(entry["directory"], name)
        if path.is_relative_to(root) and path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def check(entry, build, config, root, cache):
    """(seconds, output or None when clean)"""
    began = time.monotonic()
    stamp = cache / fingerprint(entry, config, root)
    if stamp.exists():
        os.utime(stamp)
        return 0, None
    done = subprocess.run([TIDY, "-p", build, "--quiet", entry["file"]],
                          capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return time.monotonic() - began, None
    return time.monotonic() - began, done.stdout + ("" if done.stdout else done.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--root", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true")
    which.add_argument("--changed", action="store_true")
    args = parser.parse_args()

    args.cache.mkdir(parents=True, exist_ok=True)
    for old in args.cache.iterdir():
        if time.time() - old.stat().st_mtime > 30 * 24 * 3600:
            old.unlink()
    config = Path(args.root, ".clang-tidy").read_bytes() + subprocess.run(
        [TIDY, "--version"], capture_output=True).stdout
    entries = {}
    for entry in json.loads(Path(args.build, "compile_commands.json").read_text()):
        entry["file"] = str(Path(entry["directory"], entry["file"]).resolve())
        if entry["file"].startswith(str(Path(args.root, "src")) + "/"):
            entries[entry["file"]] = entry
    if args.changed:
        changed = changed_files(args.root)
        headers = [name for name in changed if name.endswith(".h")]
        entries = {name: entry for name, entry in entries.items() if name in changed or
                   any(header.removesuffix(".h") == name.removesuffix(".cpp")
                       for header in headers)}

    print(f"  clang-tidy over {len(entries)} files", flush=True)
    began, looked_at, bad = time.monotonic(), 0, []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(check, entry, args.build, config, args.root, args.cache): name
                   for name, entry in entries.items()}
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            seconds, output = future.result()
            looked_at += seconds > 0
            if output:
                bad.append(futures[future])
                print(output.rstrip(), flush=True)
            if number % 20 == 0:
                print(f"  {number} of {len(entries)}, {time.monotonic() - began:.0f} s",
                      flush=True)
    print(f"  clang-tidy: {len(entries)} files, {looked_at} looked at, {len(bad)} with findings, "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
