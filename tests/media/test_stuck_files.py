"""Pictures and files that once took the machine's memory, or never ended."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from segstudio.errors import MediaError
from segstudio.media.images import decode_image, image_size, is_upright
from segstudio.media.open import open_source


def chunk(name, body):
    crc = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + crc


@pytest.fixture
def png():
    out = io.BytesIO()
    Image.fromarray(np.arange(6 * 4 * 3, dtype=np.uint8).reshape(4, 6, 3)).save(out, "PNG")
    return out.getvalue()


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))


def test_the_size_of_a_png_is_told_without_decoding_it(tmp_path, png, monkeypatch):
    (tmp_path / "a.png").write_bytes(png)

    def never(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    assert image_size(tmp_path / "a.png") == (4, 6)
    assert is_upright(tmp_path / "a.png")


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_a_png_is_turned_wherever_its_exif_stands(tmp_path, png, before):
    at = png.index(before) - 4
    content = png[:at] + turned() + png[at:]
    (tmp_path / "a.png").write_bytes(content)
    assert image_size(tmp_path / "a.png") == (6, 4)
    assert decode_image(content, "a.png").shape == (6, 4, 3)
    assert not is_upright(tmp_path / "a.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(MediaError, match="a pipe or a device"):
        open_source(tmp_path / "a.png")
