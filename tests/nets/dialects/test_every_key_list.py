"""Every public checkpoint whose keys we have is known by one dialect and fits its net whole."""

from pathlib import Path

import pytest

from segstudio.errors import ModelError
from segstudio.nets.dialect import DIALECTS, dialect_of, fit

KEYS = Path(__file__).parent / "keys"

NO_SEGMENTER = {
    "hf_dinov2_s",
    "hf_dinov3_s",
    "hf_edgetam",
    "hf_sam2_default(tiny)",
    "hf_sam_vit_b",
    "hf_sam_vit_h",
}
"""Lists of nets that label nothing by class (SAM, DINO): known, and refused with a sentence."""


LISTS = sorted(p.stem for p in KEYS.glob("*.tsv"))


@pytest.mark.parametrize("name", LISTS)
def test_exactly_one_dialect_knows_it(name, listed):
    state = listed(name)
    assert len([d for d in DIALECTS if DIALECTS.get(d).recognises(state)]) == 1


@pytest.mark.parametrize("name", [name for name in LISTS if name not in NO_SEGMENTER])
def test_nothing_is_missing_or_unexpected(name, listed):
    state = listed(name)
    dialect = dialect_of(state)
    assert dialect is not None
    try:
        found = dialect.read(state)
        report = fit(found)
    except ModelError as error:
        if "extra" not in str(error):
            raise
        pytest.skip(str(error))
    assert (report.missing, report.unexpected, report.misshapen) == ((), (), ())
    accounted = len(report.matched) + len(report.renamed) + len(report.ignored)
    assert accounted == len(state)


@pytest.mark.parametrize("name", sorted(NO_SEGMENTER))
def test_what_labels_nothing_by_class_is_refused(name, listed):
    dialect = dialect_of(listed(name))
    with pytest.raises(ModelError, match="label"):
        dialect.read(listed(name))
