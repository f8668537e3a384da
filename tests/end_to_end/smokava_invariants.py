"""The invariants 1-37 of Smokava, checked over a whole database held in memory.

Written from the list of rules alone; shares no code with Holdfast. Used by
smokava_seed_test.py, and by hand:

    smokava_invariants.py mongodb://localhost:27017 smokava [NOW]
    smokava_invariants.py --bson FOLDER [NOW]

NOW is an ISO time with zone; the default is the latest moment in the data. Prints each rule's
number of violations with an example, and ends with 1 if there are any.
"""

import collections
import datetime
import os
import sys

import bson

COLLECTIONS = (
    "admins roles restaurants packages users userroles followrequests userpackages transactions "
    "restaurantpayments settlements ratings posts moderationlogs"
).split()
UTC = datetime.timezone.utc


class Findings:
    """Violations by rule: a count and the first example."""

    def __init__(self):
        self.counts = collections.Counter()
        self.examples = {}
        self.checked = collections.Counter()

    def check(self, rule, holds, *example):
        self.checked[rule] += 1
        if not holds:
            self.counts[rule] += 1
            self.examples.setdefault(rule, example)


def whole(value):
    """An integer, also when JavaScript stored it as a double."""
    return not isinstance(value, bool) and isinstance(value, (int, float)) and value == int(value)


