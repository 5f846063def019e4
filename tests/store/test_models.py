"""Model folders and their cards."""

import hashlib
import json
from pathlib import Path

import pytest

from segstudio import paths
from segstudio.core.catalogue import InputRule, ModelCard, Score
from segstudio.core.classes import CAMVID
from segstudio.core.lineage import DataPart, Lineage
from segstudio.errors import ModelError
from segstudio.store import models

CARD = {
    "format": 1,
    "name": "city",
    "title": "City",
    "net": "bisenet_v2",
    "net_args": {"head_width": 256, "boosters": False},
    "classes": {"set": "camvid", "list": CAMVID.to_json()},
    "input": {
        "mean": [0.4, 0.5, 0.6],
        "std": [0.2, 0.2, 0.2],
        "scale": 255.0,
        "divide_after": 1.0,
        "channels": "RGB",
        "short_side": 360,
        "multiple_of": 32,
    },
    "weights": "weights.safetensors",
    "sha256": "",
    "params": 123,
    "trained_on": "CamVid",
    "licence": "CC BY-NC",
    "scores": [{"dataset": "val", "miou": 0.6, "detail": "360 × 480"}],
    "description": "A net.",
    "command": "segstudio train",
}


LINEAGE = Lineage(
    model="city", base="town", base_sha256="cd" * 32, run="2026-01-01-town", step=40, seconds=4000.0,
    recipe={"net": "bisenet_v2", "steps": 60, "seed": 7, "crop": [64, 64], "loss": "focal"},
    data=(DataPart("train/images", 367, "ef" * 16), DataPart("synthetic drive", 600)),
    versions={"torch": "2.9"}, hardware="A CPU, 1 thread", date="2026-01-01T10:00:00+00:00",
    earlier=(Lineage(model="town", run="first"),),
)  # fmt: skip


def put(folder: Path, **changes: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    card = {**CARD, "name": folder.name, **changes}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "weights.safetensors").write_bytes(b"weights")
    return folder


