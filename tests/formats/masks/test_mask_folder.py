"""Folders of masks that nobody described: what they seem to be, and how they are read."""

import zipfile
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import FolderSource, open_files
from segstudio.formats.masks import rasters
from segstudio.formats.masks.mask_folder import OPTIONS, guesses, open_masks
from segstudio.formats.options import complete
from segstudio.formats.recognise import recognise
from segstudio.store.class_sets import load_class_set

CITIES, IDS = load_class_set("cityscapes19"), load_class_set("cityscapes34")


def blocks(values, size=24):
    """Labels of square blocks of these values: as smooth as labels are."""
    row = np.repeat(np.array(values, np.uint8), size)
    return np.repeat(row[None], size, axis=0)


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def grey(path, values):
    put(path, rasters.encode_grey(blocks(values)))


def colors(path, values, classes):
    put(path, rasters.encode_colors(classes.palette()[blocks(values)]))


def photo(path, size=(24, 48)):
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.random.default_rng(3).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(rgb).save(path)


def best(folder):
    return guesses(FolderSource(folder), "index_png")[0]


def read(folder, **options):
    source = FolderSource(folder)
    guess = guesses(source, "index_png")[0]
    reader = open_masks(source, complete(OPTIONS, {**guess.options, **options}))
    return reader, [reader.read(ref) for ref in reader.frames]


def names(reader, frame):
    return [reader.classes.name_of(int(i)) for i in frame.labels[0, ::24]]


def test_twelve_numbers_are_camvid_with_11_for_void(tmp_path):
    grey(tmp_path / "labels/a.png", range(12))
    guess = best(tmp_path)
    assert guess.why.startswith(
        "1 grey mask in labels, whose values 0–11 are CamVid's 12 ids (11 is void)"
    )
    assert guess.options == {"class_set": "camvid", "void": 11}
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == [c.name for c in CAMVID.classes] + ["void"]


def test_numbers_above_18_are_ids_of_cityscapes(tmp_path):
    grey(tmp_path / "a.png", [0, 7, 8, 11, 23, 26, 33])
    guess = best(tmp_path)
    assert guess.options["class_set"] == "cityscapes34"
    assert "Cityscapes' ids" in guess.why


def test_numbers_up_to_18_with_255_are_train_ids(tmp_path):
    grey(tmp_path / "a.png", [0, 1, 2, 8, 10, 13, 18, 255])
    guess = best(tmp_path)
    assert guess.options["class_set"] == "cityscapes19"
    assert "0, 1, 2, 8, 10 and 2 more and 255" in guess.why or "0–18 and 255" in guess.why


def test_what_cannot_be_told_apart_is_said(tmp_path):
    grey(tmp_path / "a.png", [0, 1, 2, 13])
    found = guesses(FolderSource(tmp_path), "index_png")
    assert [guess.options["class_set"] for guess in found[:1]] == ["cityscapes19"]
    assert "Neither 255 nor anything above 18 occurs" in found[0].why
    assert "cityscapes34" in {guess.options["class_set"] for guess in found}


def test_endings_say_which_ids_they_are(tmp_path):
    for ending in ("labelIds", "labelTrainIds"):
        grey(tmp_path / f"a_gtFine_{ending}.png", [0, 1, 2, 13])
    found = guesses(FolderSource(tmp_path), "index_png")
    by_files = {guess.options.get("masks", ""): guess.options["class_set"] for guess in found[::-1]}
    assert by_files[""] == "cityscapes19"
    assert by_files["*_gtFine_labelIds"] == "cityscapes34"
    assert "There are also 1 in *_gtFine_labelIds" in found[0].why


def test_a_palette_tells_the_class_set(tmp_path):
    put(tmp_path / "a.png", rasters.encode_indices(blocks([0, 3, 8]), CAMVID.palette()))
    guess = best(tmp_path)
    assert guess.why.startswith("1 palette mask, whose values")
    assert guess.options["class_set"] == "camvid"
    assert guess.sure > 0.55


def test_colours_of_cityscapes_are_recognised(tmp_path):
    colors(tmp_path / "color/a.png", [0, 1, 2, 10, 13], CITIES)
    guess = best(tmp_path)
    assert guess.options["class_set"] == "cityscapes19"
    assert "whose colours are those of Cityscapes' trainIds" in guess.why
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == ["road", "sidewalk", "building", "sky", "car"]


def test_unknown_colours_are_listed_and_void(tmp_path):
    rgb = CITIES.palette()[blocks([0, 1, 10])]
    rgb[:24, :24] = (1, 2, 3)
    put(tmp_path / "a.png", rasters.encode_colors(rgb))
    reader, (frame,) = read(tmp_path)
    assert frame.labels[0, 0] == VOID
    assert any("#010203 (576 px)" in note for note in reader.notes)


def test_colours_of_nobody_become_classes(tmp_path):
    strange = ClassMap("x", (ClassDef(0, "a", (1, 2, 3)), ClassDef(1, "b", (9, 8, 7))))
    colors(tmp_path / "masks/a.png", [0, 1], strange)
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == ["#010203", "#090807"]


