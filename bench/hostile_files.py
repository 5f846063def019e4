"""Annotations, archives and folders that lead out of themselves, if they were trusted."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import given
import numpy as np
from guard import Sandbox

from segstudio.formats.masks import rasters

OUT = "../outside/secret.png"
Build = Callable[[Sandbox], Path]
"""Makes the files; what a person would then open."""

PICTURE = given.encoded("PNG", "RGB")
MASK = rasters.encode_indices(
    np.ones((20, 28), np.uint8), np.arange(768, dtype=np.uint32).reshape(256, 3).astype(np.uint8)
)
BOX = [[2, 2], [20, 3], [18, 15], [4, 14]]


def _labelme(where: str, **more: Any) -> dict[str, Any]:
    shape = {"label": "car", "points": BOX, "group_id": None, "shape_type": "polygon", "flags": {}}
    return {"version": "5.0.1", "flags": {}, "shapes": [shape], "imagePath": where,
            "imageData": None, "imageHeight": 20, "imageWidth": 28, **more}  # fmt: skip


def _coco(where: str, **more: Any) -> dict[str, Any]:
    ring = [float(n) for point in BOX for n in point]
    return {
        "images": [{"id": 1, "file_name": where, "width": 28, "height": 20, **more}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [ring],
                         "area": 200, "bbox": [2, 2, 18, 13], "iscrowd": 0}],
    }  # fmt: skip


def _cvat(where: str, head: str = "", label: str = "car") -> str:
    points = ";".join(f"{x},{y}" for x, y in BOX)
    return (
        f'<?xml version="1.0"?>{head}<annotations><version>1.1</version><meta><task><labels><label>'
        f'<name>car</name></label></labels></task></meta><image id="0" name="{where}"'
        f' width="28" height="20"><polygon label="{label}" points="{points}" occluded="0"'
        ' z_order="0"/></image></annotations>'
    )


def _label_me_xml(where: str, head: str = "", name: str = "car") -> str:
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in BOX)
    return (
        f"{head}<annotation><filename>{where}</filename><folder>{where}</folder><imagesize><nrows>20"
        f"</nrows><ncols>28</ncols></imagesize><object><name>{name}</name><deleted>0</deleted>"
        f"<polygon>{points}</polygon></object></annotation>"
    )


def _label_studio(where: str) -> list[dict[str, Any]]:
    value = {"points": [[10, 10], [70, 15], [60, 70]], "polygonlabels": ["car"]}
    result = {"id": "a", "type": "polygonlabels", "value": value, "original_width": 28,
              "original_height": 20, "from_name": "label", "to_name": "image"}  # fmt: skip
    return [{"id": 1, "data": {"image": where}, "annotations": [{"result": [result]}]}]


def _datumaro(where: str) -> dict[str, Any]:
    ring = [float(n) for point in BOX for n in point]
    annotation = {"id": 0, "type": "polygon", "attributes": {}, "group": 0, "label_id": 0,
                  "points": ring, "z_order": 0}  # fmt: skip
    item = {"id": where, "annotations": [annotation], "attr": {},
            "image": {"path": where, "size": [20, 28]}}  # fmt: skip
    label = {"name": "car", "parent": "", "attributes": []}
    return {"info": {}, "categories": {"label": {"labels": [label]}}, "items": [item]}


LAUGHS = (
    "<!DOCTYPE r [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9))
    + "]>"
)
OUTSIDE = "<!DOCTYPE r [<!ENTITY x SYSTEM '../outside/secret.txt'>]>"
NETWORK = "<!DOCTYPE r SYSTEM 'http://example.invalid/x.dtd'>"


def text(name: str, content: object, **files: bytes) -> Build:
    """A file, with a picture beside it."""
    data = content if isinstance(content, str) else json.dumps(content)

    def build(box: Sandbox) -> Path:
        box.put(name, data.encode())
        box.put("a.png", PICTURE)
        for other, bytes_ in files.items():
            box.put(other, bytes_)
        return box.given

    return build


def tree(**files: bytes | str) -> Build:
    """Files; slashes and dots of their names are written as __ and _."""

    def build(box: Sandbox) -> Path:
        for name, content in files.items():
            place = name.replace("__", "/").replace("_DOT_", ".")
            box.put(place, content.encode() if isinstance(content, str) else content)
        return box.given

    return build


def archive(*members: tuple[str, bytes], links: tuple[str, ...] = ()) -> Build:
    """A zip file of masks and pictures with such names. links: of them, those that are links."""

    def build(box: Sandbox) -> Path:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in (*members, ("masks/a.png", MASK), ("images/a.png", PICTURE)):
                member = zipfile.ZipInfo(name)
                member.compress_type = zipfile.ZIP_DEFLATED
                if name in links:
                    member.external_attr = 0o120777 << 16
                packed.writestr(member, content)
        return box.put("files.zip", out.getvalue())

    return build


def _both(name: str) -> tuple[tuple[str, bytes], ...]:
    """A mask and a picture of that name, as an export has them."""
    return (f"masks/{name}", MASK), (f"images/{name}", PICTURE)


def _link(name: str, target: str) -> Build:
    """Masks and pictures, and a link that leads out."""

    def build(box: Sandbox) -> Path:
        box.put("masks/a.png", MASK)
        box.put("images/a.png", PICTURE)
        box.is_watching = False
        (box.given / name).symlink_to(box.outside if target == "outside" else target)
        box.is_watching = True
        return box.given

    return build


def _pipe(box: Sandbox) -> Path:
    """Who opens it waits for ever."""
    box.put("masks/b.png", MASK)
    os.mkfifo(box.given / "masks" / "a.png")
    return box.given


def _only_pipe(box: Sandbox) -> Path:
    os.mkfifo(box.given / "a.png")
    return box.given / "a.png"


def _device(box: Sandbox) -> Path:
    """As root; else a link to one."""
    with suppress(OSError):
        os.mknod(box.given / "a.png", 0o020666, os.makedev(1, 5))  # /dev/zero
        return box.given / "a.png"
    return _link("a.png", "/dev/zero")(box) / "a.png"


def _huge_png() -> bytes:
    """67 bytes that say 60,000 × 60,000."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


