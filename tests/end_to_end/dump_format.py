"""mongodump's formats, written and read without any code of Holdfast's: from the description of the
format alone, with pymongo's bson. Documents are bytes; a dump is

    {(database, collection): Dumped(metadata, [document, …])}
"""

import base64
import gzip
import hashlib
import io
import json
import string
import struct
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import bson
from bson import json_util

MAGIC = bytes.fromhex("6de29981")
TERMINATOR = b"\xff\xff\xff\xff"
KEPT = set((string.ascii_letters + string.digits + "-_.~").encode())


@dataclass
class Dumped:
    metadata: dict
    documents: list = field(default_factory=list)


def make_crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0xc96c5795d7870f42 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = make_crc_table()


def crc64(data, state=0):
    """CRC-64/XZ, continued from `state`."""
    state ^= 0xffffffffffffffff
    for byte in data:
        state = (state >> 8) ^ CRC_TABLE[(state ^ byte) & 0xff]
    return state ^ 0xffffffffffffffff


assert crc64(b"123456789") == 0x995dc9bbdf1939fa


def escape(name):
    escaped = "".join(chr(b) if b in KEPT else "+" if b == 0x20 else f"%{b:02X}"
                      for b in name.encode())
    if len(escaped) <= 238:
        return escaped
    digest = base64.urlsafe_b64encode(hashlib.sha1(name.encode()).digest()).decode().rstrip("=")
    return escaped[:208] + "%24" + digest


def metadata_text(metadata):
    return json_util.dumps(metadata, json_options=json_util.CANONICAL_JSON_OPTIONS)


def parse_metadata(text):
    return json_util.loads(text, json_options=json_util.JSONOptions(
        json_mode=json_util.JSONMode.CANONICAL, document_class=dict))


def has_documents(metadata):
    return metadata.get("type", "collection") != "view"


def split_documents(data):
    documents, at = [], 0
    while at < len(data):
        size, = struct.unpack_from("<i", data, at)
        assert 5 <= size <= len(data) - at, f"bad length {size} at {at}"
        documents.append(data[at:at + size])
        assert documents[-1][-1] == 0
        at += size
    return documents


# The folder, as {relative path: bytes}.

def folder_files(dump, packed=False, oplog=None, prelude=True):
    files = {}
    wrap, suffix = (gzip.compress, ".gz") if packed else (bytes, "")
    if prelude:
        files["prelude.json" + suffix] = wrap(
            b'{"ServerVersion":"7.0.14","ToolVersion":"100.10.0"}')
    for (database, name), dumped in dump.items():
        path = f"{database}/{escape(name)}"
        files[f"{path}.metadata.json{suffix}"] = wrap(metadata_text(dumped.metadata).encode())
        if has_documents(dumped.metadata):
            files[f"{path}.bson{suffix}"] = wrap(b"".join(dumped.documents))
    if oplog is not None:
        # It keeps its name when it is packed.
        files["oplog.bson"] = wrap(b"".join(oplog))
    return files


