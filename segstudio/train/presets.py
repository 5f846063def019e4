"""Recipes by name: four for everyday work, and what the papers of the zoo trained with."""

from collections.abc import Callable
from typing import Any

from segstudio.core.training import TrainRecipe
from segstudio.errors import UsageError

Settings = dict[str, Any]
"""Fields of a TrainRecipe."""


def preset(name: str, net: str, **settings: Any) -> TrainRecipe:  # noqa: ANN401  any field
    """The recipe of that name for that net; `settings` are fields of the caller, which win.

    Without data it trains on the synthetic drive alone. UsageError for an unknown name.
    """
    if name not in PRESETS:
        raise UsageError(f"There is no recipe '{name}'; choose one of {', '.join(PRESETS)}.")
    chosen = PRESETS[name](net)
    if not any(settings.get(key) for key in ("train", "project")):
        chosen.setdefault("synthetic_share", 1.0)
    return TrainRecipe(**{"net": net, **chosen, **settings})


def describe(name: str) -> str:
    """The first sentence about a recipe, for menus and --help."""
    return (PRESETS[name].__doc__ or "").strip().splitlines()[0]


def _tokens(net: str) -> bool:
    """Nets of tokens want AdamW with small steps: SegFormer section 4.1, 6e-5, decay 0.01."""
    return "segformer" in net or net.startswith("transformers")


def _fine_tuning(net: str) -> Settings:
    """What the three below share: samples change mildly, the weights that count are averages."""
    rates: Settings = {"optimiser": "sgd", "learning_rate": 5e-3, "weight_decay": 5e-4}
    if _tokens(net):
        rates = {"optimiser": "adamw", "learning_rate": 6e-5, "weight_decay": 0.01}
    return {
        **rates,
        "loss": "ce",
        "schedule": "poly",
        "augment": "mild",
        "scale": (0.75, 1.5),
        "ema_decay": 0.99,
        "warm_up": 20,
        "clip": 10.0,
    }


def quick(net: str) -> Settings:
    """The classifier alone, for up to ten frames: minutes on a CPU."""
    return {
        **_fine_tuning(net),
        "freeze": "all_but_head",
        "norms": "frozen",
        "steps": 200,
        "validate_every": 50,
        "patience": 2,
    }


def standard(net: str) -> Settings:
    """Everything at one rate, batch norms too, for ten to fifty frames.

    After 300 steps on 20 frames by night, a net that knew days had mIoU 0.450, and 0.442 at half
    the rate; a tenth of that half for the backbone came to 0.422, the base's batch norms to 0.427.
    """
    rates: Settings = {} if _tokens(net) else {"learning_rate": 1e-2}
    return {
        **_fine_tuning(net),
        **rates,
        "steps": 600,
        "validate_every": 100,
        "patience": 3,
        "replay_share": 0.3,
    }


def full(net: str) -> Settings:
    """Everything, longer, hard pixels first, pictures changed more, for more than fifty frames."""
    return {
        **_fine_tuning(net),
        "augment": "standard",
        "scale": (0.5, 2.0),
        "loss": "ohem",
        "lovasz": 0.2,
        "ema_decay": 0.999,
        "steps": 3000,
        "validate_every": 250,
        "patience": 5,
        "replay_share": 0.3,
        "warm_up": 100,
    }


def scratch(net: str) -> Settings:
    """From random weights, for thousands of frames."""
    rates: Settings = {"optimiser": "sgd", "learning_rate": 0.025}
    if _tokens(net):
        rates = {"optimiser": "adamw", "learning_rate": 6e-5, "weight_decay": 0.01}
    return {
        **rates,
        "base": "",
        "loss": "ohem",
        "augment": "strong",
        "steps": 20_000,
        "validate_every": 1000,
        "warm_up": 500,
        "ema_decay": 0.999,
    }


def fcn(_net: str) -> Settings:
    """FCN: SGD at a fixed rate, momentum 0.9, batch 20 (Long et al. 2015, section 4.3).

    1e-3 is the rate of FCN-AlexNet; FCN-VGG16 took 1e-4 and FCN-GoogLeNet 10**-4.3. No
    augmentation: mirroring and jitter "yielded no noticeable improvement". Biases took the double
    rate, which is left out here.
    """
    return {
        "optimiser": "sgd", "learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 5e-4,
        "schedule": "constant", "warm_up": 0, "batch": 4, "accumulation": 5, "loss": "ce",
        "augment": "none", "scale": (1.0, 1.0), "clip": 0.0, "ema_decay": 0.0,
        "steps": 10_000, "validate_every": 1000,
    }  # fmt: skip


