"""Every net can learn: four frames by heart, from scratch, within a fixed number of steps."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.errors import ModelError
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.nets.registry import NETS

pytestmark = pytest.mark.slow

GROUPS = {0: 0, 1: 1, 2: 1, 3: 2, 4: 2, 5: 1, 6: 1, 7: 1, 8: 3, 9: 3, 10: 3}
"""Sky, what stands, ground, what moves: coarse enough for nets that answer at stride 32."""

STEPS = 300
ENOUGH = 0.95


def frames(height: int, width: int, margin: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Four frames of the synthetic drive: float32 (4, 3, …) with the margin, int64 (4, H, W)."""
    drive = SyntheticDrive(DriveSettings(height=height, width=width, seed=11))
    pictures, labels = [], []
    for index in (0, 700, 1400, 2100):
        rgb, ids = drive.frame(index)
        grouped = torch.full((height, width), 255)
        for fine, coarse in GROUPS.items():
            grouped[torch.from_numpy(ids == fine)] = coarse
        pictures.append(torch.from_numpy(rgb).permute(2, 0, 1).float() / 255)
        labels.append(grouped)
    x = (torch.stack(pictures) - 0.45) / 0.25
    return F.pad(x, (margin,) * 4, mode="reflect") if margin else x, torch.stack(labels)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(NETS))
def test_a_net_learns_four_frames_by_heart(name):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    spec = NETS.get(name)
    torch.manual_seed(0)
    try:
        net = spec.build(4).to(device)
    except ModelError as error:
        pytest.skip(str(error))
    spec = spec.of(net)
    size = spec.only_size or (spec.sides_near(96)[-1], spec.sides_near(128)[-1])
    x, labels = (t.to(device) for t in frames(*size, spec.margin))
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout | torch.nn.Dropout2d):
            module.p = 0.0
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.2  # four frames: the running figures must keep up
    optimiser = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], 5e-4)
    right = 0.0
    for step in range(STEPS):
        net.train()
        out = net(x)
        loss = torch.zeros((), device=device)
        for logits in (out.logits, *out.aux):
            full = F.interpolate(
                logits.float(), labels.shape[1:], mode="bilinear", align_corners=spec.align_corners
            )
            loss = loss + F.cross_entropy(full, labels, ignore_index=255)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        if step % 20 == 19:
            right = accuracy(net.eval(), x, labels, align_corners=spec.align_corners)
            if right > ENOUGH:
                return
    pytest.fail(f"{name} knows {right:.1%} of the pixels after {STEPS} steps")


def accuracy(net, x, labels, *, align_corners):
    with torch.inference_mode():
        logits = net(x).logits.float()
        full = F.interpolate(logits, labels.shape[1:], mode="bilinear", align_corners=align_corners)
        valid = labels != 255
        return float((full.argmax(1) == labels)[valid].float().mean())
