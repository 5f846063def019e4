"""A job's thread asks a model that lives in the infer thread, and waits for the answer."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any, TypeAlias

from segstudio.engine.flow import CancelToken

if TYPE_CHECKING:
    from segstudio.core.frame import Frame
    from segstudio.engine.predictor import Predictor

WAIT_S = 0.1
"""How soon a stop is noticed while the model works."""

Op: TypeAlias = "Callable[[Predictor, Frame], Any]"
Ask: TypeAlias = "Callable[[str, Op, Callable[[Any], None]], None]"
"""What Player.asker gives."""


def answer_of(ask: Ask, letter: str, op: Op, token: CancelToken) -> Any:  # noqa: ANN401 - op's
    """What `op` answers about the model of a pane, or its exception.

    Cancelled when the token says so, or when there is no model.
    """
    answer: Future[Any] = Future()
    ask(letter, op, answer.set_result)
    while True:
        token.check()
        try:
            value = answer.result(WAIT_S)
        except FutureTimeout:
            continue
        if isinstance(value, Exception):
            raise value
        return value
