"""One picture, whatever the file: uint8 RGB, upright, or one sentence that says why not."""

import io
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from segstudio.errors import FrameMissing, MediaError
from segstudio.media import images
from segstudio.media.images import decode_image, image_size, read_image
from segstudio.media.open import open_source

# Outside pytest the reader silences what Pillow says about odd tags.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

RGB = np.random.default_rng(7).integers(0, 256, (6, 4, 3), np.uint8)
"""Small enough to compare, not square, no symmetry."""

SMOOTH = cv2.resize(RGB, (40, 60), interpolation=cv2.INTER_CUBIC)
"""For lossy formats."""


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_exact_formats_are_read_exactly(kind):
    rgb = decode_image(encoded(Image.fromarray(RGB), kind), "p")
    np.testing.assert_array_equal(rgb, RGB)
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert not rgb.flags.writeable


def test_lossless_webp_is_read_exactly():
    np.testing.assert_array_equal(
        decode_image(encoded(Image.fromarray(RGB), "WEBP", lossless=True), "p"), RGB
    )


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_keep_the_order_of_the_channels(kind):
    rgb = decode_image(encoded(Image.fromarray(SMOOTH), kind, quality=95), "p")
    assert np.abs(rgb.astype(int) - SMOOTH).mean() < 6


def test_grey_becomes_three_equal_channels():
    rgb = decode_image(encoded(Image.fromarray(RGB[..., 0]), "PNG"), "p")
    np.testing.assert_array_equal(rgb, np.repeat(RGB[..., :1], 3, axis=2))


def test_one_bit_is_black_and_white():
    bits = RGB[..., 0] > 127
    rgb = decode_image(encoded(Image.fromarray(bits), "PNG"), "p")
    np.testing.assert_array_equal(rgb[..., 1], bits * np.uint8(255))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_dropped_and_the_colours_stay(mode):
    image = Image.fromarray(np.dstack([RGB, np.arange(24, dtype=np.uint8).reshape(6, 4)]))
    rgb = decode_image(encoded(image.convert(mode), "PNG"), "p")
    wanted = RGB if mode == "RGBA" else np.asarray(image.convert("L"))[..., None].repeat(3, 2)
    np.testing.assert_array_equal(rgb, wanted)


def test_a_palette_becomes_its_colours():
    palette = np.random.default_rng(3).integers(0, 256, (256, 3), np.uint8)
    image = Image.fromarray(RGB[..., 0])
    image.putpalette(palette.tobytes())
    plain = decode_image(encoded(image, "PNG"), "p")
    np.testing.assert_array_equal(plain, palette[RGB[..., 0]])
    see_through = decode_image(encoded(image, "PNG", transparency=int(RGB[0, 0, 0])), "p")
    np.testing.assert_array_equal(see_through, plain)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_lose_their_low_byte(suffix, channels):
    wide = np.random.default_rng(5).integers(0, 65_536, (6, 4, channels), np.uint16)
    content = cv2.imencode(suffix, wide[..., ::-1].squeeze())[1].tobytes()
    rgb = decode_image(content, "p")
    np.testing.assert_array_equal(rgb, np.broadcast_to(wide >> 8, (6, 4, 3)))


def test_cmyk_becomes_rgb():
    image = Image.fromarray(SMOOTH).convert("CMYK")
    rgb = decode_image(encoded(image, "JPEG", quality=98), "p")
    assert np.abs(rgb.astype(int) - SMOOTH).mean() < 6


def turned_for(orientation):
    """SMOOTH as a camera stores it so that `orientation` makes it upright again (TIFF 6, 274)."""
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(undo[orientation](SMOOTH))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_orientation_is_applied_once(kind, orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 96} if kind in ("JPEG", "WEBP") else {}
    file = tmp_path / "p"
    file.write_bytes(encoded(Image.fromarray(turned_for(orientation)), kind, exif=exif, **options))
    rgb = read_image(file)
    assert rgb.shape == SMOOTH.shape
    assert np.abs(rgb.astype(int) - SMOOTH).mean() < 6
    assert image_size(file) == SMOOTH.shape[:2]


def test_opencv_agrees_on_a_turned_jpeg():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(Image.fromarray(turned_for(6)), "JPEG", exif=exif, quality=96)
    other = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(decode_image(content, "p").astype(int) - other).max() <= 3


