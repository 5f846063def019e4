"""How a run ended, in one sentence that says what to do next."""

from dataclasses import dataclass, replace

from segstudio.ui.training.run_record import RunRecord

ERROR = "segstudio: error: "
"""What the command line puts before the one sentence of its exit code 2."""

KILL, ABORT, SEGV, BUS, TERM = 9, 6, 11, 7, 15


@dataclass(frozen=True, slots=True)
class Exit:
    """What is known of a process that is over.

    code: exit code. signal: number that ended it, 0 for none. has_started: it could be run at all;
    is_cancelled: the person wanted it gone. said: the end of its error stream. trouble: what the
    system said when it did not start.
    """

    code: int = 0
    signal: int = 0
    has_started: bool = True
    is_cancelled: bool = False
    said: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """reason: one sentence. is_fine: nobody has to do anything about it. has_result: weights were
    kept that can be made a model of. is_judged: figures on frames say how good they are.
    """

    reason: str
    is_fine: bool
    has_result: bool
    is_judged: bool = True


def ending_of(record: RunRecord, how: Exit, *, has_checkpoint: bool) -> Ending:
    """has_checkpoint: there is a last.pt to go on from."""
    found = _ending_of(record, how, has_checkpoint=has_checkpoint)
    return replace(found, is_judged=not record.is_unjudged)


def _ending_of(record: RunRecord, how: Exit, *, has_checkpoint: bool) -> Ending:
    has_best = has_checkpoint and record.best is not None
    if how.is_cancelled:
        return Ending(f"Cancelled at step {record.step}; {_kept(record, has_checkpoint)}.", True,
                      has_best)  # fmt: skip
    if how.has_started and not how.signal and how.code == 0:
        return _by_itself(record, has_best=has_best)
    return Ending(_trouble(record, how, has_checkpoint=has_checkpoint), False, has_best)


def _by_itself(record: RunRecord, *, has_best: bool) -> Ending:
    if record.state == "finished":
        if record.why:
            text = f"Stopped after step {record.step} ({record.why}){_best(record)}."
        else:
            text = f"Finished after {record.step} steps{_best(record)}."
        return Ending(text, True, has_best)
    if record.state == "stopped":
        text = f"Stopped after step {record.step} ({record.why}){_best(record)}."
        return Ending(text, True, has_best)
    text = (
        f"The training ended at step {record.step} without a word of being finished; resume it,"
        " and look into train.log in its folder when that happens again."
    )
    return Ending(text, False, has_best)


def _trouble(record: RunRecord, how: Exit, *, has_checkpoint: bool) -> str:
    again = _again(record, has_checkpoint=has_checkpoint)
    if not how.has_started:
        why = f" ({how.trouble})" if how.trouble else ""
        return f"The training could not be started{why}; install SegStudio again and try once more."
    killed = how.signal or (how.code - 128 if 128 < how.code < 160 else 0)
    lines = [line.strip() for line in how.said.splitlines() if line.strip()]
    if killed == KILL or (how.code == 1 and lines and _is_about_memory(lines[-1])):
        return (
            f"The system ended the training at step {record.step}, most likely because memory ran"
            f" out; close other programs or choose a smaller crop, then {again}."
        )
    if killed == TERM:
        return f"Something outside ended the training at step {record.step}; {again}."
    if killed and how.code != 130:
        return (
            f"The training crashed at step {record.step} (signal {killed}); {again}, and choose"
            " the CPU when that happens again."
        )
    if how.code == 130:
        return f"The training was interrupted at step {record.step}; {again}."
    sentence = _sentence(how.said)
    if sentence:
        return sentence
    if record.state == "failed" and record.why:
        return record.why
    told = f" ({lines[-1][:200]})" if lines else ""
    return (
        f"An error of the program ended the training at step {record.step}{told}; {again}, and"
        " send train.log from its folder when that happens again."
    )


def _sentence(said: str) -> str:
    """What the command line told people, "" when it told nothing."""
    told = [line for line in said.splitlines() if line.startswith(ERROR)]
    return told[-1].removeprefix(ERROR).strip() if told else ""


def _is_about_memory(line: str) -> bool:
    """Python's word, and torch's when the system ended one of its helpers."""
    return line.startswith("MemoryError") or "killed by signal: Killed" in line


def _again(record: RunRecord, *, has_checkpoint: bool) -> str:
    if has_checkpoint and record.saved_step:
        return f"resume it from step {record.saved_step}"
    return "start it again"


def _kept(record: RunRecord, has_checkpoint: bool) -> str:  # noqa: FBT001  one fact, named
    if has_checkpoint and record.saved_step:
        return f"it can be resumed from step {record.saved_step}"
    return "nothing was saved yet"


def _best(record: RunRecord) -> str:
    best = record.best
    if best is None:
        return ""
    step, miou = best
    if record.is_unjudged:
        return f"; the last weights (step {step}) are kept, and nobody has judged them"
    figure = f", mIoU {100 * miou:.1f} %" if miou == miou else ""
    return f"; the best weights are those of step {step}{figure}"
