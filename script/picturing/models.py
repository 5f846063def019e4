"""The model dialog, once its figures are counted."""

from stage import Stage

from segstudio.ui.dialogs.models import ModelsDialog

stage = Stage()
dialog = ModelsDialog(stage.window, stage.session)
dialog.resize(*stage.size)
dialog.show()
stage.take(dialog, settle_ms=25_000)
