"""Where a model comes from, as people read it and as it is handed on."""

import json

from segstudio.core.lineage import KEPT, DataPart, Lineage, lasting

TUNED = Lineage(
    model="mine", base="town", base_sha256="ab" * 32, run="2026-01-02-town", step=400,
    seconds=4384.2, hardware="A CPU, 2 threads", date="2026-01-02T10:00:00+00:00",
    recipe={"net": "bisenet_v2", "net_args": {"head_width": 256}, "steps": 600, "batch": 8,
            "crop": [64, 96], "loss": "focal", "seed": 3},
    data=(DataPart("train/images without b", 1367, "cd" * 16), DataPart("synthetic drive", 1)),
    versions={"segstudio": "0.1", "torch": "2.9"},
    earlier=(Lineage(model="town", base="village"), Lineage(model="village")),
)  # fmt: skip


def test_people_read_what_is_known_and_nothing_else():
    told = TUNED.facts()
    assert told["Began from"] == "town (abababababab) ← village ← random weights"
    assert told["Data"].splitlines() == [
        "train/images without b: 1,367 frames (content cdcdcdcdcdcd)",
        "synthetic drive: 1 frame",
    ]
    assert told["Recipe"] == (
        "head_width 256, net bisenet_v2, steps 600, crop 64×96, loss focal, seed 3"
    )
    assert (told["Kept"], told["Took"]) == ("step 400 of 600", "1 h 13 min")
    assert told["Date"] == "2026-01-02 10:00 UTC"
    assert Lineage().facts() == {"Began from": "random weights", "Kept": "step 0"}


def test_it_survives_json():
    assert Lineage.from_json(json.loads(json.dumps(TUNED.to_json()))) == TUNED


def test_a_model_hands_on_its_own_training_and_that_of_its_ancestors():
    assert [one.model for one in TUNED.ancestors] == ["mine", "town", "village"]
    assert TUNED.ancestors[0].earlier == ()
    long = Lineage(model="last", earlier=(Lineage(),) * (2 * KEPT))
    assert len(long.ancestors) == KEPT


def test_time_is_told_roughly():
    assert [lasting(s) for s in (3.4, 89, 100, 3600, 86_400)] == [
        "3 s", "89 s", "2 min", "1 h 0 min", "24 h 0 min",
    ]  # fmt: skip
