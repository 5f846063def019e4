"""A classifier for other classes keeps what it knew of those that stay."""

import torch

from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.nets.registry import NETS
from segstudio.train.reheading import reheaded

SPEC = NETS.get("unet_padded")


def built(count, seed):
    torch.manual_seed(seed)
    return SPEC.build(count, width=4)


def test_rows_of_known_names_are_kept_and_others_are_fresh():
    chosen = (CAMVID.classes[5], ClassDef(1, "Tram", (1, 2, 3)), CAMVID.classes[0])
    few = ClassMap("few", tuple(ClassDef(i, c.name, c.color) for i, c in enumerate(chosen)))
    old, net = built(len(CAMVID), 1), built(len(few), 2)
    was, fresh = old.state_dict(), {k: v.clone() for k, v in net.state_dict().items()}
    found = reheaded(net, SPEC, was, CAMVID, few)
    for key in ("classify.weight", "classify.bias"):
        assert torch.equal(found[key][0], was[key][5])
        assert torch.equal(found[key][1], fresh[key][1])
        assert torch.equal(found[key][2], was[key][0])
    others = [key for key in was if not key.startswith("classify")]
    assert all(torch.equal(found[key], was[key]) for key in others)


def test_the_same_number_of_classes_in_another_order_is_put_in_order():
    turned = ClassMap(
        "turned",
        tuple(ClassDef(i, c.name, c.color) for i, c in enumerate(reversed(CAMVID.classes))),
    )
    was = built(len(CAMVID), 1).state_dict()
    found = reheaded(built(len(CAMVID), 2), SPEC, was, CAMVID, turned)
    assert torch.equal(found["classify.weight"], was["classify.weight"].flip(0))
    same = reheaded(built(len(CAMVID), 2), SPEC, was, CAMVID, CAMVID)
    assert all(torch.equal(same[key], was[key]) for key in was)
