#!/usr/bin/env python3
"""Says whether a database holds the same as it did before. Shares no code with Holdfast.

    compare.py fingerprint --uri URI --database NAME --out FILE
    compare.py check --uri URI --database NAME --expected FILE

A collection's fingerprint: its number of documents, a SHA-256 over their raw BSON bytes in the
order of `_id`, its indexes and its options. `check` prints one line a collection and exits with 1
when anything differs.
"""

import argparse
import hashlib
import json
import sys

import pymongo
from bson import json_util
from bson.raw_bson import RawBSONDocument

# Set by the server at creation, and different for each collection that is created.
VOLATILE_INFO = ("uuid", "readOnly")


def normal(value):
    """Text that is equal for equal values, field by field in the order of names."""
    text = json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)
    return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)


def rename_database(index, database):
    """Old servers put the namespace into each index; it names the database, which may differ."""
    return {name: value for name, value in index.items() if name != "ns" or not database}


def fingerprint_collection(database, raw, info):
    name = info["name"]
    result = {
        "type": info.get("type", "collection"),
        "options": normal(info.get("options", {})),
        "info": normal({key: value for key, value in info.get("info", {}).items()
                        if key not in VOLATILE_INFO}),
        "documents": 0, "bytes": 0, "sha256": "", "indexes": [],
    }
    if result["type"] == "view":
        return result
    result["indexes"] = sorted(normal(rename_database(index, database.name))
                               for index in database[name].list_indexes())
    digest = hashlib.sha256()
    order = [("$natural", 1)] if info.get("options", {}).get("capped") else [("_id", 1)]
    for document in raw[name].find({}, sort=order, allow_disk_use=True):
        digest.update(document.raw)
        result["documents"] += 1
        result["bytes"] += len(document.raw)
    result["sha256"] = digest.hexdigest()
    return result


def fingerprint_database(uri, name):
    with pymongo.MongoClient(uri, directConnection=True) as client:
        database = client[name]
        raw = client.get_database(name, codec_options=database.codec_options.with_options(
            document_class=RawBSONDocument))
        return {info["name"]: fingerprint_collection(database, raw, info)
                for info in database.list_collections()
                if not info["name"].startswith("system.")}


def differences(expected, found):
    for field in ("type", "documents", "sha256", "options", "info", "indexes"):
        if expected[field] != found[field]:
            if field in ("sha256", "documents"):
                yield f"{field}: {expected[field]} before, {found[field]} now"
            else:
                yield (f"{field} differ:\n      before {expected[field]}"
                       f"\n      now    {found[field]}")


def check(expected, found):
    """Prints a line a collection; whether all are the same."""
    width = max(map(len, [*expected, *found, ""]))
    same = True
    for name in sorted({*expected, *found}):
        if name not in found:
            print(f"  {name:<{width}}  MISSING")
            same = False
        elif name not in expected:
            print(f"  {name:<{width}}  was not there before")
            same = False
        elif problems := list(differences(expected[name], found[name])):
            print(f"  {name:<{width}}  DIFFERENT")
            for problem in problems:
                print(f"    {problem}")
            same = False
        else:
            now = found[name]
            print(f"  {name:<{width}}  {now['documents']:>9,} documents  "
                  f"{len(now['indexes'])} indexes  sha256 {now['sha256'][:16]}…  same")
    return same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["fingerprint", "check"])
    parser.add_argument("--uri", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--out")
    parser.add_argument("--expected")
    args = parser.parse_args()

    found = fingerprint_database(args.uri, args.database)
    if args.action == "fingerprint":
        with open(args.out, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1, ensure_ascii=False)
        documents = sum(each["documents"] for each in found.values())
        size = sum(each["bytes"] for each in found.values())
        print(f"  {len(found)} collections, {documents:,} documents, {size / 1e6:,.1f} MB of BSON")
        return
    with open(args.expected, encoding="utf-8") as file:
        expected = json.load(file)
    if not check(expected, found):
        sys.exit("  the database is NOT the same")
    print("  every document, index and option is the same")


if __name__ == "__main__":
    main()
