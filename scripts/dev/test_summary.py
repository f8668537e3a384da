#!/usr/bin/env python3
"""Counts the single tests behind a ctest run and lists each skip with its reason.

Reads RESULTS/ctest.xml (ctest --output-junit) and RESULTS/NAME.xml, which each GoogleTest program
writes. With CI=true a skip is a failure unless it names something that cannot be installed:

    … needs PART…      PART is one of NOT_INSTALLABLE
    … cannot …         what the server that runs the test is not able to do
    … KIND …           a kind of server in the --unavailable list that ./dev tools wrote
"""

import argparse
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

# No package source offers these; whoever has them on PATH has their tests run.
NOT_INSTALLABLE = ("mongod", "mongos", "mongodump", "mongorestore", "mongoexport", "mongoimport",
                   "bsondump", "a sharded cluster", "root")


def read_gtest(path):
    """(passed, failed names, {reason: [names]}, how many ran) of one GoogleTest result file."""
    passed, failed, skipped = 0, [], defaultdict(list)
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.get("status") == "notrun":
            continue
        if case.find("failure") is not None:
            failed.append(name)
        elif (skip := case.find("skipped")) is not None:
            skipped[reason_of(skip.get("message") or skip.text or "")].append(name)
        else:
            passed += 1
    return passed, failed, skipped


def reason_of(message):
    """The first line that says something; GoogleTest puts the file and line before it."""
    for line in message.splitlines():
        line = line.strip()
        if line and not re.fullmatch(r"\S+\.(cpp|h):\d+", line):
            return line
    return "no reason given"


def is_excused(reason, unavailable):
    if " cannot " in f" {reason} ":
        return True
    parts = "|".join(map(re.escape, NOT_INSTALLABLE))
    if re.search(rf"\bneeds ({parts})(\W|$)", reason):
        return True
    return any(re.search(rf"\b{re.escape(kind)}\b", reason, re.I) for kind in unavailable)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--unavailable", type=Path)
    args = parser.parse_args()

    unavailable = []
    if args.unavailable and args.unavailable.exists():
        unavailable = [line.split("\t")[0] for line in
                       args.unavailable.read_text().splitlines() if line]
    passed, failed, skipped, empty, slowest = 0, [], defaultdict(list), [], []
    report = args.results / "ctest.xml"
    if not report.exists():
        sys.exit("no test results: ctest did not get to its end")
    for entry in ElementTree.parse(report).getroot().iter("testcase"):
        name, status = entry.get("name"), entry.get("status")
        slowest.append((float(entry.get("time") or 0), name))
        details = args.results / f"{name}.xml"
        if details.exists():
            some_passed, some_failed, some_skipped = read_gtest(details)
            passed += some_passed
            failed += [f"{name}: {test}" for test in some_failed]
            for reason, tests in some_skipped.items():
                skipped[reason] += [f"{name}: {test}" for test in tests]
            if not (some_passed or some_failed or some_skipped):
                empty.append(name)
            if status == "fail" and not some_failed:
                failed.append(f"{name}: ended badly after its tests")
        elif status == "fail":
            failed.append(name)
        elif status == "run":
            passed += 1
        else:
            output = entry.findtext("system-out") or ""
            found = re.findall(r"^SKIPPED: (.+)$", output, re.MULTILINE)
            skipped[found[-1] if found else "no reason given"].append(name)

    count = sum(map(len, skipped.values()))
    print(f"\nTests: {passed} passed, {len(failed)} failed, {count} skipped")
    slowest.sort(reverse=True)
    print("Slowest: " + ", ".join(f"{name} {seconds:.0f} s" for seconds, name in slowest[:5]))
    for name in failed:
        print(f"  failed   {name}")
    refused = 0
    in_ci = os.environ.get("CI") == "true"
    for reason, tests in sorted(skipped.items(), key=lambda item: -len(item[1])):
        bad = in_ci and not is_excused(reason, unavailable)
        refused += bad
        print(f"  skipped  {len(tests)} × {reason}" + ("   <- not excused in CI" if bad else ""))
        for test in tests[:3]:
            print(f"             {test}")
        if len(tests) > 3:
            print(f"             and {len(tests) - 3} more")
    # A filter on purpose may leave a program without tests; a run of everything may not.
    if empty and "GTEST_FILTER" not in os.environ:
        print(f"  empty    no test ran in: {', '.join(empty)}")
        refused += in_ci
    print()
    sys.exit(1 if failed or refused else 0)


if __name__ == "__main__":
    main()
