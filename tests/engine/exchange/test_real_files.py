"""Two frames of CamVid as other programs wrote them, imported into a project of CamVid."""

import numpy as np
import pytest

from segstudio.core.classes import CAMVID, VOID
from segstudio.engine.exchange.importing import run_import
from segstudio.engine.exchange.planning import plan_import
from segstudio.store.masks import read_mask
from segstudio.store.project import FrameKey, Project

pytestmark = pytest.mark.realdata

EXACT = ("camvid", "cityscapes", "kitti_segmentation", "voc_segmentation",
         "coco_instances", "coco_rle_compressed", "coco_stuff", "coco_panoptic",
         "cvat_images_1.1_masks", "label_studio_brush", "open_images", "label_me", "datumaro",
         "mots_png")  # fmt: skip


@pytest.fixture
def files(data_dir):
    return data_dir / "importers" / "camvid_exports"


@pytest.fixture
def imported(files, tmp_path):
    """Recognises, plans and imports; labels by the stem of their picture, and the report."""
    made = []

    def go(folder):
        project = Project.create(tmp_path / f"{folder}.segproj", CAMVID)
        made.append(project)
        plan = plan_import(files / folder, project)
        report = run_import(plan, project)
        plan.close()
        found = {}
        for record in project.media():
            for summary in project.frames(record.id):
                stem = summary.about.name.rpartition(".")[0]
                found[stem] = project.load(FrameKey(record.id, summary.key.index)).labels
        return found, report

    yield go
    for project in made:
        project.close()


@pytest.mark.parametrize("folder", EXACT)
def test_exact_formats_give_the_very_pixels(files, imported, folder):
    found, report = imported(folder)
    assert report.frames == 2
    for file in sorted((files / "truth").glob("*.png")):
        truth = read_mask(file)
        truth[truth == len(CAMVID)] = VOID  # 11 in these files
        labels = next(labels for name, labels in found.items() if file.stem in name)
        assert int(np.count_nonzero(labels != truth)) == 0, report.lines()
