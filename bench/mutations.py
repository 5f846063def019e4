"""Damage: files as they come from broken disks, broken programs and people who mean harm."""

import io
import json
import random
import re
import struct
import zipfile
import zlib
from typing import Any

WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 255, 256, 2**31, 2**63, -(2**63), 10**40, 1e308, -0.5, 0.1,
    "", "x", "1", "-1", "NaN", "../../outside/secret.txt", "/etc/passwd", "a" * 5000, "\x00",
    "\ud800", "ü/☃", [], [[]], [None], [1, 2], [1, 2, 3, 4], [[1, 2], [3, 4]], ["a"],
    [-1, -1, 1e9, 1e9], {}, {"a": 1}, {"size": [1, 1], "counts": "1"},
    {"size": [10**9, 10**9], "counts": [10**18]},
)  # fmt: skip

MODES = ((1, 0), (2, 3), (16, 0), (16, 2), (8, 6), (8, 4), (3, 3), (8, 7))
"""Bits and colour type of a PNG; some do not go together."""

WORDS = (*WRONG, "9" * 6000, "1e999", "nan", "[", "!!python/object:os.system")

RAW = (
    "NaN", "Infinity", "-Infinity", "1e999", "9" * 6000, "[" * 3000 + "]" * 3000,
    '{"a":' * 3000 + "1" + "}" * 3000, "[" * 200_000, "tru", '"', "",
)  # fmt: skip
"""What no JSON library writes, put in for a value as it stands."""

_MARK = "@@here@@"


def raw(content: bytes, rng: random.Random) -> bytes:
    """Cut off, bits turned, stretches gone, doubled, zero or foreign."""
    data = bytearray(content)
    if not data:
        return b"\0"
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(data) or 1)
        at = min(at, rng.randrange(1, 64)) if rng.random() < 0.3 else at
        length = rng.choice((1, 2, 4, 16, 200))
        what = rng.randrange(8)
        if what == 0:
            del data[at:]
        elif what in (1, 2) and data:
            for _ in range(rng.choice((1, 3, 20))):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif what == 3:
            data[at : at + length] = rng.randbytes(length)
        elif what == 4:
            data[at : at + length] = bytes(length)
        elif what == 5:
            data[at : at + length] = b"\xff" * length
        elif what == 6:
            data[at:at] = data[at : at + length]
        else:
            del data[at : at + length]
        if not data:
            return b""
    return bytes(data)


def png(content: bytes, rng: random.Random) -> bytes:
    """A chunk with another length, another size in the header, another order, a wrong stream."""
    chunks = _chunks(content)
    if not chunks or rng.random() < 0.4:
        return raw(content, rng)
    which = rng.randrange(len(chunks))
    name, body = chunks[which]
    what = rng.randrange(7)
    if what == 0:
        body_at = content.index(name)
        wrong = rng.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, len(body) + 1, 10**9))
        return content[: body_at - 4] + struct.pack(">I", wrong) + content[body_at:]
    if what in (1, 2):
        size = [rng.choice((0, 1, 5, 16, 65_535, 10**6, 2**31 - 1, 2**32 - 1)) for _ in range(2)]
        rest = list(chunks[0][1][8:])
        if what == 2:
            rest[:2] = rng.choice(MODES)
            size = list(struct.unpack(">II", chunks[0][1][:8]))
        chunks[0] = (b"IHDR", struct.pack(">II", *size) + bytes(rest))
    elif what == 3:
        chunks[which] = (name, raw(body, rng))
    elif what == 4:
        chunks = [c for c in chunks if c[0] != b"IDAT"]
        chunks.insert(-1, (b"IDAT", zlib.compress(bytes(rng.choice((0, 1, 10**6, 3 * 10**7))))))
    elif what == 5:
        rng.shuffle(chunks)
    else:
        del chunks[which]
    return content[:8] + b"".join(_chunk(*c) for c in chunks)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        found.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def _chunk(name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)


