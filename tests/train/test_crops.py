"""Picture, labels and weights are cut out together, where there is something to learn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.classes import CAMVID
from segstudio.train.augment_rules import AugmentRule
from segstudio.train.crops import Window, choose_window, cut_mix, cut_out
from segstudio.train.labelled import LabelledFrame

PALETTE = CAMVID.palette()


def coded(h, w, rng):
    """The colour says the label, and so does the weight."""
    labels = np.kron(rng.integers(0, 11, (h // 8 + 1, w // 8 + 1)), np.ones((8, 8)))[:h, :w]
    labels = labels.astype(np.uint8)
    rgb = PALETTE[labels]
    rgb.setflags(write=False)  # as pictures from files come
    return LabelledFrame(rgb, labels, labels + 50)


def window_of(frame, rng, rule, crop=(32, 32), short_side=None, **options):
    short = short_side or min(frame.labels.shape)
    return choose_window(frame, rng, rule, crop=crop, short_side=short, **options)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), h=st.integers(33, 160), w=st.integers(33, 160),
    crop=st.tuples(st.integers(32, 90), st.integers(32, 90)), flip=st.sampled_from((0.0, 1.0)),
)  # fmt: skip
def test_all_three_move_together_whatever_the_sizes(seed, h, w, crop, flip):
    rng = np.random.default_rng(seed)
    frame = coded(h, w, rng)
    window = window_of(frame, rng, AugmentRule(scale=(0.7, 2.5), flip=flip), crop)
    cut = cut_out(frame, window, crop)
    assert cut.rgb.shape == (*crop, 3)
    assert cut.labels.shape == cut.weights.shape == crop
    assert {a.dtype for a in (cut.rgb, cut.labels, cut.weights)} == {np.dtype(np.uint8)}
    known = cut.labels != 255
    assert np.array_equal(cut.weights[known], cut.labels[known] + 50)
    assert not cut.weights[~known].any()
    assert window.is_flipped == (flip == 1)
    # resizing blurs borders only: in the middle of a square the colour is the label's own
    inner = known & inside(cut.labels)
    if inner.any():
        assert (np.abs(cut.rgb.astype(int) - PALETTE[cut.labels]) <= 2).all(2)[inner].mean() > 0.97


def inside(labels, reach=3):
    """Pixels whose neighbours carry the same label."""
    same = np.ones(labels.shape, bool)
    for dy in (-reach, 0, reach):
        for dx in (-reach, 0, reach):
            same &= np.roll(labels, (dy, dx), (0, 1)) == labels
    same[:reach] = same[-reach:] = False
    same[:, :reach] = same[:, -reach:] = False
    return same


def test_at_its_own_size_a_window_is_the_frame_itself():
    frame = coded(60, 80, np.random.default_rng(1))
    cut = cut_out(frame, Window(10, 20, 32, 40), (32, 40))
    part = slice(10, 42), slice(20, 60)
    assert np.array_equal(cut.rgb, frame.rgb[part])
    assert np.array_equal(cut.labels, frame.labels[part])
    flipped = cut_out(frame, Window(10, 20, 32, 40, is_flipped=True), (32, 40))
    assert np.array_equal(flipped.rgb, cut.rgb[:, ::-1])
    assert np.array_equal(flipped.weights, cut.weights[:, ::-1])


def test_a_smaller_frame_takes_labels_from_the_middle_and_not_from_a_corner():
    labels = np.arange(48, dtype=np.uint8)[None].repeat(48, 0)
    frame = LabelledFrame.of(np.zeros((48, 48, 3), np.uint8), labels)
    cut = cut_out(frame, Window(0, 0, 48, 48), (16, 16))
    assert np.array_equal(cut.labels[0], np.arange(1, 48, 3))


@pytest.mark.parametrize("flip", [False, True])
def test_beyond_the_frame_is_void_that_weighs_nothing(flip):
    frame = coded(40, 40, np.random.default_rng(3))
    cut = cut_out(frame, Window(-10, -20, 64, 64, flip), (64, 64))
    assert (cut.labels != 255).sum() == 40 * 40
    columns = slice(4, 44) if flip else slice(20, 60)
    assert (cut.labels[10:50, columns] != 255).all()
    expected = frame.labels[:, ::-1] if flip else frame.labels
    assert np.array_equal(cut.labels[10:50, columns], expected)


def test_a_crop_of_nearly_one_class_is_drawn_again():
    labels = np.zeros((64, 256), np.uint8)
    labels[:, 240:] = 1
    frame = LabelledFrame.of(PALETTE[labels], labels)

    def mixed(rule):
        rng = np.random.default_rng(0)
        found = [window_of(frame, rng, rule) for _ in range(200)]
        return np.mean([w.x + 32 > 244 for w in found]), max(w.again for w in found)

    plain, _ = mixed(AugmentRule())
    share, again = mixed(AugmentRule(most=0.75))
    assert share > 3 * plain
    assert again == 11
    # one class only: it is cut out all the same
    flat = LabelledFrame.of(PALETTE[labels * 0], labels * 0)
    found = window_of(flat, np.random.default_rng(0), AugmentRule(most=0.75))
    assert (found.height, found.again) == (32, 0)


def test_a_window_without_any_label_is_avoided_while_there_is_one():
    labels = np.full((200, 300), 255, np.uint8)
    labels[190:196, 290:296] = 4
    frame = LabelledFrame.of(np.zeros((200, 300, 3), np.uint8), labels)
    rng = np.random.default_rng(0)
    for _ in range(50):
        window = window_of(frame, rng, AugmentRule(flip=0.5))
        assert (cut_out(frame, window, (32, 32)).labels == 4).any()
    empty = LabelledFrame.of(frame.rgb, labels | 255)
    window = window_of(empty, rng, AugmentRule(corrected=0.5, rare=0.5))
    assert not cut_out(empty, window, (32, 32)).weights.any()


def test_a_share_of_the_crops_lies_around_corrected_pixels():
    frame = coded(256, 256, np.random.default_rng(0))
    corrected = np.zeros((256, 256), bool)
    corrected[200:204, 40:44] = True
    frame = replace(frame, corrected=corrected)

    def near(share):
        rng = np.random.default_rng(1)
        found = [window_of(frame, rng, AugmentRule(corrected=share)) for _ in range(300)]
        return np.mean([w.y <= 203 < w.y + 36 and w.x <= 43 < w.x + 36 for w in found])

    assert near(0.0) < 0.1
    assert 0.4 < near(0.5) < 0.65
    assert near(1.0) == 1.0


def test_rare_classes_are_looked_for_by_how_rare_they_are():
    labels = np.zeros((256, 256), np.uint8)
    labels[8:16, 8:16], labels[230:238, 230:238] = 1, 2
    frame = LabelledFrame.of(PALETTE[labels], labels)
    pixels = np.ones(256, np.int64)
    pixels[[0, 1, 2]] = 10_000_000, 1_000_000, 100

    def seen(class_pixels):
        rng = np.random.default_rng(1)
        rule = AugmentRule(rare=1.0)
        found = [window_of(frame, rng, rule, class_pixels=class_pixels) for _ in range(300)]
        cuts = [frame.labels[w.y : w.y + 32, w.x : w.x + 32] for w in found]
        return [np.mean([(cut == c).any() for cut in cuts]) for c in (1, 2)]

    one, two = seen(None)
    assert abs(one - two) < 0.15
    assert one > 0.25
    one, two = seen(pixels)
    assert two > 0.95
    assert one < 0.05


def test_a_pasted_part_brings_its_labels_and_weights():
    rng = np.random.default_rng(0)
    one, two = (LabelledFrame.of(np.full((40, 50, 3), c, np.uint8), np.full((40, 50), c, np.uint8), w)
                for c, w in ((1, 1.0), (2, 0.5)))  # fmt: skip
    shares = []
    for _ in range(30):
        both = cut_mix(one, two, rng)
        assert np.array_equal(both.rgb[..., 0], both.labels)
        assert np.array_equal(both.weights, np.where(both.labels == 1, 50, 25))
        shares.append((both.labels == 2).mean())
    assert min(shares) > 0.07
    assert max(shares) < 0.55
    assert (one.labels == 1).all()


def test_torch_s_own_generator_is_neither_used_nor_moved():
    frame = coded(60, 80, np.random.default_rng(1))
    torch.manual_seed(0)
    before = torch.get_rng_state()
    cuts = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        rng = np.random.default_rng(7)
        cuts.append(cut_out(frame, window_of(frame, rng, AugmentRule(scale=(0.5, 2))), (32, 32)))
    assert np.array_equal(cuts[0].rgb, cuts[1].rgb)
    torch.manual_seed(0)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.slow  # torchvision takes its time to import
@pytest.mark.parametrize("size", [(20, 30), (47, 66), (200, 210)])
def test_resizing_is_that_of_torchvision_s_v2_transforms(size):
    from torchvision import tv_tensors
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional as v2

    frame = coded(90, 120, np.random.default_rng(1))
    cut = cut_out(frame, Window(0, 0, 90, 120, is_flipped=True), size)
    image = tv_tensors.Image(torch.from_numpy(frame.rgb.copy()).permute(2, 0, 1))
    mask = tv_tensors.Mask(torch.from_numpy(np.stack((frame.labels, frame.weights))))
    image = v2.horizontal_flip(v2.resize(image, size, antialias=True))
    mask = v2.horizontal_flip(v2.resize(mask, size, InterpolationMode.NEAREST_EXACT))
    assert np.array_equal(cut.rgb, image.permute(1, 2, 0).numpy())
    assert np.array_equal(np.stack((cut.labels, cut.weights)), mask.numpy())
