#!/usr/bin/env python3
"""Stands in for `docker exec [-i] CONTAINER TOOL …`: refuses a line that docker or the tool would
refuse, and does the tool's part with the tests' own code for the format (dump_format.py).
HOLDFAST_STAND_IN_FOLDER: where `seen` notes what mongorestore was given.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import dump_format
from dump_samples import sample_dump

OPTIONS = {"mongodump": {"--archive", "--gzip"}, "mongorestore": {"--archive", "--gzip", "--drop"}}


def main():
    parser = argparse.ArgumentParser(prog="docker")
    parser.add_argument("command", choices=["exec"])
    parser.add_argument("-i", "--interactive", action="store_true")
    parser.add_argument("container", choices=["mongo"])
    parser.add_argument("tool", choices=OPTIONS)
    known, options = parser.parse_known_args()
    wrong = set(options) - OPTIONS[known.tool]
    if wrong:
        parser.error(f"{known.tool} has no option {', '.join(sorted(wrong))}")
    if "--archive" not in options:
        parser.error("without --archive the dump would stay inside the container")
    if known.tool == "mongodump":
        sys.stdout.buffer.write(dump_format.make_archive(sample_dump()))
        return
    if not known.interactive:
        parser.error("without -i the tool's standard input is empty")
    found, _ = dump_format.read_archive(sys.stdin.buffer.read())
    seen = {f"{ns[0]}.{ns[1]}": len(dumped.documents) for ns, dumped in found.items()}
    (Path(os.environ["HOLDFAST_STAND_IN_FOLDER"]) / "seen").write_text(json.dumps(seen))


if __name__ == "__main__":
    main()
