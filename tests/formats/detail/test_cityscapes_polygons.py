"""Cityscapes' polygons: exact without a tolerance, and drawn as its own scripts draw them."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from segstudio.core.classes import VOID
from segstudio.errors import FormatError
from segstudio.formats.detail.cityscapes_labels import instance_ids, numbers
from segstudio.formats.detail.cityscapes_polygons import drawn, names_of, objects_of


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, max_side=16),
        elements=st.sampled_from([0, 7, 17, 26]),
    )
)
def test_polygons_give_back_every_pixel(ids):
    objects = objects_of(ids, ids.astype(np.uint16), names_of(numbers().classes))
    content = {"imgHeight": ids.shape[0], "imgWidth": ids.shape[1], "objects": objects}
    labels, instances = drawn(json.loads(json.dumps(content)), numbers().classes, "x")
    assert np.array_equal(np.where(labels == VOID, 0, labels), ids)
    assert instances is None  # nobody said which cars there are


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_polygons_are_drawn_as_its_scripts_draw_them(seed, height, width):
    label_image = pytest.importorskip("cityscapesscripts.preparation.json2labelImg")
    instance_image = pytest.importorskip("cityscapesscripts.preparation.json2instanceImg")
    annotation = pytest.importorskip("cityscapesscripts.helpers.annotation").Annotation
    rng = np.random.default_rng(seed)
    known = ["road", "car", "cargroup", "polegroup", "license plate", "unlabeled", "person"]
    objects = [
        {
            "label": str(rng.choice(known)),
            "polygon": rng.integers(-9, 50, (rng.integers(2, 9), 2)).tolist(),
            "deleted": int(rng.random() < 0.1),
        }
        for _ in range(8)
    ]
    content = {"imgHeight": height, "imgWidth": width, "objects": objects}
    theirs = annotation()
    theirs.fromJsonText(json.dumps(content))
    labels, instances = drawn(content, numbers().classes, "x")
    assert np.array_equal(
        np.where(labels == VOID, 0, labels), label_image.createLabelImage(theirs, "ids")
    )
    expected = np.asarray(instance_image.createInstanceImage(theirs, "ids"))
    ids = np.where(labels == VOID, 0, labels).astype(np.uint8)
    assert np.array_equal(instance_ids(ids, instances, "x"), expected)


GOOD = {
    "imgHeight": 4,
    "imgWidth": 5,
    "objects": [{"label": "road", "polygon": [[0, 0], [4, 0], [4, 3]]}],
}


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        ({"imgHeight": "4"}, "imgHeight"),
        ({"imgWidth": True}, "imgWidth"),
        ({"imgWidth": 0}, "imgWidth"),
        ({"imgWidth": 10**6, "imgHeight": 10**6}, "imgWidth"),
        ({"imgWidth": 10**30}, "imgWidth"),
        ({"objects": None}, "objects"),
        ({"objects": {"a": 1}}, "objects"),
        ({"objects": [3]}, r"objects\[0\]"),
        ({"objects": [{"label": 3, "polygon": []}]}, r"objects\[0\]"),
        ({"objects": [{"label": "road"}]}, r"objects\[0\]\.polygon"),
        ({"objects": [{"label": "road", "polygon": "abc"}]}, r"objects\[0\]\.polygon"),
        ({"objects": [{"label": "road", "polygon": [[1, 2, 3]]}]}, r"objects\[0\]\.polygon"),
        ({"objects": [{"label": "road", "polygon": [[1], [2, 3]]}]}, r"objects\[0\]\.polygon"),
        ({"objects": [{"label": "road", "polygon": [[1, {}]]}]}, r"objects\[0\]\.polygon"),
        ({"objects": [{"label": "road", "polygon": [[1, 1e300]]}]}, r"objects\[0\]\.polygon"),
        ({"objects": [{"label": "road", "polygon": [[1, float("nan")]]}]}, r"\.polygon"),
        ({"objects": [{"label": "road", "polygon": [[1, 10**400]]}]}, r"\.polygon"),
        ({"objects": [{"label": "cow", "polygon": [[1, 1], [2, 2]]}]}, r"objects\[0\]\.label"),
    ],
)
def test_damaged_polygons_are_one_sentence_with_the_field(damage, field):
    content = json.loads(json.dumps(GOOD | damage))
    with pytest.raises(FormatError, match=f"a_polygons.json.*{field}"):
        drawn(content, numbers().classes, "a_polygons.json")


def test_polygons_that_would_take_for_ever_are_refused():
    corners = np.random.default_rng(1).integers(0, 1000, (100_000, 2)).tolist()
    scribble = {"label": "road", "polygon": corners}
    whole = {"label": "road", "polygon": [[0, 0], [999, 0], [999, 999], [0, 999]]}
    for objects in ([scribble], [whole] * 10_000):
        content = {"imgHeight": 1000, "imgWidth": 1000, "objects": objects}
        with pytest.raises(FormatError, match="simplify"):
            drawn(content, numbers().classes, "x")
