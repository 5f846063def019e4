"""The import window: masks as another program wrote them, looked at before they come in."""

import shutil

from stage import Stage

from segstudio.ui.dialogs.import_labels.window import ImportWindow

stage = Stage()
stage.open()
masks = stage.file.parent / "theirs"
masks.mkdir()
for file in sorted(stage.labels.iterdir())[::20]:
    shutil.copy(file, masks)
stage.wait(lambda: stage.session.info.is_complete and stage.editor.projects.project is not None)
stage.window.import_labels(masks)
window = stage.window.findChild(ImportWindow)
window.resize(*stage.size)
stage.wait(lambda: window._planned is not None)
window._pick_matching("number")
stage.wait(lambda: window.can_import)
stage.take(window)
