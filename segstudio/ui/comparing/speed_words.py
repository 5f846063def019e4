"""Speeds as people read them: every figure says how it was measured."""

from segstudio.core.frame import FrameId
from segstudio.engine.alone import AloneFigures
from segstudio.ui import words
from segstudio.ui.comparing.speeds import SpeedReading, Spread

EMPTY = "Play or step to measure"

STAGE_TITLES = {"prepare": "prepare", "forward": "model", "upsample": "upsample"}
"""Stages of Timing by the names that the status line gives them."""


def number(value: float) -> str:
    """Two or three figures: "0.31", "4.1", "24.8", "143"."""
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def ms(value: float) -> str:
    """A time in ms without its unit: "0.3", "4.1", "122"."""
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def headline(reading: SpeedReading) -> str:
    """The one big figure: what people get, else what the model's own time allows; "" before."""
    fps = reading.fps_shared if reading.fps_shared is not None else reading.fps_turn
    return "" if fps is None else f"{number(fps)} fps"


def circumstances(reading: SpeedReading) -> tuple[str, ...]:
    """How the headline was measured, and what was measured alone; longest first, all true."""
    models = reading.shared_with + 1
    how: tuple[str, ...]
    if reading.fps_shared is None and reading.fps_turn is None:
        how = (EMPTY,)
    elif reading.fps_shared is None:
        how = ("by its own time, stepping", "by its own time", "own time")
    elif models == 1:
        how = ("while it is the only model", "the only model", "only one")
    else:
        how = (f"while {models} models take turns", f"{models} take turns", f"1 of {models}")
    if reading.alone is None:
        return how
    fps, runs = number(reading.alone.fps), words.counted(reading.alone.runs, "run")
    place = _place(reading.alone, reading.frame)
    return (
        f"{how[0]} · {fps} fps alone ({runs} on {place})",
        f"{how[0]} · {fps} fps alone ({runs})",
        f"{how[min(1, len(how) - 1)]} · {fps} alone ({runs})",
        f"{how[-1]} · {fps} alone",
    )


def summary(reading: SpeedReading) -> str:
    """One line for reports and screen readers."""
    return f"{headline(reading)} {circumstances(reading)[0]}".strip()


def latencies(reading: SpeedReading) -> tuple[str, str]:
    """Percentiles of the total, and the medians of the stages."""
    if reading.total is None:
        return "", ""
    t = reading.total
    stages = " · ".join(
        f"{STAGE_TITLES[name]} {ms(spread.p50)}" for name, spread in reading.stages.items()
    )
    return f"p50 {ms(t.p50)} · p95 {ms(t.p95)} · p99 {ms(t.p99)} ms", f"{stages} ms"


def costs(reading: SpeedReading) -> tuple[str, str]:
    """Size of the net and its work; memory, input and device."""
    net = []
    if reading.params is not None:
        net.append(f"{words.millions(reading.params)} params")
    if reading.gmacs is not None:
        net.append(f"{number(reading.gmacs)} GMAC")
    place = [words.size(*reading.input_size), reading.device]
    if reading.peak_mb is not None:
        place.insert(0, f"peak {reading.peak_mb:,.0f} MB")
    return " · ".join(net), " · ".join(place)


def table(reading: SpeedReading) -> str:
    """Everything, as rich text for a tool tip."""
    spreads = [(STAGE_TITLES[name], spread) for name, spread in reading.stages.items()]
    if reading.total is not None:
        spreads.append(("all", reading.total))
    if reading.alone is not None:
        a = reading.alone
        spreads.append(("alone", Spread(a.p50, a.p95, a.p99)))
    rows = [("", "p50", "p95", "p99 ms")]
    rows += [(title, ms(s.p50), ms(s.p95), ms(s.p99)) for title, s in spreads]
    cells = "".join(
        f"<tr><td>{one[0]}&nbsp;&nbsp;</td>"
        + "".join(f"<td align='right'>&nbsp;&nbsp;{cell}</td>" for cell in one[1:])
        + "</tr>"
        for one in rows
    )
    return f"<p>{summary(reading)}</p><table>{cells}</table>" + "".join(
        f"<p style='margin-top:2px'>{line}</p>" for line in _notes(reading)
    )


def _notes(reading: SpeedReading) -> list[str]:
    """What the figures rest on."""
    found = []
    if len(reading.history):
        frames = words.counted(len(reading.history), "frame")
        found.append(f"Percentiles and chart: the last {frames}; the dashed line is the median.")
    if reading.fps_turn is not None:
        found.append(f"Its own time would allow {number(reading.fps_turn)} fps.")
    if reading.params is not None:
        found.append(f"{reading.params:,} parameters.")
    size = words.size(*reading.input_size)
    if reading.gmacs is None:
        found.append(f"Input {size} on {reading.device}.")
    else:
        found.append(
            f"{number(reading.gmacs)} GMAC for one pass over the input, {size} on {reading.device}."
        )
    if reading.peak_mb is not None:
        found.append(f"At most {reading.peak_mb:,.0f} MB of the device's memory, weights included.")
    return found


def _place(alone: AloneFigures, now: FrameId) -> str:
    same = (alone.frame.source, alone.frame.index) == (now.source, now.index)
    return "this frame" if same else f"frame {alone.frame.index}"
