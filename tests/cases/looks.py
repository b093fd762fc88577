"""How a figure looks, beside a small picture of how it looked."""

import os
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from capsim.report.figures.style import STYLE, render

BASELINES = Path(__file__).parent / "baselines"
APART = 2.5
"""Mean difference of brightness (of 255) that a figure may have from its baseline."""


def grey(figure: Figure) -> np.ndarray:
    """Brightness of a figure, in blocks of 12 pixels."""
    figure.set_dpi(60)
    canvas = FigureCanvasAgg(figure)
    with mpl.rc_context(STYLE | {"savefig.dpi": 60}):
        canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].mean(axis=2)
    high, wide = (12 * (length // 12) for length in pixels.shape)
    return pixels[:high, :wide].reshape(high // 12, 12, wide // 12, 12).mean(axis=(1, 3))


def apart(figure: Figure, name: str) -> float:
    """How far a figure is from its baseline; `CAPSIM_BASELINES=write` makes that anew."""
    now, path = grey(figure), BASELINES / f"{name}.csv"
    if os.environ.get("CAPSIM_BASELINES") == "write":
        BASELINES.mkdir(exist_ok=True)
        np.savetxt(path, np.round(now), fmt="%d", delimiter=",")
    before = np.loadtxt(path, delimiter=",")
    if now.shape != before.shape:
        return np.inf
    return float(np.abs(now - before).mean())


def reaches_edge(figure: Figure) -> bool:
    """Whether anything is drawn on the outermost pixels: what stands there is cut."""
    with Image.open(BytesIO(render(figure, "png"))) as picture:
        pixels = np.asarray(picture.convert("L"))
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return any((edge < 250).any() for edge in edges)
