"""Labels of a neighbouring frame, brought here as they are; and the hood of the ego vehicle."""

from typing import TYPE_CHECKING

from segstudio.core.classes import VOID
from segstudio.core.origins import PROPAGATED

if TYPE_CHECKING:
    from segstudio.store.project import StoredFrame
    from segstudio.ui.session import Session


def copy_from(session: "Session", by: int) -> None:
    """Fill the current frame from the one `by` frames away, where no human painted."""
    editor, held, project = session.editor, session.editor.held, session.editor.projects.project
    if held is None or project is None:
        return
    from segstudio.store.project import FrameKey

    key = FrameKey(held.key.media, held.key.index + by)

    def take(stored: "StoredFrame | None") -> None:
        if stored is None or not (stored.labels != VOID).any():
            session.tell(f"Frame {key.index} has no labels to copy.", "warning")
        else:
            where = stored.labels != VOID
            editor.replace_labels(
                f"Copied from frame {key.index}", stored.labels, PROPAGATED, where
            )

    editor.run(lambda _: project.load(key), take, name="copy")


def set_hood(session: "Session") -> None:
    """The selection is the ego vehicle in every frame of this clip, labelled ones included."""
    from segstudio.engine.carry import Hood

    editor, projects = session.editor, session.editor.projects
    area, project, media = editor.selection, projects.project, projects.media
    if area is None or project is None or media is None:
        return
    import numpy as np

    mask = np.zeros(editor.shape, np.bool_)
    mask[area.rect.slices] = area.mask
    project.put_setting(f"hood.{media.id}", Hood(editor.options.class_id, mask).to_json())
    editor.select(None)
    frames = project.frames(media.id)
    if any(frame.steps for frame in frames):
        session.ranges.apply_hood()
    else:
        session.tell("Every frame of this clip gets this hood as soon as it is labelled.")


def forget_hood(session: "Session") -> None:
    """Frames that have it keep it."""
    projects = session.editor.projects
    if projects.project is not None and projects.media is not None:
        projects.project.put_setting(f"hood.{projects.media.id}", None)
        session.tell("New frames get no hood any more; frames that have it keep it.")