def test_a_palette_whose_order_is_its_own_is_read_by_its_colours(tmp_path):
    palette = CITIES.palette()[[13, 0, 10]]
    put(tmp_path / "a.png", rasters.encode_indices(blocks([0, 1, 2]), palette))
    assert best(tmp_path).options["coding"] == "colors"
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == ["car", "road", "sky"]


def test_black_and_white_is_one_mask(tmp_path):
    grey(tmp_path / "masks/a.png", [0, 255])
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == ["background", "object"]


def test_16_bits_are_classes_and_objects_of_kitti(tmp_path):
    wide = blocks([0, 1, 2]).astype(np.uint16)
    wide = np.array([0, 26 * 256 + 1, 26 * 256 + 2], np.uint16)[wide]
    put(tmp_path / "a.png", rasters.encode_wide(wide))
    guess = best(tmp_path)
    assert "16-bit mask" in guess.why
    assert "as in KITTI" in guess.why
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == ["unlabeled", "car", "car"]
    assert frame.instances[0, ::24].tolist() == [0, 1, 2]


def test_16_bits_are_classes_and_objects_of_cityscapes(tmp_path):
    wide = np.array([7, 26000, 26001], np.uint16)[blocks([0, 1, 2])]
    put(tmp_path / "a.png", rasters.encode_wide(wide))
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == ["road", "car", "car"]
    assert frame.instances[0, ::24].tolist() == [0, 1, 2]


def test_pictures_and_colours_beside_numbers_are_told_apart(tmp_path):
    for clip in ("one", "two"):
        grey(tmp_path / clip / "masks/000000.png", [0, 1])
        colors(tmp_path / clip / "colors/000000.png", [0, 1], CAMVID)
        photo(tmp_path / clip / "frames/000000.png")
    reader, frames = read(tmp_path, class_set="camvid", masks="masks", coding="auto")
    assert [ref.name for ref in reader.frames] == ["one_000000", "two_000000"]
    assert [ref.clip for ref in reader.frames] == ["one", "two"]
    assert [ref.picture for ref in reader.frames] == [
        PurePosixPath("one/frames/000000.png"),
        PurePosixPath("two/frames/000000.png"),
    ]
    assert len(frames) == 2


@pytest.mark.parametrize(
    ("mask", "picture"),
    [
        ("a.png", "a.jpg"),
        ("a_mask.png", "a.png"),
        ("masks/train/a.png", "images/train/a.jpg"),
        ("train_masks/a.png", "train/a.jpg"),
        ("gtFine/x/a_gtFine_labelIds.png", "leftImg8bit/x/a_leftImg8bit.png"),
        ("segmentation/masks/gt_0001.png", "segmentation/images/image_0001.png"),
        ("labels/a_L.png", "raw/a.png"),
    ],
)
def test_masks_find_their_pictures(tmp_path, mask, picture):
    grey(tmp_path / mask, [0, 1])
    photo(tmp_path / picture)
    photo((tmp_path / picture).with_stem("other"))
    reader, _ = read(tmp_path)
    assert [(ref.key, ref.picture) for ref in reader.frames] == [
        (PurePosixPath(mask), PurePosixPath(picture))
    ]


def test_photographs_are_no_masks(tmp_path):
    photo(tmp_path / "a.png")
    Image.new("L", (32, 32), 3).save(tmp_path / "b.jpg")
    assert guesses(FolderSource(tmp_path), "index_png") == []
    with pytest.raises(FormatError, match="has no masks"):
        open_masks(FolderSource(tmp_path), complete(OPTIONS, {}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("label_colors.txt", "1 2 3 void\n10 20 30 road\n40 50 60 tree\n"),
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\nvoid:1,2,3::\nroad:10,20,30::\ntree:40,50,60::\n",
        ),
        ("classes.txt", "void\nroad\ntree\n"),
        ("id2label.json", '{"0": "void", "1": "road", "2": "tree"}'),
        (
            "dataset_meta.json",
            '{"label_map": {"0": "void", "1": "road", "2": "tree"},'
            ' "segmentation_colors": [[1, 2, 3], [10, 20, 30], [40, 50, 60]]}',
        ),
    ],
)
def test_class_lists_of_others_are_understood(tmp_path, name, text):
    grey(tmp_path / "masks/a.png", [0, 1, 2])
    (tmp_path / name).write_text(text)
    assert f"whose classes {name} names" in best(tmp_path).why
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == ["void", "road", "tree"]


def test_given_classes_count_where_nothing_says_more(tmp_path):
    grey(tmp_path / "a.png", [0, 1])
    mine = ClassMap("mine", (ClassDef(0, "left", (1, 1, 1)), ClassDef(1, "right", (2, 2, 2))))
    reader = open_masks(FolderSource(tmp_path), complete(OPTIONS, {}), mine)
    assert reader.classes is mine


def test_numbers_outside_the_chosen_set_are_named(tmp_path):
    grey(tmp_path / "masks/a.png", [0, 37, 80])
    with pytest.raises(FormatError, match=r"masks/a\.png holds the numbers 37 and 80"):
        read(tmp_path, class_set="camvid", first=0)