def in_json(content: bytes, rng: random.Random) -> bytes:
    """A value of another type somewhere, a key gone or strange, a list long or doubled."""
    try:
        tree = json.loads(content)
    except ValueError:
        return raw(content, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = _places(tree)
        holder, key = rng.choice(places) if places else ({}, "a")
        what = rng.randrange(10)
        if what < 5:
            holder[key] = rng.choice(WRONG)
        elif what == 5:
            del holder[key]
        elif what == 6:
            holder[key] = [holder[key]] * rng.choice((1, 2, 3))
        elif what == 7 and isinstance(holder[key], list):
            holder[key] = holder[key] * rng.choice((2, 3)) + [rng.choice(WRONG)]
        elif what == 7 and isinstance(holder[key], int | float):
            holder[key] = rng.choice((-1, 1000, 10**9, 0.5, 2**53)) + holder[key]
        elif what == 8 and len(places) > 1:
            other, name = rng.choice(places)
            holder[key], other[name] = _copied(other[name]), _copied(holder[key])
        elif what == 9:
            holder[key] = _MARK
            try:
                text = json.dumps(tree)
            except (ValueError, RecursionError):
                return raw(content, rng)
            return text.replace(f'"{_MARK}"', rng.choice(RAW)).encode()
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def _copied(value: object) -> object:
    return json.loads(json.dumps(value))


def _places(tree: object) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    rest: list[Any] = [tree]
    while rest and len(found) < 5000:
        node = rest.pop()
        if isinstance(node, dict | list):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            found += [(node, key) for key in keys]
            rest += [node[key] for key in keys]
    return found


def lines(content: bytes, rng: random.Random) -> bytes:
    """JSON on each line."""
    rows = content.splitlines()
    which = rng.randrange(len(rows))
    rows[which] = in_json(rows[which], rng)
    return b"\n".join(rows)


_VALUE = re.compile(r'(?<==")[^"]*(?=")|(?<=>)[^<>]+(?=<)')
_ELEMENT = re.compile(r"<(\w+)[^<>]*/>|<(\w+)[^<>]*>[^<>]*</\2>|</?\w+[^<>]*>")
_DOCTYPE = (
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c SYSTEM "file:///etc/passwd">]>'
)


def in_xml(content: bytes, rng: random.Random) -> bytes:
    """Other values, elements gone or doubled, nesting, entities."""
    text = content.decode("utf-8", "replace")
    for _ in range(rng.choice((1, 1, 2, 4))):
        pattern = rng.choice((_VALUE, _VALUE, _VALUE, _ELEMENT))
        spans = [m.span() for m in pattern.finditer(text)]
        if not spans:
            break
        low, high = rng.choice(spans)
        old = text[low:high]
        what = rng.randrange(9)
        if pattern is _ELEMENT:
            new = ("", old * 2, "<x>" * 3000 + "</x>" * 3000)[what % 3]
        elif what < 6:
            new = str(rng.choice((*WRONG, "1,2;3", "0.5,1e9;nan,2;3,inf", "9" * 6000, "1, 2, 3")))
            new = new.replace("<", "").replace('"', "").replace("&", "")
        else:
            new = rng.choice(("&b;", "&c;", "&nothing;", "<", "&#0;", old + old))
        text = text[:low] + new + text[high:]
    if rng.random() < 0.1:
        text = re.sub(r"^(<\?xml[^>]*>)?", lambda m: (m[0] or "") + _DOCTYPE, text, count=1)
    return text.encode("utf-8", "replace")


def in_text(content: bytes, rng: random.Random) -> bytes:
    """A word of another kind, a line gone."""
    text = content.decode("utf-8", "replace")
    words = list(re.finditer(r"[^\s,:;]+", text))
    if not words or rng.random() < 0.2:
        return raw(content, rng)
    for _ in range(rng.choice((1, 2, 4))):
        found = rng.choice(words)
        new = str(rng.choice(WORDS))
        text = text[: found.start()] + new + text[found.end() :]
        words = list(re.finditer(r"[^\s,:;]+", text))
        if not words:
            break
    return text.encode("utf-8", "surrogatepass")


def zipped(tree: dict[str, bytes], rng: random.Random) -> bytes:
    """A zip file with lying sizes, flags or methods, names twice, or just bytes wrong."""
    out = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, content in tree.items():
            packed.writestr(name, content)
    data = bytearray(out.getvalue())
    what = rng.randrange(4)
    if what == 0:
        return raw(bytes(data), rng)
    heads = [m.start() for m in re.finditer(rb"PK\x01\x02", bytes(data))]
    for at in rng.sample(heads, min(len(heads), rng.choice((1, 2, 99)))):
        field, width = rng.choice(((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (42, 4)))
        wrong = rng.choice((0, 1, 9, 99, 2**16 - 1, 2**31, 2**32 - 1)) % 256**width
        data[at + field : at + field + width] = wrong.to_bytes(width, "little")
    if what == 1:
        end = bytes(data).rfind(b"PK\x05\x06")
        field, width = rng.choice(((8, 2), (10, 2), (12, 4), (16, 4), (20, 2)))
        data[end + field : end + field + width] = rng.randbytes(width)
    return bytes(data)


def damaged(name: str, content: bytes, rng: random.Random) -> bytes:
    """The damage that such a file may have taken."""
    suffix = name.lower().rpartition(".")[2]
    kinds = {
        "json": in_json, "jsonl": lines, "xml": in_xml, "png": png, "txt": in_text,
        "yaml": in_text, "csv": in_text,
    }  # fmt: skip
    if rng.random() < 0.15:
        return raw(content, rng)
    return kinds.get(suffix, raw)(content, rng)