def png(width, height, body=b"", *, chunks=()):
    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [
        chunk(b"IHDR", head),
        *chunks,
        chunk(b"IDAT", zlib.compress(body)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_huge_png_is_refused_by_its_header(tmp_path):
    file = tmp_path / "huge.png"
    file.write_bytes(png(30_000, 30_000))
    before = time.process_time()
    with pytest.raises(MediaError, match=r"huge\.png has 30000×30000 pixels, more than the 200"):
        read_image(file)
    with pytest.raises(MediaError, match="30000×30000"):
        open_source(file)
    assert time.process_time() - before < 1  # decoding it would take minutes and 2.7 GB


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "WEBP", "JPEG"])
def test_the_pixel_budget_holds_for_every_format(kind):
    content = encoded(Image.new("RGB", (40, 30)), kind)
    with pytest.raises(MediaError, match="40×30"):
        decode_image(content, "p", max_pixels=1199)
    assert decode_image(content, "p", max_pixels=1200).shape == (30, 40, 3)


LYING = b"\x7f\xff\xff\xf0tEXt"
"""The beginning of a chunk that claims 2 GB."""

BROKEN = {
    "empty.png": (b"", "is empty"),
    "text.png": (b"This is no picture at all.\n" * 9, "holds text"),
    "zero.png": (png(0, 0), "0×0"),
    "flat.png": (png(0, 5), "0×5"),
    "lying.png": (png(4, 4, chunks=[LYING]), "cut off or damaged"),
    "short.png": (png(4, 4, bytes(52))[:40], "cut off or damaged"),
    "headless.png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "no PNG header"),
    "cut.jpg": (encoded(Image.fromarray(SMOOTH), "JPEG")[:300], "damaged"),
    "cut.tif": (encoded(Image.fromarray(SMOOTH), "TIFF")[:60], "damaged|no picture"),
    "cut.webp": (encoded(Image.fromarray(SMOOTH), "WEBP")[:60], "damaged|no picture"),
    "cut.bmp": (encoded(Image.fromarray(SMOOTH), "BMP")[:20], "damaged|no picture"),
    "noise.jpg": (b"\xff\xd8\xff" + bytes(range(256)) * 4, "damaged|no picture"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_gets_one_sentence(name, tmp_path):
    content, text = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=text) as caught:
        read_image(tmp_path / name)
    assert name in str(caught.value)
    assert str(caught.value).endswith(".")


def test_damaged_bytes_never_raise_anything_else():
    rng = np.random.default_rng(11)
    seeds = [
        encoded(Image.fromarray(SMOOTH), kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
    ]
    for turn in range(400):
        content = bytearray(seeds[turn % len(seeds)])
        for at in rng.integers(0, len(content), 1 + turn % 7):
            content[at] = rng.integers(0, 256)
        cut = rng.integers(1, len(content)) if turn % 3 == 0 else len(content)
        try:
            rgb = decode_image(bytes(content[:cut]), "p", max_pixels=1_000_000)
        except MediaError:
            continue
        assert rgb.ndim == 3
        assert rgb.shape[2] == 3


def save_all(folder, names):
    for value, name in enumerate(names):
        Image.new("RGB", (8 + value, 5), (value, 0, 0)).save(folder / name)


def reds(source):
    return [int(source.read(n).rgb[0, 0, 0]) for n in range(source.info.frames)]


def test_a_folder_is_read_in_natural_order(tmp_path):
    save_all(tmp_path, ["f_1.png", "f_2.png", "f_10.png", "F_11.PNG"])
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    source = open_source(tmp_path)
    assert reds(source) == [0, 1, 2, 3]
    info = source.info
    assert (info.kind, info.frames, info.is_complete) == ("sequence", 4, True)
    assert (info.width, info.height) == (8, 5)
    assert source.read(3).rgb.shape == (5, 11, 3)


def test_a_numbered_pattern_takes_only_its_numbers(tmp_path):
    save_all(tmp_path, ["frame_000007.png", "frame_000010.png", "frame_1000000.png", "frame_x.png"])
    assert reds(open_source(tmp_path / "frame_%06d.png")) == [0, 1, 2]


def test_a_glob_takes_what_matches(tmp_path):
    save_all(tmp_path, ["a1.png", "b.png", "a2.png"])
    (tmp_path / "a3.txt").write_text("x")
    assert reds(open_source(tmp_path / "a*")) == [0, 2]


def test_brackets_in_a_real_name_are_no_pattern(tmp_path):
    save_all(tmp_path, ["a[1].png"])
    assert open_source(tmp_path / "a[1].png").info.frames == 1


def test_a_list_keeps_its_order(tmp_path):
    save_all(tmp_path, ["a.png", "b.png"])
    source = open_source([tmp_path / "b.png", tmp_path / "a.png"])
    assert reds(source) == [1, 0]
    assert source.info.title == "2 pictures"


def test_a_still_knows_its_own_pixels(tmp_path):
    save_all(tmp_path, ["a.png"])
    source = open_source(tmp_path / "a.png")
    frame = source.read(0)
    assert source.info.kind == "image"
    assert frame.id.time_us is None
    assert source.time_us(0) is None
    assert frame.id.fingerprint == zlib.crc32(frame.rgb.tobytes())
    with pytest.raises(FrameMissing, match="no frame 1"):
        source.read(1)
    source.close()


def test_a_copy_has_the_same_id(tmp_path):
    save_all(tmp_path, ["a.png", "b.png"])
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    ids = [open_source(tmp_path / n).info.id for n in ("a.png", "copy.png", "b.png")]
    assert ids[0] == ids[1] != ids[2]


def test_a_damaged_frame_does_not_end_the_sequence(tmp_path):
    save_all(tmp_path, ["a.png", "b.png", "c.png"])
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    source = open_source(tmp_path)
    with pytest.raises(FrameMissing, match=r"b\.png"):
        source.read(1)
    assert int(source.read(2).rgb[0, 0, 0]) == 2


def test_what_cannot_be_opened_is_told(tmp_path, monkeypatch):
    for path, text in [
        (tmp_path / "absent.png", "There is no file"),
        (tmp_path / "x_%04d.png", "No picture matches"),
        (tmp_path / "*.png", "No picture matches"),
        (tmp_path, "holds no pictures"),
        ([], "Nothing was named"),
    ]:
        with pytest.raises(MediaError, match=text):
            open_source(path)
    save_all(tmp_path, ["a.png"])
    with pytest.raises(MediaError, match="is not a picture"):
        open_source([tmp_path / "a.png", tmp_path])

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(MediaError, match=r"cannot be opened \(Permission denied\)"):
        open_source(tmp_path)


def test_a_folder_of_videos_says_how_to_open_one(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(MediaError, match="open one of its videos"):
        open_source(tmp_path)


def test_a_file_too_large_for_a_picture_is_not_read(tmp_path, monkeypatch):
    save_all(tmp_path, ["a.png"])
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    with pytest.raises(MediaError, match="larger than"):
        read_image(tmp_path / "a.png")


def test_a_folder_names_its_pictures_and_may_name_others_next_time(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b10.png", "b9.png", "deep/c.png"):
        Image.fromarray(RGB).save(tmp_path / name)
    folder = open_source(tmp_path).info
    assert (folder.names, folder.may_change) == (("b9.png", "b10.png"), True)
    pattern = open_source(tmp_path / "b%d.png").info
    assert (pattern.names, pattern.may_change) == (("b9.png", "b10.png"), True)
    chosen = open_source([tmp_path / "b9.png", tmp_path / "deep" / "c.png"]).info
    assert (chosen.names, chosen.may_change) == (("b9.png", "deep/c.png"), False)
    one = open_source(tmp_path / "deep" / "c.png").info
    assert (one.names, one.may_change) == (("c.png",), False)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("orientation", "upright"), [(1, True), (3, False), (6, False)])
def test_it_is_known_which_files_other_programs_may_see_turned(
    tmp_path, kind, orientation, upright
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "p"
    file.write_bytes(encoded(Image.fromarray(SMOOTH), kind, exif=exif))
    assert images.is_upright(file) is upright


def test_what_is_no_picture_is_neither_upright_nor_turned(tmp_path):
    file = tmp_path / "p.png"
    file.write_bytes(b"words")
    with pytest.raises(MediaError, match="holds text"):
        images.is_upright(file)
