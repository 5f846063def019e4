"""From a recipe to the function that a step makes smaller."""

from torch import Tensor

from segstudio.core.training import TrainRecipe
from segstudio.nets.registry import NetOutput, NetSpec
from segstudio.train.losses import segmentation_loss
from segstudio.train.stepping import Criterion


def criterion(
    recipe: TrainRecipe, spec: NetSpec, class_weights: tuple[float, ...] = ()
) -> Criterion:
    """The recipe's loss on outputs of that net. class_weights: by class id, () for none."""
    rule = recipe.loss_rule(class_weights)

    def loss(output: NetOutput, labels: Tensor, weights: Tensor | None) -> Tensor:
        return segmentation_loss(
            output,
            labels,
            weights,
            rule,
            align_corners=spec.align_corners,
            aux_weights=recipe.aux_weights or spec.aux_weights,
            cascade=recipe.cascade or None,
        )

    return loss
