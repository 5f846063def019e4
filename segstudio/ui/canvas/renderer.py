"""The thread that makes a view's rasters, so that the UI thread only blits them."""

import logging
import sys
import threading

from segstudio.core.scene import Scene
from segstudio.engine.flow import LatestSlot
from segstudio.ui.bridge.port import Port

log = logging.getLogger("segstudio.ui")

_PATIENCE_S = 5.0


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
        if sys.is_finalizing():  # daemon threads are frozen by now and would never be joined
            return
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            log.error("%s did not stop within %g s", self._thread.name, _PATIENCE_S)

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
