"""Weights files that were damaged in ways that once crashed or never ended."""

import io
import json
import struct
import zipfile

import pytest
import torch

from segstudio.errors import ModelError
from segstudio.nets.weights import open_weights


def packed(path, pickled):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
    return path


def test_a_name_that_only_begins_like_a_stub_does_not_go_on_for_ever(tmp_path):
    pickled = b"\x80\x02cmine.thing\x7f\nother\n)R."
    with pytest.raises(ModelError, match="not opened"):
        open_weights(packed(tmp_path / "a.pth", pickled))


def test_an_archive_of_a_later_version_is_told(tmp_path):
    out = io.BytesIO()
    torch.save({"a": torch.ones(1)}, out)
    content = bytearray(out.getvalue())
    at = content.index(b"PK\x01\x02") + 6
    content[at : at + 2] = struct.pack("<H", 199)
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(ModelError, match="damaged or cut off"):
        open_weights(tmp_path / "a.pth")


def test_a_header_of_long_words_is_not_repeated_at_length(tmp_path):
    head = json.dumps("a" * 9000).encode()
    head = b'{"w":' + head + b"}"
    (tmp_path / "a.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(4))
    with pytest.raises(ModelError) as error:
        open_weights(tmp_path / "a.safetensors")
    assert len(str(error.value)) < 500
