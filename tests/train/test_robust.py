"""A run that meets trouble: short memory, a full disk, a loss that is no number, and people."""

import json
import time
from dataclasses import replace

import pytest
import torch

from segstudio.core.catalogue import InputRule
from segstudio.core.classes import CAMVID
from segstudio.errors import OutOfMemory, SegStudioError
from segstudio.store.masks import read_mask
from segstudio.train import checkpoint, loop, stepping
from segstudio.train.control import FILE, Control
from segstudio.train.loop import fit

RULE = InputRule(short_side=72)


@pytest.fixture
def small(recipe):
    """Without batch norms, so that parts of a batch are worth the whole."""
    return replace(
        recipe,
        net="unet_padded",
        net_args={"width": 4, "batch_norm": False},
        crop=(64, 64),
        batch=4,
        learning_rate=0.01,
        loss="ce",
        ema_decay=0.5,
    )


def run_all(recipe, folder, **options):
    folder.mkdir(exist_ok=True)
    return list(fit(recipe, folder, CAMVID, RULE, **options))


def kinds(events):
    return [event.kind for event in events]


def weights(folder, name="last"):
    return checkpoint.load(folder / f"{name}.pt")["net"]


def furthest(one, two):
    return max(float((one[key] - two[key]).abs().max()) for key in one)


def test_accumulated_batches_are_one_large_batch(small, tmp_path):
    run_all(small, tmp_path / "whole")
    run_all(replace(small, batch=1, accumulation=4), tmp_path / "parts")
    assert furthest(weights(tmp_path / "whole"), weights(tmp_path / "parts")) < 1e-5


def test_short_memory_makes_parts_smaller_and_changes_nothing_else(small, tmp_path, monkeypatch):
    run_all(small, tmp_path / "roomy")
    forward = stepping.Stepper._forward

    def tight(self, x):
        if len(x) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, x)

    monkeypatch.setattr(stepping.Stepper, "_forward", tight)
    events = run_all(small, tmp_path / "tight")
    told = [e.figures for e in events if e.kind == "smaller_batch"]
    assert [(t["batch"], t["accumulation"]) for t in told] == [(1, 4)]
    assert furthest(weights(tmp_path / "roomy"), weights(tmp_path / "tight")) < 1e-5
    assert checkpoint.load(tmp_path / "tight" / "last.pt")["parts"] == 4


def test_memory_too_small_for_one_picture_is_told_with_a_remedy(small, tmp_path, monkeypatch):
    def tight(self, x):
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"
        )

    monkeypatch.setattr(stepping.Stepper, "_forward", tight)
    with pytest.raises(OutOfMemory, match=r"on 1 crops of 64×64 .* on cpu; choose a smaller"):
        run_all(small, tmp_path)


def test_a_batch_norm_is_never_left_alone_with_one_picture(recipe, tmp_path, monkeypatch):
    seen = []
    forward = stepping.Stepper._forward

    def tight(self, x):
        seen.append(len(x))
        if len(x) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, x)

    monkeypatch.setattr(stepping.Stepper, "_forward", tight)
    run_all(replace(recipe, batch=5, steps=1), tmp_path)
    assert seen == [5, 3, 2]
    with pytest.raises(SegStudioError, match="batch of at least two"):
        run_all(replace(recipe, batch=1), tmp_path / "alone")


def test_a_loss_that_is_no_number_stops_the_run_and_names_its_samples(small, tmp_path):
    wild = replace(small, steps=30, learning_rate=1e30, clip=0, warm_up=0, validate_every=100)
    events = []
    with pytest.raises(SegStudioError, match=r"samples \d+ to \d+.*--lr"):
        events.extend(fit(wild, tmp_path, CAMVID, RULE))  # what came before the error stays
    assert events[-1].kind == "failed"
    first = events[-1].figures["samples"][0]
    assert events[-1].figures["samples"] == [first, first + 1, first + 2, first + 3]
    assert not (tmp_path / "last.pt").is_file()


