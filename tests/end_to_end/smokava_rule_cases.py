"""What breaks each rule of profiles/smokava.yaml, in one place of the data: the cases of
smokava_rules_test.py.

Where invariants follow from one another, one cannot be broken alone: such a case names all that
must be reported, and why.
"""

import datetime

from bson import ObjectId

NOW = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.timezone.utc)
SECOND = datetime.timedelta(seconds=1)
CASES = {}
BETWEEN = {}  # what changes too much since a snapshot


def breaks(rule, *also, cases=CASES):
    """Registers a function as what breaks a rule; `also`: rules that cannot but break with it."""
    def register(function):
        assert rule not in cases, rule
        cases[rule] = (function, {rule, *also})
        return function
    return register


class Data:
    """A database that remembers what it was before it was broken."""

    def __init__(self, database):
        self.database = database
        self.undo = []

    def all(self, name, query=None):
        return list(self.database[name].find(query or {}).sort("_id", 1))

    def one(self, name, query=None, wanted=lambda document: True):
        return next(d for d in self.all(name, query) if wanted(d))

    def by_id(self, name, key):
        return self.database[name].find_one({"_id": key})

    def save(self, name, document):
        before = self.by_id(name, document["_id"])
        self.undo.append((name, document["_id"], before))
        self.database[name].replace_one({"_id": document["_id"]}, document, upsert=True)

    def edit(self, name, document, **fields):
        self.save(name, {**document, **fields})

    def remove(self, name, document):
        self.undo.append((name, document["_id"], document))
        self.database[name].delete_one({"_id": document["_id"]})

    def copy(self, name, document, **fields):
        self.save(name, {**document, "_id": ObjectId(), **fields})

    def drop_index(self, name, index):
        found = next(i for i in self.database[name].list_indexes() if i["name"] == index)
        options = {key: value for key, value in found.items() if key not in ("v", "key", "ns")}
        self.undo.append((name, None, (list(found["key"].items()), options)))
        self.database[name].drop_index(index)

    def restore(self):
        for name, key, before in reversed(self.undo):
            if key is None:
                self.database[name].create_index(before[0], **before[1])
            elif before is None:
                self.database[name].delete_one({"_id": key})
            else:
                self.database[name].replace_one({"_id": key}, before, upsert=True)
        self.undo = []

    # -- what the cases look for

    def purchases(self, wanted):
        """userpackages with their package, transactions and payments."""
        for up in self.all("userpackages"):
            up_id = {"userPackage": up["_id"]}
            offer = self.by_id("packages", up.get("package"))
            if wanted(up, offer or {}):
                yield up, self.all("transactions", up_id), self.all("restaurantpayments", up_id)

    def single(self, wanted=lambda up: True, settled=False):
        """A purchase that is good at one restaurant, whose payment is settled or not."""
        status = "paid" if settled else "due"
        return next(found for found in self.purchases(
            lambda up, offer: offer.get("restaurant") and up["status"] != "pending" and wanted(up))
            if len(found[2]) == 1 and found[2][0]["status"] == status)

    def world_wide(self, wanted=lambda up: True):
        """A purchase that is good everywhere: no payments to restaurants."""
        return next(found for found in self.purchases(
            lambda up, offer: not up["isGift"] and up["status"] != "pending" and wanted(up)
            and not offer.get("restaurant") and not offer["restaurantAllocations"]))

    def gift(self, allocated, wanted=lambda up: True):
        return self.one("userpackages", {"isGift": True}, lambda up: wanted(up) and bool(
            up["restaurantAllocations"]) == allocated)

    def settled(self):
        """Two settlements, and a payment of the first."""
        first, second = [s for s in self.all("settlements") if len(s["restaurantPayments"]) > 1][:2]
        return first, second, self.by_id("restaurantpayments", first["restaurantPayments"][0])

    def relist(self, settlement, payment, sign):
        """Adds a payment to a settlement, or takes it out, totals included."""
        line = settlement["restaurants"][0]
        line["totalAmount"] += sign * payment["amount"]
        line["paymentCount"] += sign
        settlement["totalAmount"] += sign * payment["amount"]
        settlement["totalPaymentsSettled"] += sign
        keys = settlement["restaurantPayments"]
        keys.append(payment["_id"]) if sign > 0 else keys.remove(payment["_id"])
        self.save("settlements", settlement)


