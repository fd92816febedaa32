"""The ratings as Chaco draws them: a PNG, made without any display.

Chaco is imported with the first picture. Where it is missing there is none, and that is all.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

from twisted.internet.defer import DeferredLock
from twisted.internet.threads import deferToThread

from thywill_apps.ratings.model import LEAST, MOST, RatedTalk

log = logging.getLogger(__name__)

WIDTH: Final = 720
HEIGHT: Final = 300
MOST_DOTS: Final = 40
FEW: Final = 8

LIGHT: Final = {"paper": 0xFFFFFF, "ink": 0x1C2024, "soft": 0x5F666D, "line": 0xE5E1D8}
DARK: Final = {"paper": 0x1D2125, "ink": 0xE9E6DF, "soft": 0x9AA1A8, "line": 0x2B3036}
ACCENT: Final = {False: 0x0C6B68, True: 0x62CDBF}

Color = tuple[float, float, float, float]
Point = tuple[int, float, int]
"""Second since the epoch, mean, number of ratings."""


class Pictures:
    """Draws a model at most so often, and gives the last picture in between.

    It draws in a thread of its own: the first picture takes a second, and the model goes on.

    Args:
        model: what is drawn.
        seconds: between two drawings of one kind.
        clock: gives seconds that never go back.

    Attributes:
        are_possible: whether Chaco is there, as far as is known.
    """

    def __init__(self, model: RatedTalk, seconds: float, clock: Callable[[], float]) -> None:
        self._model, self._seconds, self._clock = model, seconds, clock
        self._drawn: dict[bool, tuple[float, bytes]] = {}
        self._lock = DeferredLock()
        self.are_possible = find_spec("chaco") is not None

    async def draw(self, is_dark: bool = False) -> bytes | None:
        """Give a PNG; None where Chaco is missing or does not work."""
        await self._lock.acquire()
        try:
            drawn = self._drawn.get(is_dark)
            if drawn is not None and self._clock() - drawn[0] < self._seconds:
                return drawn[1]
            if not self.are_possible:
                return None
            points, distribution = list(self._model.points), list(self._model.distribution)
            png = await deferToThread(draw, points, distribution, is_dark)
        except Exception:
            log.exception("Chaco cannot draw here; pages show their own plots")
            self.are_possible = False
            return None
        finally:
            self._lock.release()
        self._drawn[is_dark] = (self._clock(), png)
        return png


def draw(points: list[Point], distribution: list[int], is_dark: bool = False) -> bytes:
    """Draw what a `RatedTalk` has; gives a PNG.

    Raises:
        ImportError: Chaco is missing.
    """
    # Without a toolkit of its own choice Chaco would look for Qt, and with it for a display.
    os.environ.setdefault("ETS_TOOLKIT", "null")
    from chaco.api import PlotGraphicsContext

    drawn = container(points, distribution, is_dark)
    size = (WIDTH - 1, HEIGHT - 1)  # Chaco's picture has one pixel more, each way
    drawn.outer_bounds = list(size)
    drawn.do_layout(force=True)
    context = PlotGraphicsContext(size, dpi=72)
    context.clear(drawn.bgcolor_)
    context.render_component(drawn)
    written = io.BytesIO()
    context.save(written, file_format="png")
    return written.getvalue()


def container(points: list[Point], distribution: list[int], is_dark: bool = False) -> Any:
    """Give Chaco's two plots: the mean over time, and how many gave which rating."""
    from chaco.api import HPlotContainer

    colors = {name: _color(value) for name, value in (DARK if is_dark else LIGHT).items()}
    colors["accent"] = _color(ACCENT[is_dark])
    return HPlotContainer(
        _mean_plot(points, colors),
        _distribution_plot(distribution, colors),
        bgcolor=colors["paper"],
        spacing=4,
        padding=0,
    )


def mean_lines(points: list[Point]) -> list[list[tuple[float, float]]]:
    """Give the lines of the mean: it stays until it changes, and there is none while nobody rates.

    Returns:
        for each line its corners: seconds after the last point, so 0 or less, and the mean.
    """
    lines: list[list[tuple[float, float]]] = []
    line: list[tuple[float, float]] = []
    for second, mean, count in points:
        at = float(second - points[-1][0])
        if line:
            line.append((at, line[-1][1]))
        if count:
            line.append((at, mean))
        elif line:
            lines.append(line)
            line = []
    return [*lines, line] if line else lines


def _mean_plot(points: list[Point], colors: dict[str, Color]) -> Any:
    from chaco.api import ArrayPlotData, Plot

    last = points[-1][0] if points else 0
    lines = mean_lines(points)
    data = ArrayPlotData()
    plot = Plot(data, title="Mean rating", padding=[44, 16, 34, 40])
    color = colors["accent"]
    for number, line in enumerate(lines):
        names = (f"seconds {number}", f"mean {number}")
        for name, values in zip(names, zip(*line, strict=True), strict=True):
            data.set_data(name, values)
        plot.plot(names, type="line", color=color, line_width=2)
    rated = [(float(second - last), mean) for second, mean, count in points if count]
    if 0 < len(rated) <= MOST_DOTS:
        data.set_data("seconds", [second for second, _ in rated])
        data.set_data("mean", [mean for _, mean in rated])
        dots = {"marker": "circle", "marker_size": 2.5, "outline_color": color}
        plot.plot(("seconds", "mean"), type="scatter", color=color, **dots)
    earliest = min([points[0][0] - last if points else 0, -10])
    plot.value_range.set_bounds(LEAST - 0.2, MOST + 0.2)
    plot.index_range.set_bounds(earliest - 1, 1.0)
    plot.index_axis.title = "seconds before the last change"
    return _in_colors(plot, colors)


def _distribution_plot(counts: list[int], colors: dict[str, Color]) -> Any:
    from chaco.api import ArrayPlotData, Plot

    ratings = [float(rating) for rating in range(LEAST, MOST + 1)]
    data = ArrayPlotData(rating=ratings, count=[float(count) for count in counts])
    plot = Plot(data, title="How many gave it", padding=[38, 20, 34, 40], resizable="v", width=240)
    plot.plot(
        ("rating", "count"),
        type="bar",
        bar_width=0.7,
        fill_color=colors["accent"],
        line_color=colors["accent"],
    )
    plot.index_range.set_bounds(LEAST - 0.6, MOST + 0.6)
    most = max(*counts, 3)
    plot.value_range.set_bounds(0, most * 1.15)
    if most <= FEW:  # Chaco would mark halves, too
        plot.value_axis.tick_interval = plot.y_grid.grid_interval = 1
    plot.index_axis.title = "rating"
    return _in_colors(plot, colors)


def _in_colors(plot: Any, colors: dict[str, Color]) -> Any:
    plot.bgcolor = plot.border_color = colors["paper"]
    plot.title_color = colors["ink"]
    plot.title_font = "swiss 13"
    for axis in (plot.index_axis, plot.value_axis):
        axis.trait_set(
            axis_line_color=colors["line"],
            tick_color=colors["line"],
            tick_label_color=colors["soft"],
            title_color=colors["soft"],
            tick_label_font="swiss 11",
            title_font="swiss 11",
        )
    for grid in (plot.x_grid, plot.y_grid):
        grid.line_color = colors["line"]
    return plot


def _color(value: int) -> Color:
    return ((value >> 16 & 255) / 255, (value >> 8 & 255) / 255, (value & 255) / 255, 1.0)
