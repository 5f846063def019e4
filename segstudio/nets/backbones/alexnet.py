"""AlexNet without its classifier, in the form of CaffeNet.

Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
NIPS 2012, section 3. As Caffe's reference model has it: pooling comes before normalisation, and
the second, fourth and fifth convolution work in two groups.
"""

from torch import Tensor, nn


class AlexNet(nn.Module):
    """Five convolutions, three poolings: (N, 3, H, W) -> (N, 256, about H/32, about W/32).

    first_padding: around the picture. pool_padding: 1 gives maps of exactly ceil(H/32); 0, as
    published, loses the border, and a window that is half outside counts then (ceil: False to see
    what would come of it otherwise).
    """

    channels = 256

    def __init__(self, *, first_padding: int = 5, pool_padding: int = 1, ceil: bool = True) -> None:
        super().__init__()
        is_ceil = ceil and pool_padding == 0

        def pool() -> nn.MaxPool2d:
            return nn.MaxPool2d(3, 2, pool_padding, ceil_mode=is_ceil)

        def norm() -> nn.LocalResponseNorm:
            return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)

        self.stages = nn.ModuleList(
            (
                nn.Sequential(
                    nn.Conv2d(3, 96, 11, 4, first_padding), nn.ReLU(inplace=True), pool(), norm()
                ),
                nn.Sequential(
                    nn.Conv2d(96, 256, 5, padding=2, groups=2),
                    nn.ReLU(inplace=True),
                    pool(),
                    norm(),
                ),
                nn.Sequential(
                    nn.Conv2d(256, 384, 3, padding=1),
                    nn.ReLU(inplace=True),
                    nn.Conv2d(384, 384, 3, padding=1, groups=2),
                    nn.ReLU(inplace=True),
                    nn.Conv2d(384, 256, 3, padding=1, groups=2),
                    nn.ReLU(inplace=True),
                    pool(),
                ),
            )
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all have one

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        for stage in self.stages:
            x = stage(x)
        return x
