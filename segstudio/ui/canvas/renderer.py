"""The thread that makes a view's rasters, so that the UI thread only blits them."""

import logging
import threading

from segstudio.core.scene import Scene
from segstudio.engine.flow import LatestSlot
from segstudio.ui.bridge.port import Port

log = logging.getLogger("segstudio.ui")


class Renderer:
    """Scenes in, `core.compose.Rendered` out through the port; a newer scene replaces an older one.

    A scene says everything about what to show, so the skipped ones are not missed. An error is
    told through the port and the thread goes on with the next scene.
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        self._slot: LatestSlot[Scene] = LatestSlot()
        self._thread = threading.Thread(target=self._run, name="segstudio-render", daemon=True)
        self._thread.start()

    def show(self, scene: Scene) -> None:
        """Ask for the rasters of a scene. Never blocks."""
        self._slot.put(scene)

    def stop(self) -> None:
        """Join the thread; nothing arrives at the port from here afterwards."""
        self._slot.close()
        self._thread.join()

    def _run(self) -> None:
        # OpenCV takes a quarter of a second to import: here, and not before the window is seen.
        from segstudio.core.compose import Composer

        composer = Composer()
        while (scene := self._slot.take()) is not None:
            try:
                self._port.deliver(composer.compose(scene))
            except Exception as error:
                log.exception("frame %d cannot be drawn", scene.frame.id.index)
                composer.forget()
                self._port.fail(error)
