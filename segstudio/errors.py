"""What a person can be told: every error that is not a bug in SegStudio."""


class SegStudioError(Exception):
    """Something outside is wrong, and a person can do something about it.

    The text is one sentence that says what happened, to which thing, and the remedy.
    The window shows it in a banner; the command line prints `segstudio: error: …`, exit code 2.
    """


class MediaError(SegStudioError):
    """A picture, folder or video cannot be read."""


class FrameMissing(MediaError):
    """One frame of a source cannot be shown (damaged, cut off, or out of range)."""


class FormatError(SegStudioError):
    """A file of another program does not hold what its format says, or cannot carry ours."""


class ModelError(SegStudioError):
    """A model folder, card or weights file is absent, unreadable or does not fit."""


class OutOfMemory(SegStudioError):
    """The device has too little free memory for what was asked."""


class DeviceError(SegStudioError):
    """The device that was asked for is not there or stopped working."""


class SettingsError(SegStudioError):
    """A setting has a value it cannot have."""


class UsageError(SegStudioError):
    """The command line was used in a way that makes no sense."""


class ProjectClosed(SegStudioError):
    """The project was closed while somebody still worked with it."""


class UnknownName(SegStudioError):
    """A name that no registry entry carries."""


class Cancelled(Exception):
    """Stopped on purpose. Nobody needs to be told."""