_YAML = "!!python/object/apply:os.system ['echo x > ../outside/pwned']"
_ANCHORS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)
_ADDRESS = "http://example.invalid/a.png"
_LOCAL = "/data/local-files/?d=../outside/secret.png"
_METADATA = json.dumps({"file_name": OUT, "label_file_name": OUT})
_YOLO: dict[str, bytes | str] = {
    "labels__train__a_DOT_txt": "0 0.1 0.1 0.9 0.1 0.9 0.9\n",
    "images__train__a_DOT_png": PICTURE,
}
_VOC: dict[str, bytes | str] = {
    "JPEGImages__a_DOT_png": PICTURE,
    "SegmentationClass__a_DOT_png": MASK,
    "labelmap_DOT_txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:1,1,1::\n",
}
_LISTS = "ImageSets__Segmentation__train_DOT_txt"

FILES: dict[str, Build] = {
    "labelme ..": text("a.json", _labelme(OUT)),
    "labelme absolute": text("a.json", _labelme("/etc/passwd")),
    "labelme drive": text("a.json", _labelme(r"C:\Windows\win.ini")),
    "labelme share": text("a.json", _labelme(r"\\server\share\a.png")),
    "COCO ..": text("annotations/instances_train.json", _coco(OUT)),
    "COCO absolute": text("instances.json", _coco("/etc/passwd")),
    "COCO address": text("instances.json", _coco(_ADDRESS, coco_url=_ADDRESS)),
    "COCO control characters": text("instances.json", _coco("a\x00\n\x1b[31m.png")),
    "CVAT ..": text("annotations.xml", _cvat(OUT)),
    "CVAT laughs": text("annotations.xml", _cvat("a.png", LAUGHS, "&j;")),
    "CVAT entity": text("annotations.xml", _cvat("a.png", OUTSIDE, "&x;")),
    "CVAT DTD": text("annotations.xml", _cvat("a.png", NETWORK)),
    "LabelMe ..": text("a.xml", _label_me_xml(OUT)),
    "LabelMe laughs": text("a.xml", _label_me_xml("a.png", LAUGHS, "&j;")),
    "LabelMe entity": text("a.xml", _label_me_xml("a.png", OUTSIDE, "&x;")),
    "Label Studio address": text("export.json", _label_studio(_ADDRESS)),
    "Label Studio local file": text("export.json", _label_studio(_LOCAL)),
    "Datumaro ..": text("annotations/default.json", _datumaro(OUT)),
    "Hugging Face ..": text("metadata.jsonl", _METADATA),
    "YOLO path": tree(**_YOLO, data_DOT_yaml="path: ../outside\ntrain: ../outside\nnames: [car]\n"),
    "YOLO list": tree(**_YOLO, data_DOT_yaml="train: train.txt\nnames: [car]\n", train_DOT_txt=OUT),
    "YAML object": tree(**_YOLO, data_DOT_yaml=f"names: {_YAML}\n"),
    "YAML anchors": tree(**_YOLO, data_DOT_yaml=_ANCHORS + "names: *j\n"),
    "VOC list": tree(**_VOC, **{_LISTS: "../../outside/secret\n/etc/passwd\na\n"}),
    "zip ..": archive(*_both("../../outside/pwned.png")),
    "zip deep ..": archive(*_both("x/../../../outside/pwned.png")),
    "zip absolute": archive(("/tmp/pwned/masks/b.png", MASK), ("/tmp/pwned/images/b.png", PICTURE)),
    "zip drive": archive(*_both(r"C:\pwned.png"), *_both(r"..\..\outside\pwned.png")),
    "zip links": archive(("masks/b.png", b"../../outside/secret.png"),
                         ("images/b.png", b"/etc/passwd"),
                         links=("masks/b.png", "images/b.png")),
    "zip link folder": archive(("images", b"../outside"), links=("images",)),
    "zip devices": archive(*_both("CON.png"), *_both("nul.png"), *_both("aux")),
    "zip control characters": archive(*_both("b\x1b[31m\n.png"), *_both("b\u202egnp.png")),
    "zip long name": archive(*_both("n" * 300 + ".png")),
    "zip twins": archive(*_both("b.png"), *_both("B.PNG")),
    "zip bomb": archive(("masks/b.png", MASK + bytes(40_000_000)), ("images/b.png", PICTURE)),
    "zip in a zip": archive(("more.zip", b"PK\x05\x06"), ("masks/more.zip", b"PK\x03\x04" * 9)),
    "a link to a folder": _link("images/more", "outside"),
    "a link to a file": _link("masks/secret.png", "../../outside/secret.png"),
    "a link in a circle": _link("masks/again", ".."),
    "a pipe": _pipe,
    "a pipe alone": _only_pipe,
    "a device": _device,
    "a huge PNG": tree(masks__a_DOT_png=_huge_png(), images__a_DOT_png=PICTURE),
}  # fmt: skip
