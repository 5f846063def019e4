"""Labels come back as the ids that were written, from every kind of label file."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from segstudio.core.classes import CAMVID
from segstudio.errors import MediaError, SegStudioError
from segstudio.store.masks import read_instances, read_mask, write_mask, write_picture

labels_of_any_size = hnp.arrays(
    np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 255)
)
palettes = st.none() | hnp.arrays(np.uint8, st.tuples(st.integers(1, 256), st.just(3)))


@settings(max_examples=60, deadline=None)
@given(labels=labels_of_any_size, palette=palettes)
def test_labels_survive_writing_and_reading(labels, palette, tmp_path_factory):
    file = tmp_path_factory.mktemp("m") / "l.png"
    write_mask(file, labels, palette)
    back = read_mask(file)
    assert back.dtype == np.uint8
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back, labels)


@settings(max_examples=30, deadline=None)
@given(labels=labels_of_any_size, data=st.data())
def test_small_palettes_of_other_writers_keep_their_ids(labels, data, tmp_path_factory):
    bits = data.draw(st.sampled_from([1, 2, 4, 8]))
    labels = labels & ((1 << bits) - 1)
    image = Image.fromarray(labels)
    image.putpalette(bytes(3 << bits))
    file = tmp_path_factory.mktemp("m") / "l.png"
    image.save(file, bits=bits)
    np.testing.assert_array_equal(read_mask(file), labels)


def test_the_palette_is_the_one_of_the_class_set(tmp_path):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    labels[2, 3] = 255
    write_mask(tmp_path / "l.png", labels, CAMVID.palette())
    with Image.open(tmp_path / "l.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.array(image.convert("RGB")), CAMVID.palette()[labels])


def grey_png(values, bits):
    """A grey PNG of 1, 2 or 4 bits per pixel, which Pillow cannot write."""
    height, width = values.shape
    rows = b""
    for row in values:
        text = "".join(f"{v:0{bits}b}" for v in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_ids_in_few_grey_bits_are_not_spread_over_the_range(bits, tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(4, 6) % (1 << bits)
    (tmp_path / "l.png").write_bytes(grey_png(values, bits))
    np.testing.assert_array_equal(read_mask(tmp_path / "l.png"), values)


def test_16_bit_ids_up_to_255_are_read_and_larger_ones_refused(tmp_path):
    ids = np.arange(24, dtype=np.uint16).reshape(4, 6)
    cv2.imwrite(str(tmp_path / "l.png"), ids)
    np.testing.assert_array_equal(read_mask(tmp_path / "l.png"), ids)
    cv2.imwrite(str(tmp_path / "i.png"), ids + 26_000)
    with pytest.raises(MediaError, match="ids up to 26023"):
        read_mask(tmp_path / "i.png")


def test_numbers_of_instances_are_read_from_16_bits(tmp_path):
    numbers = np.array([[26000, 24001, 7], [0, 33999, 65535]], np.uint16)
    Image.fromarray(numbers).save(tmp_path / "x_gtFine_instanceIds.png")
    found = read_instances(tmp_path / "x_gtFine_instanceIds.png")
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, numbers)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda file: write_mask(file, np.zeros((2, 3), np.uint8), None), "too few bits"),
        (lambda file: write_picture(file, np.zeros((2, 3, 3), np.uint8)), "holds colours"),
        (lambda file: file.write_bytes(b"no picture"), "is not a label file"),
        (lambda file: None, "cannot be opened"),
    ],
)
def test_what_holds_no_numbers_of_instances_is_told(make, text, tmp_path):
    file = tmp_path / "x_instanceIds.png"
    make(file)
    with pytest.raises(MediaError, match=text):
        read_instances(file)


@pytest.mark.parametrize("suffix", [".bmp", ".tif"])
def test_other_exact_formats_are_read(suffix, tmp_path):
    labels = np.arange(30, dtype=np.uint8).reshape(5, 6)
    Image.fromarray(labels).save(tmp_path / f"l{suffix}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"l{suffix}"), labels)


def colours(path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)


def lossy(path):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path, format="JPEG")


def cut_off(path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue()[:1500])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (colours, "holds colours"),
        (lossy, "cannot hold labels exactly"),
        (cut_off, "damaged"),
        (lambda p: p.write_text("labels"), "not a label file"),
        (lambda p: p.write_bytes(b""), "not a label file"),
        (lambda p: None, "cannot be opened"),
    ],
)
def test_what_is_no_label_file_is_told(make, text, tmp_path):
    file = tmp_path / "l.png"
    make(file)
    with pytest.raises(MediaError, match=text) as caught:
        read_mask(file)
    assert "l.png" in str(caught.value)


def test_a_huge_raster_is_refused_by_its_header(tmp_path):
    head = grey_png(np.zeros((1, 8), np.uint8), 1)
    wide = head.replace(struct.pack(">II", 8, 1), struct.pack(">II", 30_000, 30_000))
    crc = zlib.crc32(wide[12:29])
    (tmp_path / "l.png").write_bytes(wide[:29] + struct.pack(">I", crc) + wide[33:])
    with pytest.raises(MediaError, match="30000×30000"):
        read_mask(tmp_path / "l.png")


@pytest.mark.parametrize(
    "labels",
    [np.zeros((2, 2), np.int64), np.zeros((2, 2, 3), np.uint8), np.zeros((0, 4), np.uint8)],
)
def test_only_uint8_rasters_are_written(labels, tmp_path):
    with pytest.raises(SegStudioError, match="one uint8 class id per pixel"):
        write_mask(tmp_path / "l.png", labels, None)
    assert not list(tmp_path.iterdir())


def test_pictures_survive_writing(tmp_path):
    rgb = np.random.default_rng(1).integers(0, 255, (5, 7, 3), np.uint8)
    write_picture(tmp_path / "p.png", rgb)
    with Image.open(tmp_path / "p.png") as image:
        np.testing.assert_array_equal(np.array(image), rgb)
