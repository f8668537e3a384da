#!/usr/bin/env python3
"""`holdfast smokava seed` makes a database in which every invariant of Smokava holds.

The rules are those of smokava_invariants.py, which shares no code with the generator. That the
rules would notice is shown by breaking the data, one rule at a time.
"""

import copy
import datetime
import os

import bson
import pymongo

import harness
import smokava_invariants
from server import TestServer, find_server

NOW = "2026-11-01T12:00:00Z"
SIZES = (("1000", "1"), ("4000", "7"))
RULES = set(range(1, 38))


def first(data, name, wanted=lambda document: True):
    return next(document for document in data[name] if wanted(document))


def used_bundle(up):
    return up["restaurantAllocations"] and up["history"] and up["status"] != "pending"


def completed(t):
    return t["status"] == "completed"


def paid(p):
    return p["status"] == "paid"


def long_ago(*_):
    return datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)


def break_allocation(data):
    first(data, "userpackages", used_bundle)["restaurantAllocations"][0]["remainingCount"] += 1


def break_double_place(data):
    parts = first(data, "userpackages", used_bundle)["restaurantAllocations"]
    parts[0]["restaurant"] = parts[1]["restaurant"]


def break_total(data):
    first(data, "userpackages", used_bundle)["restaurantAllocations"][0]["totalCount"] += 1


def break_lonely_payment(data):
    data["restaurantpayments"].remove(first(data, "restaurantpayments", paid))


def break_lonely_transaction(data):
    data["transactions"].remove(first(data, "transactions", completed))


def break_active_charge(data):
    active = {u["_id"] for u in data["userpackages"] if u["status"] == "active"}
    first(data, "transactions", lambda t: t["userPackage"] in active)["status"] = "refunded"


def break_second_listing(data):
    s = data["settlements"]
    s[1]["restaurantPayments"].append(s[0]["restaurantPayments"][0])


def break_order(data):
    s = data["settlements"]
    s[0]["settlementNumber"], s[1]["settlementNumber"] = (
        s[1]["settlementNumber"], s[0]["settlementNumber"])


def break_follow(data):
    first(data, "users", lambda u: u["following"])["following"].pop()


def break_active(data):
    user = first(data, "users", lambda u: u["role"] == "restaurant_operator")
    first(data, "restaurants", lambda r: r["_id"] == user["assignedRestaurant"])["active"] = False


def break_log(data):
    log = first(data, "moderationlogs", lambda m: m["action"] == "delete_post")
    post = first(data, "posts", lambda p: p["_id"] == log["targetId"])
    post["deletedAt"] = post["deletedBy"] = None


def setting(name, field, value, wanted=lambda document: True):
    def apply(data):
        document = first(data, name, wanted)
        document[field] = value(document) if callable(value) else value

    return apply


def in_history(field, value):
    def apply(data):
        entry = first(data, "userpackages", used_bundle)["history"][0]
        entry[field] = value(entry) if callable(value) else value

    return apply