class Checker:
    def __init__(self, data, indexes, now):
        self.data = data
        self.indexes = indexes
        self.now = now
        self.out = Findings()
        self.by_id = {name: {d["_id"]: d for d in data[name]} for name in COLLECTIONS}
        self.transactions_of = self.group("transactions", "userPackage")
        self.payments_of = self.group("restaurantpayments", "userPackage")

    def group(self, name, key):
        groups = collections.defaultdict(list)
        for document in self.data[name]:
            groups[document[key]].append(document)
        return groups

    def run(self):
        self.unique_ids()
        for package in self.data["userpackages"]:
            self.counts(package)
            self.money(package)
            self.dates(package)
        self.packages()
        self.transactions()
        self.payments()
        self.settlements()
        self.references()
        self.redemptions()
        self.people()
        self.posts()
        self.nothing_in_the_future()
        return self.out

    # -- counts, 1-10

    def unique_ids(self):
        for name in COLLECTIONS:
            self.out.check("_id", len(self.by_id[name]) == len(self.data[name]), name)
            for document in self.data[name]:
                keys = list(document)
                self.out.check("shape", keys[0] == "_id" and keys[-1] == "__v", name, keys)

    def counts(self, up):
        check = self.out.check
        history = up.get("history", [])
        parts = up.get("restaurantAllocations", [])
        consumed = sum(h.get("count", 1) for h in history)
        total, remaining = up["totalCount"], up["remainingCount"]
        completed = [t for t in self.transactions_of[up["_id"]] if t["status"] == "completed"]
        if up["status"] != "pending":
            check(1, remaining == total - consumed, up["_id"])
        else:
            check(2, remaining == 0 and not history and not completed, up["_id"])
        check(3, whole(total) and whole(remaining) and 0 <= remaining <= total, up["_id"])
        check(3, all(whole(h["count"]) and h["count"] >= 1 for h in history), up["_id"])
        offer = self.by_id["packages"].get(up.get("package"))
        if parts:
            check(4, sum(a["totalCount"] for a in parts) == total, up["_id"])
            check(5, sum(a["remainingCount"] for a in parts) == remaining, up["_id"])
            for part in parts:
                used = sum(h["count"] for h in history if h["restaurant"] == part["restaurant"])
                left = part["remainingCount"]
                check(6, left == part["totalCount"] - used and left >= 0, up["_id"])
                check(6, part["totalCount"] >= 1, up["_id"])
            check(7, len({a["restaurant"] for a in parts}) == len(parts), up["_id"])
            places = {a["restaurant"] for a in parts}
            check(7, all(h["restaurant"] in places for h in history), up["_id"])
        elif offer and offer.get("restaurant"):
            check(7, all(h["restaurant"] == offer["restaurant"] for h in history), up["_id"])
        if not up["isGift"]:
            check(9, offer is not None and total == offer["count"], up["_id"])
        else:
            nothing_paid = not self.transactions_of[up["_id"]] and not self.payments_of[up["_id"]]
            named = up.get("giftFromRestaurantId") and up.get("operatorId")
            check(10, named and nothing_paid, up["_id"])
        check("status", up["status"] in ("pending", "active", "expired"), up["_id"])

    def packages(self):
        for offer in self.data["packages"]:
            shares = offer.get("restaurantAllocations", [])
            if shares:
                same = sum(a["count"] for a in shares) == offer["count"]
                self.out.check(8, same and all(a["count"] >= 1 for a in shares), offer["_id"])
            self.out.check(8, offer["price"] >= 0 and offer["count"] >= 1, offer["_id"])

    # -- money, 11-16

    def money(self, up):
        check = self.out.check
        mine = self.transactions_of[up["_id"]]
        if up["isGift"]:
            return
        completed = [t for t in mine if t["status"] == "completed"]
        if up["status"] in ("active", "expired"):
            check(11, len(completed) == 1, up["_id"])
        if any(t["status"] in ("refunded", "failed") for t in mine):
            check(15, up["status"] != "active", up["_id"])
        if completed:
            self.paid_places(up)

    def paid_places(self, up):
        offer = self.by_id["packages"][up["package"]]
        places = [a["restaurant"] for a in up.get("restaurantAllocations", [])]
        if not places and offer.get("restaurant"):
            places = [offer["restaurant"]]
        paid = collections.Counter(p["restaurant"] for p in self.payments_of[up["_id"]])
        self.out.check(17, paid == collections.Counter(places), up["_id"])

    def transactions(self):
        check = self.out.check
        seen = set()
        for t in self.data["transactions"]:
            up = self.by_id["userpackages"].get(t["userPackage"])
            offer = self.by_id["packages"].get(t["package"])
            same = up and t["user"] == up["user"] and t["package"] == up.get("package")
            check(12, same, t["_id"])
            check(13, offer and t["amount"] == offer["price"], t["_id"])
            if t.get("transactionId") is not None:
                check(14, t["transactionId"] not in seen, t["_id"])
                seen.add(t["transactionId"])
            if t["status"] == "completed":
                check(14, t["completedAt"] >= t["createdAt"], t["_id"])
            check(16, whole(t["amount"]) and t["amount"] >= 0, t["_id"])
            check(16, t["currency"] == "IRR", t["_id"])
            known = ("pending", "completed", "failed", "refunded")
            check("status", t["status"] in known, t["_id"])

    # -- payments, 17-23

    def payments(self):
        check = self.out.check
        sums = collections.Counter()
        for p in self.data["restaurantpayments"]:
            t = self.by_id["transactions"].get(p["transaction"])
            up = self.by_id["userpackages"].get(p["userPackage"])
            check(18, t and up and t["userPackage"] == up["_id"], p["_id"])
            if not t or not up:
                continue
            sums[t["_id"]] += p["amount"]
            parts = [
                a
                for a in up.get("restaurantAllocations", [])
                if a["restaurant"] == p["restaurant"]
            ]
            allocated = parts[0]["totalCount"] if parts else up["totalCount"]
            share = allocated / up["totalCount"]
            expected = t["amount"] * share * p["commissionPercentage"] / 100
            check(19, abs(p["amount"] - expected) <= 1, p["_id"], p["amount"], expected)
            check(20, 0 <= p["commissionPercentage"] <= 100, p["_id"])
            used = sum(
                h["count"] for h in up.get("history", []) if h["restaurant"] == p["restaurant"]
            )
            check(21, p["shishaCredit"] == used, p["_id"])
            check(22, p["shishaDebt"] + p["shishaCredit"] == allocated, p["_id"])
            check(23, (p["status"] == "paid") == (p.get("paidAt") is not None), p["_id"])
            known = ("pending", "due", "paid", "cancelled")
            check("status", p["status"] in known, p["_id"])
        for key, total in sums.items():
            check(20, total <= self.by_id["transactions"][key]["amount"], key)

    # -- settlements, 24-28

    def settlements(self):
        check = self.out.check
        listed = {}
        for s in self.data["settlements"]:
            amount = 0
            for key in s["restaurantPayments"]:
                p = self.by_id["restaurantpayments"].get(key)
                check(24, key not in listed and p and p["status"] == "paid", s["_id"], key)
                listed[key] = s["_id"]
                if p:
                    amount += p["amount"]
                    check("settled", p["paidAt"] == s["settlementDate"], p["_id"])
                    check("settled", p["createdAt"] <= s["settlementDate"], p["_id"])
            lines = s["restaurants"]
            check(26, s["totalAmount"] == amount == sum(r["totalAmount"] for r in lines), s["_id"])
            payments = sum(r["paymentCount"] for r in lines)
            check(27, s["totalPaymentsSettled"] == len(s["restaurantPayments"]) == payments)
            provided = sum(r["totalShishaProvided"] for r in lines)
            check(27, s["totalShishaProvided"] == provided, s["_id"])
        for p in self.data["restaurantpayments"]:
            if p["status"] == "paid":
                check(25, p["_id"] in listed, p["_id"])
        ordered = sorted(self.data["settlements"], key=lambda s: s["settlementDate"])
        numbers = [s["settlementNumber"] for s in ordered]
        check(28, numbers == sorted(set(numbers)))

    # -- references and time, 29-33

    def references(self):
        plain = {
            "users": {
                "consumptionOtpRestaurant": "restaurants", "assignedRestaurant": "restaurants",
            },
            "packages": {"restaurant": "restaurants"},
            "userpackages": {
                "user": "users", "package": "packages", "giftFromRestaurantId": "restaurants",
                "operatorId": "users",
            },
            "transactions": {
                "user": "users", "userPackage": "userpackages", "package": "packages",
            },
            "restaurantpayments": {
                "restaurant": "restaurants", "userPackage": "userpackages",
                "transaction": "transactions",
            },
            "posts": {"user": "users", "restaurant": "restaurants", "deletedBy": "admins"},
            "ratings": {
                "userId": "users", "restaurantId": "restaurants", "operatorId": "users",
                "packageId": "userpackages",
            },
            "userroles": {"userId": "users", "roleId": "roles", "assignedBy": "admins"},
            "followrequests": {"requesterId": "users", "targetUserId": "users"},
            "moderationlogs": {"adminId": "admins"},
        }
        for name, fields in plain.items():
            for document in self.data[name]:
                for field, target in fields.items():
                    self.resolves(document.get(field), target, name, field)
        nested = (
            ("users", "following", None, "users"),
            ("users", "followers", None, "users"),
            ("packages", "restaurantAllocations", "restaurant", "restaurants"),
            ("userpackages", "restaurantAllocations", "restaurant", "restaurants"),
            ("userpackages", "history", "restaurant", "restaurants"),
            ("settlements", "restaurants", "restaurant", "restaurants"),
            ("settlements", "restaurantPayments", None, "restaurantpayments"),
            ("posts", "likes", "user", "users"),
            ("posts", "comments", "user", "users"),
            ("posts", "comments", "deletedBy", "admins"),
        )
        for name, array, field, target in nested:
            for document in self.data[name]:
                for entry in document[array]:
                    self.resolves(entry.get(field) if field else entry, target, name, array)
        for s in self.data["settlements"]:
            signer = s["document"]["generatedBy"]
            self.resolves(signer["_id"], "admins", "settlements", "generatedBy")
        for role in self.data["userroles"]:
            place = role.get("scope", {}).get("restaurantId")
            self.resolves(place, "restaurants", "userroles", "scope")

    def resolves(self, key, target, *where):
        if key is not None:
            self.out.check(29, key in self.by_id[target], *where, key)

    def redemptions(self):
        check = self.out.check
        owner = {}
        history_of = collections.defaultdict(set)
        for up in self.data["userpackages"]:
            for h in up["history"]:
                key = h["redeemLogId"]
                who = (up["user"], h["restaurant"])
                check(30, owner.setdefault(key, who) == who, key)
                history_of[up["user"]].add(key)
        rated = set()
        for r in self.data["ratings"]:
            check(30, r["redeemLogId"] in history_of[r["userId"]], r["_id"])
            check("rating", owner.get(r["redeemLogId"], (0, 0))[1] == r["restaurantId"], r["_id"])
            check("rating", 1 <= r["rating"] <= 5, r["_id"])
            check("rating", (r["userId"], r["redeemLogId"]) not in rated, r["_id"])
            rated.add((r["userId"], r["redeemLogId"]))
            up = self.by_id["userpackages"][r["packageId"]]
            check("rating", up["user"] == r["userId"] and up["isGift"] == r["isGift"], r["_id"])

    def dates(self, up):
        check = self.out.check
        last = up.get("expiresAt") or self.now
        for h in up["history"]:
            check(31, up["purchasedAt"] <= h["consumedAt"] <= last, up["_id"])
        moments = [h["consumedAt"] for h in up["history"]]
        check("ordered", moments == sorted(moments), up["_id"])
        offer = self.by_id["packages"].get(up.get("package"))
        if offer and up.get("expiresAt") and offer.get("durationDays"):
            days = datetime.timedelta(days=offer["durationDays"])
            off = abs(up["expiresAt"] - up["purchasedAt"] - days)
            check(32, off <= datetime.timedelta(hours=5), up["_id"])
        over = up.get("expiresAt") is not None and up["expiresAt"] < self.now
        check(33, (up["status"] == "expired") == over, up["_id"])

    def nothing_in_the_future(self):
        for name in COLLECTIONS:
            for document in self.data[name]:
                made = document["_id"].generation_time
                self.out.check(31, made <= self.now, name, "_id", made)
                for path, moment in self.moments(document, ""):
                    if path not in ("/expiresAt", "/endDate"):
                        self.out.check(31, moment <= self.now, name, path, moment)

    def moments(self, value, path):
        if isinstance(value, datetime.datetime):
            yield path, value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from self.moments(inner, path + "/" + key)
        elif isinstance(value, list):
            for inner in value:
                yield from self.moments(inner, path)

    # -- people and posts, 34-37

    def people(self):
        check = self.out.check
        users = self.data["users"]
        for field, required in (("phoneNumber", True), ("username", False), ("telegramId", False)):
            values = [u[field] for u in users if u.get(field) is not None]
            check(34, len(values) == len(set(values)), field)
            check(34, not required or len(values) == len(users), field)
            if self.indexes is not None:
                unique = [i for i in self.indexes["users"] if list(i["key"]) == [field]]
                check(34, len(unique) == 1 and unique[0].get("unique"), field)
        for u in users:
            check("user", u["phoneNumber"] == u["phoneNumber"].strip(), u["_id"])
            check("user", len(u.get("bio", "")) <= 200, u["_id"])
            check("user", u.get("username", "x") is not None, u["_id"])
            check("user", u["role"] in ("user", "restaurant_operator", "admin"), u["_id"])
            if u["role"] == "restaurant_operator":
                place = self.by_id["restaurants"].get(u.get("assignedRestaurant"))
                check(35, place and place["active"], u["_id"])
            for near, far in (("following", "followers"), ("followers", "following")):
                check(36, u["_id"] not in u[near] and len(set(u[near])) == len(u[near]), u["_id"])
                for other in u[near]:
                    found = self.by_id["users"].get(other)
                    check(36, found and u["_id"] in found[far], u["_id"], other)
        check(35, len(self.data["admins"]) >= 1)
        names = [a["username"] for a in self.data["admins"]]
        check("admins", len(names) == len(set(names)))
        roles = [
            (r["userId"], r["roleId"], r.get("scope", {}).get("restaurantId"))
            for r in self.data["userroles"]
        ]
        check("userroles", len(roles) == len(set(roles)))
        pending = [
            (f["requesterId"], f["targetUserId"])
            for f in self.data["followrequests"]
            if f["status"] == "pending"
        ]
        check("followrequests", len(pending) == len(set(pending)))

    def posts(self):
        check = self.out.check
        comments = {}
        for post in self.data["posts"]:
            deleted = post["deletedAt"]
            check(37, (deleted is None) == (post["deletedBy"] is None), post["_id"])
            likers = [like["user"] for like in post["likes"]]
            check("likes", len(likers) == len(set(likers)), post["_id"])
            events = [like["likedAt"] for like in post["likes"]]
            for comment in post["comments"]:
                comments[comment["_id"]] = comment
                events.append(comment["commentedAt"])
                gone = comment["deletedAt"]
                check(37, (gone is None) == (comment["deletedBy"] is None), post["_id"])
                check(37, gone is None or gone >= comment["commentedAt"], post["_id"])
            check("posts", all(e >= post["createdAt"] for e in events), post["_id"])
            if deleted is not None:
                check(37, all(e <= deleted for e in events), post["_id"])
                check(37, deleted >= post["createdAt"], post["_id"])
        for log in self.data["moderationlogs"]:
            found = comments if log["targetType"] == "comment" else self.by_id["posts"]
            target = found.get(log["targetId"])
            check(29, target is not None, log["_id"])
            if log["action"] in ("delete_post", "delete_comment") and target:
                check(37, target["deletedAt"] is not None, log["_id"])


