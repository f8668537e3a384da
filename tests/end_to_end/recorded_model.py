"""What a database held at a cluster time, by the record of the writes to it.

Shares no code with Holdfast's changelog: it overlays the recorded documents on what was read before
the writing began.
"""

import bson

import harness


class Model:
    """The state of the database by the record: for each key its versions in order."""

    def __init__(self, digests):
        self.base = digests

    def read_record(self, path):
        self.entries = {}
        self.count = 0
        for entry in harness.read_bson_file(path):
            assert "ddl" not in entry and "unknown" not in entry, entry
            key = entry["ns"].split(".", 1)[1], harness.key_bytes(entry)
            after = entry["after"]
            self.entries.setdefault(key, []).append(
                (entry["since"], entry["time"], after.raw if after is not None else None))
            self.count += 1

    def candidates(self, key, moment):
        """The documents (raw, a digest, or None) that `key` may hold at a moment."""
        states = [self.base.get(key)]
        for since, until, after in self.entries.get(key, ()):
            if until <= moment:
                states = [after]
            elif since < moment:
                states.append(after)
        return states

    def advance(self):
        """After the traffic: its last state is the base of the next run."""
        for key, versions in self.entries.items():
            after = versions[-1][2]
            if after is None:
                self.base.pop(key, None)
            else:
                self.base[key] = harness.digest(after)


def same(state, raw):
    if state is None or raw is None:
        return state is raw
    return state == (raw if len(state) != 16 else harness.digest(raw))


def same_values(state, raw):
    """Equal but for the order of fields (a server's events may not tell it)."""
    if state is None or raw is None or len(state) == 16:
        return False
    return bson.decode(state) == bson.decode(raw)


def compare(model, restored, moment):
    """Returns (documents compared, those of other field order, those that are wrong)."""
    other_order, wrong, seen = [], [], set()
    compared = 0
    for info in restored.list_collections():
        name = info["name"]
        for raw in restored[name].find({}, batch_size=5000):
            key = name, harness.key_bytes(raw)
            seen.add(key)
            compared += 1
            states = model.candidates(key, moment)
            if any(same(state, raw.raw) for state in states):
                continue
            if any(same_values(state, raw.raw) for state in states):
                other_order.append(key)
            else:
                wrong.append((key, states, raw.raw))
    for key in set(model.base) | set(model.entries):
        if key not in seen and None not in model.candidates(key, moment):
            wrong.append((key, model.candidates(key, moment), None))
    return compared, other_order, wrong