def unet(_net: str) -> Settings:
    """U-Net: momentum 0.99, one large tile, weights between objects (Ronneberger 2015, section 3).

    Border weight w0 = 10 and sigma = 5 pixels as in equation 2, between regions of the recipe's
    `border_classes` (--border-classes; else of classes that come one by one, as cars do). Elastic
    deformations are left out: they belong to tissue, not to streets. One picture a step, as there,
    wants a net without batch norm; others take at least two with --batch.
    """
    return {
        "optimiser": "sgd", "learning_rate": 1e-3, "momentum": 0.99, "weight_decay": 0.0,
        "schedule": "constant", "warm_up": 0, "batch": 1, "accumulation": 1, "loss": "ce",
        "border": 10.0, "border_sigma": 5.0, "class_weights": "median_frequency",
        "augment": "mild", "clip": 0.0, "ema_decay": 0.0, "steps": 20_000, "validate_every": 1000,
    }  # fmt: skip


def deeplab(net: str) -> Settings:
    """DeepLab: poly 0.9, scales 0.5 to 2, classifier ten times as fast in v1 and v2.

    v2 (Chen et al. 2018, section 4.1): 1e-3, classifier ×10, batch 10, crop 321, 20k steps, frozen
    batch norms, scales 0.5 to 1.5. v3 and v3+ (2017, section 4.1): 0.007, batch 16, crop 513, 30k
    steps. A net that takes no such crop says which it takes: give it with --crop.
    """
    shared: Settings = {
        "optimiser": "sgd", "momentum": 0.9, "weight_decay": 5e-4, "schedule": "poly",
        "power": 0.9, "warm_up": 0, "loss": "ce", "augment": "standard", "clip": 0.0,
        "ema_decay": 0.0, "validate_every": 1000,
    }  # fmt: skip
    if "deeplab_v1" in net or "deeplab_v2" in net:
        return {
            **shared, "learning_rate": 1e-3, "head_factor": 10.0, "batch": 10, "steps": 20_000,
            "crop": (321, 321), "scale": (0.5, 1.5), "norms": "frozen",
        }  # fmt: skip
    return {
        **shared, "learning_rate": 7e-3, "weight_decay": 1e-4, "batch": 16, "steps": 30_000,
        "crop": (513, 513), "scale": (0.5, 2.0),
    }  # fmt: skip


def pspnet(_net: str) -> Settings:
    """PSPNet: poly 0.9 from 0.01, batch 16, auxiliary loss 0.4 (Zhao et al. 2017, section 5.1).

    Crop 473, mirror, scales 0.5 to 2; 30k steps as on VOC. Batch norms were synchronised, which
    --sync-bn does. The classifier went ten times as fast in their code.
    """
    return {
        "optimiser": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 1e-4,
        "schedule": "poly", "power": 0.9, "warm_up": 0, "batch": 16, "rate_batch": 16,
        "loss": "ce", "aux_weights": (0.4,), "augment": "standard", "scale": (0.5, 2.0),
        "crop": (473, 473), "clip": 0.0, "ema_decay": 0.0, "steps": 30_000,
        "validate_every": 1000,
    }  # fmt: skip


def bisenet_v2(_net: str) -> Settings:
    """BiSeNet V2: poly 0.9 from 0.05, batch 16, hard pixels, boosters (Yu et al. 2021, sec. 5.1).

    Weight decay 5e-4 on convolutions only, scales 0.75 to 2, 10k steps as on CamVid; 0.7 and 1/16
    of the hard pixels and the warm-up are those of the public code.
    """
    return {
        "optimiser": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 5e-4,
        "schedule": "poly", "power": 0.9, "warm_up": 1000, "batch": 16, "rate_batch": 16,
        "loss": "ohem", "ohem_threshold": 0.7, "ohem_keep": 16, "augment": "standard",
        "scale": (0.75, 2.0), "clip": 0.0, "ema_decay": 0.0, "steps": 10_000,
        "validate_every": 500,
    }  # fmt: skip


def icnet(_net: str) -> Settings:
    """ICNet: poly 0.9 from 0.01, batch 16, cascade guidance 0.4, 0.4, 1 (Zhao 2018, section 3.3).

    Scales 0.5 to 2 and mirror; 30k steps. Labels of each branch are those of the nearest pixels.
    """
    return {
        "optimiser": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 1e-4,
        "schedule": "poly", "power": 0.9, "warm_up": 0, "batch": 16, "rate_batch": 16,
        "loss": "ce", "cascade": (0.4, 0.4, 1.0), "augment": "standard", "scale": (0.5, 2.0),
        "clip": 0.0, "ema_decay": 0.0, "steps": 30_000, "validate_every": 1000,
    }  # fmt: skip


PRESETS: dict[str, Callable[[str], Settings]] = {
    "quick": quick,
    "standard": standard,
    "full": full,
    "scratch": scratch,
    "fcn": fcn,
    "unet": unet,
    "deeplab": deeplab,
    "pspnet": pspnet,
    "bisenet_v2": bisenet_v2,
    "icnet": icnet,
}
