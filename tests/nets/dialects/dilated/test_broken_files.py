"""Files of dilated nets that lack what a dialect needs."""

import pytest

from segstudio.nets.dialect import dialect_of


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("semseg_pspnet50_19", "cls.4.weight"),
        ("meetps_pspnet101_cityscapes", "classification.weight"),
        ("mm_deeplabv3_r101-d8", "decode_head.bottleneck.conv.weight"),
        ("kazuto_deeplabv3_r101", "fc2.weight"),
        ("vainf_deeplabv3plus_resnet50_21", "classifier.classifier.3.weight"),
    ],
)
def test_a_file_without_its_classifier_is_nobodys(name, last, listed):
    state = listed(name)
    assert dialect_of(state) is not None
    del state[last]
    assert dialect_of(state) is None
