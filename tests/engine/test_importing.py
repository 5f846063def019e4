"""A bare weights file becomes a model that answers as its net does."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.engine import importing
from segstudio.engine.importing import ImportOptions, import_weights
from segstudio.engine.inspecting import inspect_model, inspect_weights
from segstudio.engine.loading import build_net
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.registry import NETS
from segstudio.store.class_sets import load_class_set
from segstudio.store.models import find_model, load_card

SLIM = {"alpha": 0.25, "head_width": 16, "booster_width": 16}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training checkpoint of a slim BiSeNet V2 with 11 classes, boosters and all."""
    torch.manual_seed(1)
    net = NETS.get("bisenet_v2").build(11, **SLIM)
    state = {f"module.{k}": v for k, v in net.state_dict().items()}
    file = tmp_path_factory.mktemp("foreign") / "best epoch.pth"
    torch.save({"epoch": 7, "state_dict": state, "best": np.float64(0.5)}, file)
    return file


def looked_into(trained):
    return inspect_weights(trained, "bisenet_v2", dict(SLIM))


def test_a_training_checkpoint_is_looked_into(trained):
    found = looked_into(trained)
    assert found.fit.is_whole
    assert (found.num_classes, found.spec.name) == (11, "bisenet_v2")
    assert found.beside == ("epoch", "best")
    assert found.to_json()["fits"] is True


def test_our_own_names_are_known_without_being_told(tmp_path):
    torch.manual_seed(1)
    net = NETS.get("bisenet_v2").build(3)
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    found = inspect_weights(tmp_path / "w.safetensors")
    assert (found.dialect, found.spec.name, found.num_classes) == ("segstudio", "bisenet_v2", 3)
    assert found.fit.is_whole


def test_the_imported_model_answers_as_the_net_did(trained, own_home):
    card = import_weights(looked_into(trained), ImportOptions(name="mine", classes=CAMVID))
    spec, net = build_net(find_model("mine"))
    torch.manual_seed(1)
    before = NETS.get("bisenet_v2").build(11, **SLIM).eval()
    picture = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(net.eval()(picture).logits, before(picture).logits)
    assert card.net_args["boosters"] is False
    assert not any(k.startswith("boosters") for k in load_file(card.folder / card.weights))
    assert inspect_model(card).fit.is_whole
    assert card.input.multiple_of == spec.multiple_of


def test_a_class_set_of_another_size_is_no_fit(trained, own_home):
    voc = ClassMap("two", (ClassDef(0, "Road", (1, 2, 3)), ClassDef(1, "Moon", (4, 5, 6))))
    with pytest.raises(ModelError, match=r"11 classes and the class set 'two' has 2.*--rehead"):
        import_weights(looked_into(trained), ImportOptions(classes=voc))
    assert not any(own_home.rglob("*.safetensors"))


def test_a_new_classifier_keeps_the_rows_of_known_classes(trained, own_home):
    names = [c.name for c in CAMVID.classes]
    found = replace(looked_into(trained), class_names=tuple(names))
    wanted = ClassMap("two", (ClassDef(0, "Moon", (1, 2, 3)), ClassDef(1, "road", (4, 5, 6))))
    card = import_weights(found, ImportOptions(name="two", classes=wanted, rehead=True))
    old, new = found.found.state, load_file(card.folder / card.weights)
    last = [k for k in new if k.startswith("head.") and k in old and old[k].shape != new[k].shape]
    assert last
    for key in last:
        assert new[key].shape[0] == 2
        assert torch.equal(new[key][1], old[key][names.index("Road")])
    same = [k for k in new if k not in last]
    assert all(torch.equal(new[k], old[k]) for k in same)
    assert "untrained" in load_card(card.folder).description


def test_channels_get_the_ids_of_their_names(trained, own_home):
    shuffled = tuple(reversed([c.name.upper() for c in CAMVID.classes]))
    found = replace(looked_into(trained), class_names=shuffled)
    card = import_weights(found, ImportOptions(classes=CAMVID))
    assert [c.id for c in card.classes.classes] == list(range(10, -1, -1))
    assert card.classes.classes[0].name == "Bicyclist"


