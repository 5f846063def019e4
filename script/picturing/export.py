"""The export window on a project with some confirmed frames."""

from stage import Stage

from segstudio.ui.dialogs.export.window import ExportWindow

stage = Stage()
stage.open()
for index in (126, 136, 146, 156):
    stage.go(index)
    stage.editor.accept_draft()
    stage.editor.confirm()
stage.wait(lambda: not stage.editor.projects.project.waiting)
stage.window.menus.actions["project.export"].trigger()
window = stage.window.findChild(ExportWindow)
stage.wait(lambda: window.is_ready)
window.resize(*stage.size)
window.list.choose("cityscapes")
window.how.show_place(stage.file.parent / "exports", "drive")
stage.take(window)