def test_classes_may_count_from_one(tmp_path):
    grey(tmp_path / "a.png", [0, 1, 11])
    reader, (frame,) = read(tmp_path, class_set="camvid", first=1, void=-1)
    assert names(reader, frame) == ["void", "Sky", "Bicyclist"]


def test_masks_that_are_not_there_are_named(tmp_path):
    grey(tmp_path / "masks/a.png", [0, 1])
    with pytest.raises(FormatError, match="no masks in 'colors'; there are masks in masks"):
        read(tmp_path, masks="colors")


def test_a_damaged_mask_is_one_sentence(tmp_path):
    grey(tmp_path / "masks/a.png", [0, 1])
    content = (tmp_path / "masks/a.png").read_bytes()
    put(tmp_path / "masks/b.png", content[:60])
    with pytest.raises(FormatError, match=r"masks/b\.png"):
        read(tmp_path)


def test_one_file_is_read_alone(tmp_path):
    for name in "ab":
        grey(tmp_path / f"{name}.png", [0, 1])
    source = open_files(tmp_path / "b.png")
    reader = open_masks(source, complete(OPTIONS, {"class_set": "camvid"}))
    assert [ref.name for ref in reader.frames] == ["b"]


def test_one_mask_is_not_the_folder_that_it_lies_in(tmp_path):
    for name in "ab":
        grey(tmp_path / f"trainannot/{name}.png", range(12))
    assert recognise(open_files(tmp_path))[0].format == "camvid"
    (first, *_) = recognise(open_files(tmp_path / "trainannot/b.png"))
    assert first.format == "index_png"
    assert first.why.startswith("1 grey mask, whose values 0–11")


def test_a_zip_file_is_recognised_like_its_folder(tmp_path):
    grey(tmp_path / "in/masks/a.png", range(12))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.write(tmp_path / "in/masks/a.png", "masks/a.png")
    source = open_files(tmp_path / "x.zip")
    (first, *_) = recognise(source)
    assert first.format == "index_png"
    assert first.options == {"class_set": "camvid", "void": 11}
    source.close()


def test_nothing_is_recognised_in_an_empty_folder(tmp_path):
    assert recognise(FolderSource(tmp_path)) == []


def test_a_format_that_fails_to_look_spoils_nothing(tmp_path, monkeypatch):
    from segstudio.formats.registry import FORMATS

    grey(tmp_path / "masks/a.png", range(12))

    def fail(self, source):
        raise RuntimeError

    monkeypatch.setattr(type(FORMATS.get("camvid")), "sniff", fail)
    assert recognise(FolderSource(tmp_path))


@pytest.mark.realdata
def test_camvid_as_it_lies_there_is_recognised(data_dir):
    source = FolderSource(data_dir / "camvid/train")
    (first, *_) = recognise(source)
    assert first.why.startswith(
        "367 grey masks in labels, whose values 0–11 are CamVid's 12 ids (11 is void)."
    )
    reader = open_masks(source, complete(OPTIONS, first.options))
    assert len(reader.frames) == 367
    assert all(ref.picture is not None for ref in reader.frames)
    frame = reader.read(reader.frames[0])
    assert frame.labels.shape == (360, 480)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("camvid_exports/camvid", "camvid"),
        ("camvid_exports/kitti_segmentation", "kitti"),
        ("camvid_exports/cityscapes_official", "cityscapes"),
        ("camvid_exports/voc_segmentation", "voc"),
        ("datumaro_assets/ade20k2020_dataset/dataset", "ade20k"),
        ("datumaro_assets/mapillary_vistas_dataset/v2.0", "mapillary"),
        ("datumaro_assets/common_semantic_segmentation_dataset/dataset", "index_png"),
        ("datumaro_assets/synthia_dataset/dataset_with_custom_labelmap", "index_png"),
    ],
)
def test_folders_of_other_tools_are_recognised(data_dir, folder, kind):
    source = FolderSource(data_dir / "importers" / folder)
    found = recognise(source)
    assert found[0].format == kind
    assert [g.sure for g in found] == sorted((g.sure for g in found), reverse=True)


def test_a_class_set_of_the_users_own_is_among_the_guesses(tmp_path):
    from segstudio.store.class_sets import save_class_set

    rows = tuple(ClassDef(i, f"my {i}", (7 * i + 1, 3, 200)) for i in range(4))
    save_class_set(ClassMap("mine", rows))
    colors(tmp_path / "masks/a.png", [0, 1, 2, 3], ClassMap("mine", rows))
    guess = best(tmp_path)
    assert guess.options["class_set"] == "mine"
    assert "your class set 'mine'" in guess.why
    reader, (frame,) = read(tmp_path)
    assert names(reader, frame) == [f"my {i}" for i in range(4)]


def test_an_ending_leaves_no_doubt(tmp_path):
    grey(tmp_path / "a_gtFine_labelTrainIds.png", [0, 1, 2, 13])
    assert "may as well" not in best(tmp_path).why