BREAKS = {
    1: setting("userpackages", "remainingCount", lambda u: u["remainingCount"] + 1, used_bundle),
    2: setting("userpackages", "remainingCount", 1, lambda u: u["status"] == "pending"),
    3: setting("userpackages", "remainingCount", -1),
    4: break_total,
    5: break_allocation,
    6: break_allocation,
    7: break_double_place,
    8: setting("packages", "count", lambda p: p["count"] + 1, lambda p: p["restaurantAllocations"]),
    9: setting("userpackages", "totalCount", lambda u: u["totalCount"] + 1,
               lambda u: not u["isGift"]),
    10: setting("userpackages", "operatorId", None, lambda u: u["isGift"]),
    11: break_lonely_transaction,
    12: setting("transactions", "user", lambda t: bson.ObjectId()),
    13: setting("transactions", "amount", lambda t: t["amount"] + 1),
    14: setting("transactions", "completedAt", long_ago, completed),
    15: break_active_charge,
    16: setting("transactions", "amount", -1),
    17: break_lonely_payment,
    18: setting("restaurantpayments", "transaction", lambda p: bson.ObjectId()),
    19: setting("restaurantpayments", "amount", lambda p: p["amount"] + 2),
    20: setting("restaurantpayments", "commissionPercentage", 101),
    21: setting("restaurantpayments", "shishaCredit", lambda p: p["shishaCredit"] + 1),
    22: setting("restaurantpayments", "shishaDebt", lambda p: p["shishaDebt"] + 1),
    23: setting("restaurantpayments", "paidAt", None, paid),
    24: break_second_listing,
    25: lambda data: data["settlements"][0]["restaurantPayments"].pop(),
    26: setting("settlements", "totalAmount", lambda s: s["totalAmount"] + 1),
    27: setting("settlements", "totalPaymentsSettled", lambda s: s["totalPaymentsSettled"] + 1),
    28: break_order,
    29: setting("posts", "restaurant", lambda p: bson.ObjectId()),
    30: setting("ratings", "redeemLogId", lambda r: bson.ObjectId()),
    31: in_history("consumedAt", long_ago),
    32: setting("userpackages", "expiresAt", lambda u: u["expiresAt"] + datetime.timedelta(hours=6),
                lambda u: not u["isGift"] and u["expiresAt"]),
    33: setting("userpackages", "status", "active", lambda u: u["status"] == "expired"),
    34: lambda data: data["users"][0].update(phoneNumber=data["users"][1]["phoneNumber"]),
    35: break_active,
    36: break_follow,
    37: break_log,
}


def check_rules_notice(data, indexes, now):
    for rule, damage in sorted(BREAKS.items()):
        broken = copy.deepcopy(data)
        damage(broken)
        # A broken reference may stop the walk: then too it was noticed.
        try:
            found = smokava_invariants.check_database(broken, indexes, now).counts
        except (KeyError, TypeError) as error:
            found = {rule: error}
        assert rule in found, f"rule {rule} doesn't notice what breaks it, only {dict(found)}"
    print(f"each of {len(BREAKS)} rules notices what breaks it")


def check_indexes(indexes):
    username = next(i for i in indexes["users"] if list(i["key"]) == ["username"])
    assert username["partialFilterExpression"] == {"username": {"$type": "string"}}, username
    keys = {name: {tuple(i["key"].items()) for i in found} for name, found in indexes.items()}
    assert (("user", 1), ("purchasedAt", 1)) in keys["userpackages"]
    assert (("location", "2dsphere"),) in keys["restaurants"]
    for expected in ((("user", 1), ("createdAt", -1)), (("package", 1), ("createdAt", -1)),
                     (("status", 1), ("createdAt", -1)), (("createdAt", -1),)):
        assert expected in keys["transactions"], expected
    for field in ("restaurant", "status", "createdAt"):
        assert ((field, 1),) in keys["restaurantpayments"], field


def check_explicit_null(uri, database):
    """The drift that the guide warns of: with the partial filter two nulls don't collide."""
    with pymongo.MongoClient(uri, directConnection=True) as client:
        users = client[database].users
        users.insert_many([{"phoneNumber": "1", "username": None},
                           {"phoneNumber": "2", "username": None}])
        users.delete_many({"phoneNumber": {"$in": ["1", "2"]}})


def main():
    harness.require_program()
    assert set(BREAKS) == RULES
    now = datetime.datetime.fromisoformat(NOW.replace("Z", "+00:00"))
    only = os.environ.get("HOLDFAST_SMOKAVA_SIZE")
    with harness.temporary_folder() as folder, TestServer.start(find_server()) as server:
        program = harness.Holdfast(folder, server.uri)
        for size, seed in [(only, "1")] if only else SIZES:
            database = f"smokava_{size}"
            program.run("smokava", "seed", "--database", database, "--userpackages", size,
                        "--seed", seed, "--now", NOW)
            data, indexes = smokava_invariants.read_server(server.uri, database)
            findings = smokava_invariants.check_database(data, indexes, now)
            missing = RULES - set(findings.checked)
            assert not missing, f"rules that were never checked: {missing}"
            assert not findings.counts, f"{dict(findings.counts)}: {findings.examples}"
            check_indexes(indexes)
            total = sum(findings.checked.values())
            print(f"{size} userpackages, seed {seed}: {total} checks, none violated")
            if size == SIZES[0][0]:
                check_rules_notice(data, indexes, now)
                check_explicit_null(server.uri, database)


if __name__ == "__main__":
    main()