def check_database(data, indexes, now):
    """data: lists of documents by collection; indexes: list_indexes() by collection, or None."""
    return Checker(data, indexes, now).run()


def read_server(uri, database):
    import pymongo

    client = pymongo.MongoClient(uri, tz_aware=True)
    db = client[database]
    data = {name: list(db[name].find()) for name in COLLECTIONS}
    indexes = {name: list(db[name].list_indexes()) for name in COLLECTIONS}
    client.close()
    return data, indexes


def read_folder(folder):
    options = bson.CodecOptions(tz_aware=True)
    data = {}
    for name in COLLECTIONS:
        with open(os.path.join(folder, name + ".bson"), "rb") as file:
            data[name] = bson.decode_all(file.read(), options)
    return data


def latest_moment(data):
    checker = Checker(data, None, None)
    return max(
        moment
        for name in COLLECTIONS
        for document in data[name]
        for path, moment in checker.moments(document, "")
        if path not in ("/expiresAt", "/endDate")
    )


def report(findings):
    for rule in sorted(findings.checked, key=str):
        bad = findings.counts[rule]
        line = f"{rule}: {findings.checked[rule]} checked, {bad} violated"
        print(line + (f", e.g. {findings.examples[rule]}" if bad else ""))
    return 1 if findings.counts else 0


def main(arguments):
    if arguments[:1] == ["--bson"]:
        data, indexes = read_folder(arguments[1]), None
    else:
        data, indexes = read_server(arguments[0], arguments[1])
    given = arguments[2:3]
    now = datetime.datetime.fromisoformat(given[0]) if given else latest_moment(data)
    return report(check_database(data, indexes, now))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