@breaks("1")
def _(data):
    up, _, _ = data.world_wide(lambda up: up["remainingCount"] > 0)
    data.edit("userpackages", up, remainingCount=up["remainingCount"] - 1)


@breaks("2")
def _(data):
    data.edit("userpackages", data.one("userpackages", {"status": "pending"}), remainingCount=1)


@breaks("3a")
def _(data):
    up = data.gift(False)
    data.edit("userpackages", up, totalCount=up["totalCount"] + 0.5,
              remainingCount=up["remainingCount"] + 0.5)


@breaks("3b")
def _(data):
    up = data.gift(False, lambda up: up["history"])
    entry = up["history"][0]
    up["remainingCount"] += entry["count"]
    entry["count"] = 0
    data.save("userpackages", up)


# 4 follows from 1, 5 and 6; 5 from 1, 4 and 6: each breaks together with another one.
@breaks("4", "1")
def _(data):
    up = data.gift(True)
    data.edit("userpackages", up, totalCount=up["totalCount"] + 1)


@breaks("5", "1")
def _(data):
    up = data.gift(True, lambda up: up["remainingCount"] > 0)
    data.edit("userpackages", up, remainingCount=up["remainingCount"] - 1)


@breaks("6")
def _(data):
    up = next(u for u in data.all("userpackages") if len(u["restaurantAllocations"]) > 1
              and u["restaurantAllocations"][0]["remainingCount"] > 0)
    up["restaurantAllocations"][0]["remainingCount"] -= 1
    up["restaurantAllocations"][1]["remainingCount"] += 1
    data.save("userpackages", up)


@breaks("7a")
def _(data):
    up = data.gift(True, lambda up: up["totalCount"] > 1 and not up["history"])
    place = up["restaurantAllocations"][0]["restaurant"]
    data.edit("userpackages", up, restaurantAllocations=[
        {"restaurant": place, "totalCount": n, "remainingCount": n}
        for n in (1, up["totalCount"] - 1)])


@breaks("7b")
def _(data):
    shared = {}
    for up in data.all("userpackages"):
        for entry in up["history"]:
            shared.setdefault(entry["redeemLogId"], set()).add(up["_id"])
    up, _, (payment,) = data.single(
        lambda up: up["history"] and len(shared[up["history"][0]["redeemLogId"]]) == 1,
        settled=True)
    entry = up["history"][0]
    entry["restaurant"] = data.one("restaurants", {"_id": {"$ne": entry["restaurant"]}})["_id"]
    data.save("userpackages", up)
    data.edit("restaurantpayments", payment, shishaCredit=payment["shishaCredit"] - entry["count"],
              shishaDebt=payment["shishaDebt"] + entry["count"])


@breaks("8a")
def _(data):
    package = data.one("packages", wanted=lambda p: p["restaurantAllocations"])
    package["restaurantAllocations"][0]["count"] += 1
    data.save("packages", package)


@breaks("8b")
def _(data):
    data.copy("packages", data.one("packages"), price=-1)


@breaks("9")
def _(data):
    up = next(u for u, _, payments in data.purchases(lambda up, _: up["status"] == "pending")
              if not payments)
    data.edit("userpackages", up, totalCount=up["totalCount"] + 1)


@breaks("10")
def _(data):
    data.edit("userpackages", data.gift(False), operatorId=None)


@breaks("11a")
def _(data):
    _, (paid,), _ = data.world_wide()
    data.copy("transactions", paid, transactionId="A-second-one")


@breaks("11b")
def _(data):
    data.remove("transactions", data.world_wide()[1][0])


@breaks("12")
def _(data):
    paid = data.one("transactions")
    data.edit("transactions", paid, user=data.one("users", {"_id": {"$ne": paid["user"]}})["_id"])


@breaks("13")
def _(data):
    paid = data.world_wide()[1][0]
    data.edit("transactions", paid, amount=paid["amount"] + 1)


@breaks("14a")
def _(data):
    first, second = data.all("transactions", {"status": "completed"})[:2]
    data.edit("transactions", second, transactionId=first["transactionId"])


@breaks("14b")
def _(data):
    paid = data.one("transactions", {"status": "completed"})
    data.edit("transactions", paid, completedAt=paid["createdAt"] - SECOND)


@breaks("15")
def _(data):
    _, (paid,), _ = data.world_wide(lambda up: up["status"] == "active")
    data.copy("transactions", paid, status="failed", transactionId=None, completedAt=None)


