"""Files and archives that once made reading wait for ever, or talk too much."""

import io
import os
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from segstudio.errors import FormatError
from segstudio.formats.files.source import ZipSource, open_files
from segstudio.formats.masks.raster_reader import picture_size
from segstudio.formats.recognise import recognise


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "files.zip")
    with pytest.raises(FormatError, match="a pipe or a device"):
        open_files(tmp_path / "files.zip")


@pytest.fixture
def torn(tmp_path):
    """An archive whose member has another name where it lies, and bytes that are none."""

    def make(name):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr(name, "names: [a]\n" * 100)
        content = out.getvalue()
        at = content.index(name.encode())
        (tmp_path / "a.zip").write_bytes(
            content[:at] + b"\xff" * len(name) + content[at + len(name) :]
        )
        return ZipSource(tmp_path / "a.zip")

    return make


def test_why_a_member_cannot_be_unpacked_is_short(torn):
    source = torn("a" * 500 + ".csv")
    with pytest.raises(FormatError, match="cannot be unpacked") as error:
        source.read(source.files[0])
    assert len(str(error.value)) < 800
    source.close()


def test_damage_that_a_format_meets_while_it_looks_is_no_failure_of_it(torn, caplog):
    source = torn("data.yaml")
    assert recognise(source) == []
    assert not [r for r in caplog.records if r.levelname == "ERROR"]
    source.close()


def test_the_size_of_a_picture_is_told_without_decoding_it(monkeypatch):
    out = io.BytesIO()
    Image.new("RGB", (6, 4)).save(out, "PNG")
    content = bytearray(out.getvalue())
    content[16:24] = struct.pack(">II", 20_000, 10_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))

    def never(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    assert picture_size(bytes(content)) == (10_000, 20_000)
