#!/usr/bin/env python3
"""Every rule of profiles/smokava.yaml holds on seeded data, and notices exactly what breaks it.

For each case of smokava_rule_cases.py the data of a live database are broken in one place,
everything is checked, and the set of rules that are reported is compared; then the damage is
undone. HOLDFAST_RULE=ID runs one case.
"""

import os
import sys
from pathlib import Path

import pymongo
from bson import ObjectId

import harness
from server import TestServer, find_server
from smokava_rule_cases import BETWEEN, CASES, NOW, Data

PROFILE = Path(__file__).parents[2] / "profiles" / "smokava.yaml"
DATABASE = "smokava"


def run_cases(program, data, cases, arguments):
    """What is reported otherwise than expected."""
    failed = []
    for rule, (damage, expected) in cases.items():
        if os.environ.get("HOLDFAST_RULE", rule) != rule:
            continue
        try:
            damage(data)
        except StopIteration:
            failed.append(f"{rule}: the data have nothing to break")
            continue
        report = program.result(*arguments, "--live", "--fail-on", "never")
        data.restore()
        found = {finding["rule"] for finding in report["findings"]}
        if found != expected:
            failed.append(f"{rule}: expected {sorted(expected)}, reported {sorted(found)}")
            print(failed[-1], report["findings"])
    return failed


def main():
    harness.require_program()
    with harness.temporary_folder() as folder, TestServer.start(find_server()) as server:
        program = harness.Holdfast(folder, f"{server.uri.rstrip('/')}/{DATABASE}")
        program.init()
        program.run("smokava", "seed", "--userpackages", "1000", "--seed", "1", "--now",
                    NOW.isoformat())
        client = pymongo.MongoClient(server.uri, directConnection=True, tz_aware=True)
        data = Data(client[DATABASE])
        admin = data.one("admins")
        client[DATABASE].admins.insert_one({**admin, "_id": ObjectId(), "username": "spare"})
        arguments = ["check", "--profile", str(PROFILE), "--now", NOW.isoformat()]
        whole = program.result(*arguments, "--live")
        assert not whole["findings"], whole["findings"]
        assert whole["documents"] > 5_000, whole
        print(f"{len(whole['rules'])} rules hold over {whole['documents']} documents")

        program.run("backup")
        stored = program.result(*arguments, "latest")
        assert stored["rules"] == whole["rules"] and not stored["findings"], stored
        assert stored["documents"] == whole["documents"], (stored, whole)

        missing = {rule for rule in whole["rules"] if rule[:1].isdigit()} - set(CASES)
        assert not missing, f"rules without a case: {missing}"
        failed = run_cases(program, data, CASES, arguments)
        failed += run_cases(program, data, BETWEEN, [*arguments, "--since", "latest"])
        assert not failed, "\n".join(failed)
        after = program.result(*arguments, "--live", "--since", "latest")
        assert not after["findings"], after["findings"]
        only = os.environ.get("HOLDFAST_RULE")
        print(f"{only or f'each of {len(CASES) + len(BETWEEN)} cases'} is reported, and nothing "
              "else")
        client.close()


if __name__ == "__main__":
    sys.exit(main())