def write_folder(folder, dump, **options):
    for path, data in folder_files(dump, **options).items():
        (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
        (Path(folder) / path).write_bytes(data)


def read_files(files):
    """(dump, oplog or None) from {relative path: bytes}; checks names against the metadata."""
    dump, oplog = {}, None
    plain = {path.removesuffix(".gz"): gzip.decompress(data) if path.endswith(".gz") else data
             for path, data in files.items()}
    for path, data in plain.items():
        database, _, name = path.rpartition("/")
        if path == "oplog.bson":
            oplog = split_documents(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
        if not name.endswith(".metadata.json"):
            continue
        metadata = parse_metadata(data)
        escaped = name.removesuffix(".metadata.json")
        assert escaped == escape(metadata["collectionName"]), (escaped, metadata)
        documents = plain.get(f"{database}/{escaped}.bson")
        assert (documents is not None) == has_documents(metadata), path
        dump[database, metadata["collectionName"]] = Dumped(metadata,
                                                           split_documents(documents or b""))
    for path in plain:
        if path.endswith(".bson") and path != "oplog.bson":
            assert path.removesuffix(".bson") + ".metadata.json" in plain, path
    return dump, oplog


def read_folder(folder):
    folder = Path(folder)
    return read_files({str(path.relative_to(folder)): path.read_bytes()
                       for path in folder.rglob("*") if path.is_file()})


def write_tar(path, dump, prefix="", **options):
    with tarfile.open(path, "w:gz") as tar:
        for name, data in folder_files(dump, **options).items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def read_tar(path):
    with tarfile.open(path, "r:gz") as tar:
        return read_files({member.name: tar.extractfile(member).read() for member in tar
                           if member.isfile()})


# The archive.

def archive_parts(dump, oplog=None, segment_documents=3, wrong_crc=None):
    """The archive in pieces: namespaces take turns, a few documents at a time."""
    yield MAGIC + bson.encode({"concurrent_collections": 4, "version": "0.1",
                               "server_version": "7.0.14", "tool_version": "100.10.0"})
    for (database, name), dumped in dump.items():
        yield bson.encode({"db": database, "collection": name,
                           "metadata": metadata_text(dumped.metadata), "size": 0,
                           "type": dumped.metadata.get("type", "collection")})
    yield TERMINATOR
    streams = {ns: list(dumped.documents) for ns, dumped in dump.items()
               if has_documents(dumped.metadata)}
    if oplog is not None:
        streams["", "oplog"] = list(oplog)
    sums = {ns: 0 for ns in streams}

    def header(ns, eof, crc):
        signed = crc - (1 << 64) if crc >> 63 else crc
        return bson.encode({"db": ns[0], "collection": ns[1], "EOF": eof,
                            "CRC": bson.Int64(signed)})

    while streams:
        for ns in list(streams):
            some, streams[ns] = (streams[ns][:segment_documents],
                                 streams[ns][segment_documents:])
            sums[ns] = crc64(b"".join(some), sums[ns])
            yield header(ns, False, 0) + b"".join(some) + TERMINATOR
            if not streams[ns]:
                crc = sums[ns] ^ (1 if ns == wrong_crc else 0)
                yield header(ns, True, crc) + TERMINATOR
                del streams[ns]


def make_archive(dump, **options):
    return b"".join(archive_parts(dump, **options))


def read_archive(data):
    """(dump, oplog or None); every rule of the format is checked."""
    assert data[:4] == MAGIC
    at = 4
    dump, oplog, sums, closed = {}, None, {}, set()

    def take():
        nonlocal at
        if data[at:at + 4] == TERMINATOR:
            at += 4
            return None
        size, = struct.unpack_from("<i", data, at)
        assert 5 <= size <= len(data) - at
        at += size
        return data[at - size:at]

    header = bson.decode(take())
    assert header["version"] == "0.1" and isinstance(header["concurrent_collections"], int)
    assert len([int(part) for part in header["server_version"].split(".")]) == 3, header
    while (raw := take()) is not None:
        entry = bson.decode(raw)
        metadata = parse_metadata(entry["metadata"])
        assert metadata["collectionName"] == entry["collection"]
        assert entry["type"] == metadata["type"] and entry["size"] == 0
        dump[entry["db"], entry["collection"]] = Dumped(metadata)
    while at < len(data):
        part = bson.decode(take())
        ns = part["db"], part["collection"]
        assert ns not in closed, f"{ns} goes on after its end"
        if part["EOF"]:
            assert take() is None
            assert part["CRC"] % (1 << 64) == (sums.get(ns, 0)), ns
            closed.add(ns)
            continue
        assert part["CRC"] == 0
        while (raw := take()) is not None:
            sums[ns] = crc64(raw, sums.get(ns, 0))
            if ns == ("", "oplog"):
                oplog = (oplog or []) + [raw]
            else:
                dump[ns].documents.append(raw)
    for ns, dumped in dump.items():
        assert (ns in closed) == has_documents(dumped.metadata), ns
    return dump, oplog