@breaks("16")
def _(data):
    data.edit("transactions", data.one("transactions"), currency="USD")


@breaks("17")
def _(data):
    data.remove("restaurantpayments", data.single()[2][0])


@breaks("18")
def _(data):
    _, _, (payment,) = data.single()
    other = data.one("transactions", {"_id": {"$ne": payment["transaction"]}})
    data.edit("restaurantpayments", payment, transaction=other["_id"])


@breaks("19")
def _(data):
    payment = data.single()[2][0]
    data.edit("restaurantpayments", payment, amount=payment["amount"] + 2)


@breaks("20a")
def _(data):
    _, (paid,), (payment,) = data.single()
    data.edit("restaurantpayments", payment, amount=paid["amount"] + 1, commissionPercentage=100)


@breaks("20b")
def _(data):
    _, (paid,), (payment,) = data.single()
    data.edit("restaurantpayments", payment, commissionPercentage=-1,
              amount=-paid["amount"] // 100)


@breaks("21")
def _(data):
    payment = data.one("restaurantpayments", {"shishaDebt": {"$gte": 1}})
    data.edit("restaurantpayments", payment, shishaCredit=payment["shishaCredit"] + 1,
              shishaDebt=payment["shishaDebt"] - 1)


@breaks("22")
def _(data):
    payment = data.one("restaurantpayments")
    data.edit("restaurantpayments", payment, shishaDebt=payment["shishaDebt"] + 1)


@breaks("23")
def _(data):
    data.edit("restaurantpayments", data.one("restaurantpayments", {"status": "due"}), paidAt=NOW)


@breaks("24a")
def _(data):
    _, second, payment = data.settled()
    data.relist(second, payment, 1)


@breaks("24b")
def _(data):
    _, _, payment = data.settled()
    data.edit("restaurantpayments", payment, status="due", paidAt=None)


@breaks("25")
def _(data):
    first, _, payment = data.settled()
    data.relist(first, payment, -1)


@breaks("26a")
def _(data):
    settlement = data.settled()[0]
    settlement["totalAmount"] += 1
    settlement["restaurants"][0]["totalAmount"] += 1
    data.save("settlements", settlement)


@breaks("26b")
def _(data):
    settlement = data.settled()[0]
    settlement["restaurants"][0]["totalAmount"] += 1
    data.save("settlements", settlement)


@breaks("27")
def _(data):
    settlement = data.settled()[0]
    data.edit("settlements", settlement,
              totalShishaProvided=settlement["totalShishaProvided"] + 1)


# Two equal numbers do not rise, either; and the index that refuses them must go first.
@breaks("28a", "28b", "index.settlements")
def _(data):
    first, second, _ = data.settled()
    data.drop_index("settlements", "settlementNumber_1")
    data.edit("settlements", second, settlementNumber=first["settlementNumber"])


@breaks("28b")
def _(data):
    data.edit("settlements", data.settled()[0], settlementNumber="SET-99999999-0001")


@breaks("29")
def _(data):
    data.edit("moderationlogs", data.one("moderationlogs"), targetId=ObjectId())


@breaks("30a")
def _(data):
    rated = {r["redeemLogId"] for r in data.all("ratings")}
    up = next(u for u in data.all("userpackages")
              if u["history"] and u["history"][0]["redeemLogId"] not in rated)
    other = data.one("userpackages", {"user": {"$ne": up["user"]}},
                     lambda u: u["history"] and u["history"][0]["redeemLogId"] not in rated)
    up["history"][0]["redeemLogId"] = other["history"][0]["redeemLogId"]
    data.save("userpackages", up)


@breaks("30b")
def _(data):
    data.edit("ratings", data.one("ratings"), redeemLogId=ObjectId())


@breaks("31a")
def _(data):
    up = data.one("userpackages", wanted=lambda u: u["history"])
    up["history"][0]["consumedAt"] = up["purchasedAt"] - SECOND
    data.save("userpackages", up)


def register_future(name):
    @breaks("31-" + name)
    def _(data):
        data.edit(name, data.one(name), seen={"last": [NOW + SECOND]})


for collection in ("users packages userpackages transactions restaurantpayments settlements posts "
                   "ratings moderationlogs").split():
    register_future(collection)


@breaks("32")
def _(data):
    up = next(u for u, _, _ in data.purchases(
        lambda up, offer: offer.get("durationDays") and up["status"] == "active"))
    late = datetime.timedelta(hours=5, seconds=1)
    data.edit("userpackages", up, expiresAt=up["expiresAt"] + late)


@breaks("33")
def _(data):
    data.edit("userpackages", data.one("userpackages", {"status": "expired"}), status="active")


# A unique key can only be broken where its index is gone.
def register_twice(rule, field, index):
    @breaks(rule, "index.users")
    def _(data):
        first, second = data.all("users", {field: {"$exists": True}})[:2]
        data.drop_index("users", index)
        data.edit("users", second, **{field: first[field]})


register_twice("34-phone-number", "phoneNumber", "phoneNumber_1")
register_twice("34-username", "username", "username_1")
register_twice("34-telegram-id", "telegramId", "telegramId_1")


# Whoever is left refers to admins that are gone.
@breaks("35a", "reference.posts.deletedBy", "reference.posts.comments.deletedBy",
        "reference.moderationlogs.adminId", "reference.userroles.assignedBy",
        "reference.settlements.document.generatedBy._id")
def _(data):
    for admin in data.all("admins"):
        data.remove("admins", admin)


@breaks("35b")
def _(data):
    operator = data.one("users", {"role": "restaurant_operator"})
    data.edit("restaurants", data.by_id("restaurants", operator["assignedRestaurant"]),
              active=False)


@breaks("36a")
def _(data):
    user = data.one("users", wanted=lambda u: u["following"])
    data.edit("users", user, following=user["following"][:-1])


@breaks("36b")
def _(data):
    user = data.one("users")
    data.edit("users", user, following=[*user["following"], user["_id"]],
              followers=[*user["followers"], user["_id"]])


@breaks("37a")
def _(data):
    post = data.one("posts", wanted=lambda p: p["comments"] and not p["comments"][0]["deletedAt"])
    post["comments"][0]["deletedAt"] = post["comments"][0]["commentedAt"]
    data.save("posts", post)


@breaks("37b")
def _(data):
    post = data.one("posts", {"deletedAt": {"$lt": NOW - SECOND}})
    post["likes"].append({"user": post["user"], "likedAt": post["deletedAt"] + SECOND})
    data.save("posts", post)


@breaks("37c")
def _(data):
    log = data.one("moderationlogs", {"action": "delete_post"})
    data.edit("posts", data.by_id("posts", log["targetId"]), deletedAt=None, deletedBy=None)


@breaks("soft_delete.posts")
def _(data):
    data.edit("posts", data.one("posts", {"deletedAt": {"$ne": None}}), deletedBy=None)


@breaks("reference.posts.restaurant")
def _(data):
    data.edit("posts", data.one("posts"), restaurant=ObjectId())


@breaks("reference.posts.likes.user")
def _(data):
    post = data.one("posts", wanted=lambda p: p["likes"])
    post["likes"][0]["user"] = ObjectId()
    data.save("posts", post)


# Who follows nobody is no one's follower, either.
@breaks("reference.users.following", "36a")
def _(data):
    user = data.one("users")
    data.edit("users", user, following=[*user["following"], ObjectId()])


@breaks("schema.users")
def _(data):
    data.edit("users", data.one("users"), bio="ق" * 201)


@breaks("index.restaurantpayments")
def _(data):
    data.drop_index("restaurantpayments", "status_1")


@breaks("38", cases=BETWEEN)
def _(data):
    up = data.gift(False, lambda up: up["remainingCount"] > 0 and up["totalCount"] > 1)
    data.edit("userpackages", up, totalCount=up["totalCount"] - 1,
              remainingCount=up["remainingCount"] - 1)


@breaks("39a", cases=BETWEEN)
def _(data):
    rated = {r["redeemLogId"] for r in data.all("ratings")}
    up = data.gift(False, lambda up: up["history"]
                   and up["history"][-1]["redeemLogId"] not in rated)
    up["remainingCount"] += up["history"].pop()["count"]
    data.save("userpackages", up)


# The price has not changed with it.
@breaks("39b", "13", cases=BETWEEN)
def _(data):
    paid = data.world_wide()[1][0]
    data.edit("transactions", paid, amount=paid["amount"] + 1)


@breaks("39c", cases=BETWEEN)
def _(data):
    data.remove("admins", data.one("admins", {"username": "spare"}))
