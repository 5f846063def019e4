"""What people are told in a banner."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people should know. kind: "error", "warning", "info" or "hint".

    Infos (it was done) and hints (why it cannot be done now) go by themselves. detail: for experts.
    model: name of the model that it is about; it goes when another one is chosen. "": of none.
    """

    text: str
    kind: str = "error"
    detail: str = ""
    model: str = ""


def causes_of(error: BaseException) -> str:
    """What led to it, a line each: for experts."""
    causes = []
    cause = error.__cause__
    while cause is not None:
        causes.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return "\n".join(causes)