def test_without_a_class_set_the_usual_one_or_numbers(trained, own_home):
    assert importing.suggested_classes(looked_into(trained)).name_of(3) == "class 3"
    named = replace(looked_into(trained), class_set="camvid")
    assert importing.suggested_classes(named) == CAMVID
    told = replace(looked_into(trained), class_names=tuple(c.name for c in CAMVID.classes))
    assert importing.suggested_classes(told).name == "camvid"
    cityscapes = load_class_set("cityscapes19")
    streets = tuple(c.name for c in cityscapes.classes)
    nineteen = replace(looked_into(trained).found, num_classes=19)
    told = replace(looked_into(trained), found=nineteen, class_names=streets)
    assert importing.suggested_classes(told) == cityscapes
    colors = [c.color for c in importing.suggested_classes(looked_into(trained)).classes]
    assert len(set(colors)) == 11


def test_half_matching_weights_are_refused_with_what_differs(trained, own_home):
    with pytest.raises(ModelError, match="have another shape"):
        import_weights(inspect_weights(trained, "bisenet_v2"))
    state = torch.load(trained, weights_only=False)["state_dict"]
    half = trained.with_name("half.pth")
    torch.save({k: v for i, (k, v) in enumerate(state.items()) if i % 2 == 0}, half)
    with pytest.raises(ModelError, match=r"missing|no known|none of the classifier"):
        import_weights(inspect_weights(half, "bisenet_v2", dict(SLIM)))


def test_a_name_is_taken_once(trained, own_home):
    options = ImportOptions(name="mine", classes=CAMVID)
    first = import_weights(looked_into(trained), options)
    with pytest.raises(ModelError, match="already"):
        import_weights(looked_into(trained), options)
    import_weights(looked_into(trained), replace(options, replace=True, title="again"))
    assert load_card(first.folder).title == "again"
    assert importing.suggested_name(looked_into(trained)) == "best_epoch"


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", " x", "CON/..", "x" * 80])
def test_a_name_that_leaves_the_folder_is_refused(trained, own_home, name):
    with pytest.raises(SegStudioError, match="cannot be a model's name"):
        import_weights(looked_into(trained), ImportOptions(name=name, classes=CAMVID))


def test_a_failure_leaves_nothing_behind(trained, own_home, monkeypatch):
    def fail(card):
        raise ModelError("It does not work; try another.")

    monkeypatch.setattr(importing, "build_net", fail)
    with pytest.raises(ModelError, match="does not work"):
        import_weights(looked_into(trained), ImportOptions(name="mine", classes=CAMVID))
    assert list((own_home / "data" / "models").iterdir()) == []


def test_tensors_that_nobody_knows_are_told(tmp_path):
    save_file({"some.layer": torch.ones(3), "b": torch.ones(2)}, tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match=r"No known program names 2 tensors"):
        inspect_weights(tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match="none of the classifier"):
        inspect_weights(tmp_path / "w.safetensors", "bisenet_v2")


def test_a_wrong_net_argument_is_told(trained):
    with pytest.raises(ModelError, match="cannot be built with wings=2"):
        inspect_weights(trained, "bisenet_v2", {"wings": 2})


def test_class_names_come_from_a_config_beside(trained):
    labels = {str(i): f"thing {i}" for i in range(11)}
    beside = trained.with_name("config.json")
    beside.write_text(json.dumps({"id2label": labels}))
    try:
        assert looked_into(trained).class_names[10] == "thing 10"
        beside.write_text("{")
        assert looked_into(trained).class_names == ()
    finally:
        beside.unlink()


def test_a_folder_of_transformers_is_read_by_its_config(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.BeitConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=48,
        image_size=64,
        out_indices=[1, 2, 3, 4],
        id2label={i: f"thing {i}" for i in range(3)},
        use_auxiliary_head=False,
    )
    transformers.BeitForSemanticSegmentation(config).save_pretrained(tmp_path)
    found = inspect_weights(tmp_path / "model.safetensors")
    assert (found.dialect, found.spec.name, found.num_classes) == ("transformers", "hub", 3)
    assert found.class_names == ("thing 0", "thing 1", "thing 2")
    assert found.fit.is_whole