def message(call) -> str:
    with pytest.raises(ModelError) as caught:
        call()
    text = str(caught.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    return text


@pytest.fixture(autouse=True)
def bundled(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "bundled"
    monkeypatch.setattr(paths, "bundled_models", lambda: folder)
    return folder


def test_a_card_written_and_read_is_the_same(tmp_path):
    card = ModelCard(
        name="city",
        title="Größe",
        net="bisenet_v2",
        classes=CAMVID,
        input=InputRule(short_side=None, multiple_of=8, channels="BGR"),
        folder=(tmp_path / "city").resolve(),
        weights="w.safetensors",
        net_args={"head_width": 64, "boosters": False, "alpha": 0.5},
        scores=(
            Score("val", 0.61, "whole pictures", {"Road": 0.9, "Größe": 0.32}),
            Score("x", 0.5),
        ),
        params=5,
        sha256="ab" * 32,
        lineage=LINEAGE,
    )
    (tmp_path / "city").mkdir()
    file = models.write_card(card, tmp_path / "city")
    assert models.load_card(file) == card


def test_cards_of_before_and_of_later_are_read(tmp_path):
    assert models.load_card(put(tmp_path / "old")).lineage is None
    rows = [{"dataset": "val", "miou": 0.5, "per_class": {"Road": 0.5, "Pole": None}}]
    later = put(tmp_path / "new", lineage={"base": "x", "mood": "good"}, scores=rows)
    card = models.load_card(later)
    assert card.lineage == Lineage(base="x")
    assert card.scores[0].per_class == {"Road": 0.5}


def test_a_card_is_found_by_folder_by_its_file_and_by_its_weights(tmp_path):
    folder = put(tmp_path / "city")
    for path in (folder, folder / "card.json", folder / "weights.safetensors"):
        assert models.load_card(path).name == "city"


def test_weights_without_a_card_or_of_another_card_are_refused(tmp_path):
    folder = put(tmp_path / "city")
    (folder / "other.safetensors").write_bytes(b"")
    assert "belongs to weights.safetensors" in message(
        lambda: models.load_card(folder / "other.safetensors")
    )
    (tmp_path / "lone.pth").write_bytes(b"")
    assert "no card.json beside it" in message(lambda: models.load_card(tmp_path / "lone.pth"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format 2"),
        ({"lineage": []}, "needs an object in lineage"),
        ({"lineage": {"step": "4"}}, "lineage.step is not"),
        ({"lineage": {"data": [{"name": "x"}]}}, "lineage.data must be"),
        (
            {"scores": [{"dataset": "a", "miou": 0.1, "per_class": {"Road": 2}}]},
            "per_class must be",
        ),
        ({"net": None}, "net must be a text"),
        ({"net": " "}, "net must be a text"),
        ({"net_args": {"x": [1]}}, "net_args must be"),
        ({"net_args": []}, "net_args must be"),
        ({"classes": None}, "needs an object in classes"),
        ({"classes": {"set": "x", "list": []}}, "class"),
        (
            {"classes": {"set": "x", "list": [{"id": 255, "name": "a", "color": [0, 0, 0]}]}},
            "class",
        ),
        ({"input": []}, "needs an object in input"),
        ({"input": {"mean": [1, 2]}}, "input.mean must be three numbers"),
        ({"input": {"std": [0.1, 0.0, 0.1]}}, "input.std must be three numbers above 0"),
        ({"input": {"std": ["a", "b", "c"]}}, "input.std"),
        ({"input": {"scale": 0}}, "input.scale must be a number above 0"),
        ({"input": {"divide_after": True}}, "input.divide_after"),
        ({"input": {"channels": "GBR"}}, "input.channels must be RGB or BGR"),
        ({"input": {"short_side": 3}}, "input.short_side must be a whole number from 16"),
        ({"input": {"short_side": 360.5}}, "input.short_side"),
        ({"input": {"multiple_of": 0}}, "input.multiple_of"),
        ({"input": {"multiple_of": None}}, "input.multiple_of"),
        ({"weights": "../../etc/passwd.pth"}, "weights must be the name"),
        ({"weights": "run.py"}, "weights must be the name"),
        ({"sha256": "abc"}, "sha256 must be 64"),
        ({"params": -1}, "params must be"),
        ({"scores": {}}, "scores must be a list"),
        ({"scores": [{"dataset": "val", "miou": 61}]}, "scores[0].miou must be"),
        ({"scores": [{"miou": 0.5}]}, "scores[0].dataset must be a text"),
        ({"title": 3}, "title must be a text"),
    ],
)
def test_every_field_that_cannot_be_is_named(tmp_path, changes, words):
    folder = put(tmp_path / "city", **changes)
    assert words in message(lambda: models.load_card(folder))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\0", b"null", b'"text"'])
def test_a_card_that_is_no_json_object_is_explained(tmp_path, content):
    folder = put(tmp_path / "city")
    (folder / "card.json").write_bytes(content)
    message(lambda: models.load_card(folder))


def test_a_huge_card_is_not_read(tmp_path):
    folder = put(tmp_path / "city")
    with (folder / "card.json").open("wb") as file:
        file.truncate(2_000_000)
    assert "over 1 MB" in message(lambda: models.load_card(folder))


def test_models_are_listed_from_all_places_and_broken_ones_told(tmp_path, bundled):
    put(bundled / "one")
    put(paths.user_models() / "two")
    put(paths.user_models() / "one", title="Shadowed")
    put(tmp_path / "more" / "three")
    put(tmp_path / "more" / "broken", format=7)
    (tmp_path / "more" / "no-model").mkdir()
    cards, broken = models.scan_models([tmp_path / "more", tmp_path / "absent"])
    assert [(c.name, c.title, c.bundled) for c in cards] == [
        ("one", "City", True),
        ("two", "City", False),
        ("three", "City", False),
    ]
    assert len(broken) == 1
    assert "format 7" in broken[0]
    assert models.list_models([tmp_path / "more" / "three"])[-1].name == "three"


def test_the_default_is_the_best_bundled_model(bundled):
    assert models.default_model() is None
    put(paths.user_models() / "mine", scores=[{"dataset": "val", "miou": 0.9}])
    assert models.default_model().name == "mine"
    put(bundled / "poor", scores=[{"dataset": "val", "miou": 0.5}])
    put(bundled / "rich", scores=[{"dataset": "val", "miou": 0.6}])
    assert models.default_model().name == "rich"


def test_a_model_is_found_by_name_or_path_and_near_names_are_offered(tmp_path, bundled):
    assert "no model is installed" in message(lambda: models.find_model("city"))
    put(bundled / "bisenet_city")
    outside = put(tmp_path / "outside" / "night")
    assert models.find_model("bisenet_city").name == "bisenet_city"
    assert models.find_model(str(outside)).name == "night"
    assert "did you mean bisenet_city?" in message(lambda: models.find_model("bisenet_cty"))
    assert "known models: bisenet_city" in message(lambda: models.find_model("zzz"))


def test_weights_are_proved_by_their_sha256(tmp_path):
    right = hashlib.sha256(b"weights").hexdigest()
    card = models.load_card(put(tmp_path / "city", sha256=right.upper()))
    assert models.check_weights(card).name == "weights.safetensors"
    (card.folder / "weights.safetensors").write_bytes(b"Weights")
    assert "sha256" in message(lambda: models.check_weights(card))
    (card.folder / "weights.safetensors").unlink()
    assert "no weights file" in message(lambda: models.check_weights(card))


def test_a_card_without_sha256_is_taken_at_its_word(tmp_path):
    card = models.load_card(put(tmp_path / "city"))
    assert models.check_weights(card).is_file()