def test_the_best_weights_outlive_a_loss_that_is_no_number(small, tmp_path, monkeypatch):
    real = stepping.rate
    monkeypatch.setattr(
        stepping, "rate", lambda step, rule: real(step, rule) * (1e30 if step > 2 else 1)
    )
    with pytest.raises(SegStudioError, match="not a finite number"):
        run_all(replace(small, steps=8, clip=0), tmp_path)
    for name in ("best", "last"):
        assert all(bool(v.isfinite().all()) for v in weights(tmp_path, name).values())
    last, best = (checkpoint.load(tmp_path / f"{name}.pt") for name in ("last", "best"))
    assert last["step"] == best["step"]


def test_weights_that_are_no_numbers_are_never_kept(small, tmp_path, monkeypatch):
    def spoil(self):
        with torch.no_grad():
            next(self._training.net.parameters()).fill_(float("nan"))
        return torch.zeros(())

    monkeypatch.setattr(stepping.Stepper, "_update", spoil)
    with pytest.raises(SegStudioError, match="not a finite number"):
        run_all(replace(small, steps=1), tmp_path)
    assert not (tmp_path / "best.pt").exists()


def test_a_full_disk_leaves_the_old_checkpoint_and_the_run_goes_on(small, tmp_path, monkeypatch):
    run_all(replace(small, steps=2), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    real = checkpoint.atomic_write
    calls = []

    def quota(path, content):
        calls.append(path.name)
        if len(calls) < 2:
            monkeypatch.setattr("segstudio.atomic._sync_file", _full)
        else:
            monkeypatch.undo()
        try:
            real(path, content)
        finally:
            told.append((tmp_path / "last.pt").read_bytes() == before)

    told = []
    monkeypatch.setattr(checkpoint, "atomic_write", quota)
    events = run_all(replace(small, steps=6), tmp_path)
    failed = [e for e in events if e.kind == "not_saved"]
    assert failed
    assert "No space left on device" in failed[0].figures["why"]
    assert told[0]
    assert events[-1].kind == "finished"
    assert checkpoint.load(tmp_path / "last.pt")["step"] == 6
    assert not list(tmp_path.glob(".*tmp*"))


def _full(_path):
    raise OSError(28, "No space left on device")


def test_a_disk_that_stays_full_to_the_end_is_an_error(small, tmp_path, monkeypatch):
    monkeypatch.setattr("segstudio.atomic._sync_file", _full)
    with pytest.raises(SegStudioError, match=r"could not be written to .*make room"):
        run_all(small, tmp_path)


def test_a_run_ends_when_validations_gain_nothing_any_more(small, tmp_path):
    idle = replace(small, steps=20, validate_every=1, patience=3, learning_rate=1e-12, warm_up=0)
    events = run_all(idle, tmp_path)
    assert kinds(events)[-2:] == ["stopped", "finished"]
    assert "3 validations" in events[-2].figures["why"]
    assert events[-1].step == 4


def test_a_control_file_pauses_goes_on_and_stops(small, tmp_path, monkeypatch):
    file = tmp_path / FILE
    file.write_text('{"want": "stop"}')  # of an earlier run: nobody means this one
    clock, late = time.perf_counter, [0.0]

    def sleep(_seconds):
        late[0] += 1e6
        file.write_text('{"want": "go"}')

    monkeypatch.setattr(loop.time, "sleep", sleep)
    monkeypatch.setattr(loop.time, "perf_counter", lambda: clock() + late[0])
    events = []
    for event in fit(replace(small, steps=50, validate_every=1), tmp_path, CAMVID, RULE):
        events.append(event)
        if event.kind == "saved" and event.step == 1:
            file.write_text('{"want": "pause"}')
        if event.kind == "saved" and event.step == 3:
            file.write_text('{"want": "stop"}')
    told = [
        (e.kind, e.step) for e in events if e.kind in ("paused", "resumed", "stopped", "finished")
    ]
    assert told == [("paused", 2), ("resumed", 2), ("stopped", 4), ("finished", 4)]
    assert not file.exists()
    kept = checkpoint.load(tmp_path / "last.pt")
    assert kept["step"] == 4
    assert 0 < kept["seconds"] < 1e6  # nobody trained while it was paused


def test_a_half_written_control_file_changes_nothing(tmp_path):
    control = Control(tmp_path)
    for text in ("", "{", "[]", '{"want": 3}', '{"want": "dance"}'):
        (tmp_path / FILE).write_text(text)
        assert control.wish() == "go"
    (tmp_path / FILE).write_text(json.dumps({"want": "pause"}))
    assert control.wish() == "pause"
    (tmp_path / FILE).unlink()
    assert control.wish() == "go"


def test_three_held_out_frames_are_kept_as_pictures(small, tmp_path):
    events = run_all(replace(small, steps=2), tmp_path)
    pictures = [p for e in events if e.kind == "validated" for p in e.figures["pictures"]]
    assert len(pictures) == 2  # as many as there are
    for picture in pictures:
        assert read_mask(tmp_path / picture["prediction"]).shape == (72, 96)
        assert set(picture) == {"frame", "labels", "prediction"}


def test_a_checkpoint_of_before_is_gone_on_with(small, tmp_path):
    run_all(replace(small, steps=2), tmp_path)
    state = checkpoint.load(tmp_path / "last.pt")
    for new in ("scaler", "effective", "parts", "without_gain"):
        state.pop(new)
    torch.save(state, tmp_path / "last.pt")
    assert run_all(small, tmp_path)[-1].step == 4


def test_a_frozen_backbone_is_as_it_was_and_the_head_is_not(small, tmp_path):
    quick = replace(
        small, net_args={"width": 4}, freeze="all_but_head", norms="frozen", ema_decay=0
    )
    run_all(replace(quick, steps=1, learning_rate=1e-12), tmp_path / "before")
    events = run_all(quick, tmp_path / "after")
    before, after = weights(tmp_path / "before"), weights(tmp_path / "after")
    changed = {key for key in before if float((before[key] - after[key]).abs().max()) > 1e-9}
    assert changed == {"classify.weight", "classify.bias"}
    assert events[0].figures["trained_weights"] == 4 * 11 + 11


def test_a_rate_given_anew_holds_from_the_checkpoint_on(small, tmp_path):
    run_all(replace(small, steps=2), tmp_path)
    run_all(replace(small, learning_rate=0.001, schedule="constant"), tmp_path)
    groups = checkpoint.load(tmp_path / "last.pt")["optimiser"]["param_groups"]
    assert {group["lr"] for group in groups} == {0.001}


def test_half_precision_is_scaled_and_the_scale_is_gone_on_with(small, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "precision", lambda *_: (torch.float16, ""))
    run_all(replace(small, steps=2), tmp_path)
    scaler = checkpoint.load(tmp_path / "last.pt")["scaler"]
    assert scaler["scale"] > 0
    scaled = stepping.Stepper._update
    seen = []

    def look(self):
        seen.append(self._training.scaler.get_scale())
        return scaled(self)

    monkeypatch.setattr(stepping.Stepper, "_update", look)
    assert run_all(small, tmp_path)[-1].kind == "finished"
    assert seen[0] == scaler["scale"]
    assert all(bool(v.isfinite().all()) for v in weights(tmp_path).values())


def test_a_type_that_a_cpu_would_emulate_is_not_taken_and_that_is_told(
    small, tmp_path, monkeypatch
):
    monkeypatch.setattr("segstudio.train.precision.cpu_has_bf16", lambda: False)
    started = run_all(replace(small, steps=1, precision="bf16"), tmp_path)[0].figures
    assert started["precision"] == "torch.float32"
    assert "would emulate bf16" in started["notes"][0]
