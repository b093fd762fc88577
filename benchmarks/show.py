"""What was measured as a table for the terminal, and as a figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import PHASES

HEAD = ("route", *PHASES, "peak MB", "build/solve", "whole")


def table(result: Mapping[str, Any]) -> str:
    """Lay out one model at one size: CPU seconds by phase and ratios to the limit."""
    if "failed" in result:
        return f"{result['model']} {result['size']}: {result['failed']}"
    made = result["prepare"]["cpu_s"]
    lines = [
        f"{result['model']}, {result['size']}: {result['columns']:,} columns, "
        f"{result['rows']:,} rows, {result['nonzeros']:,} nonzeros, {result['integers']:,} "
        f"integers; generated in {made['generate']:.1f} s, projected in {made['project']:.2f} s",
        f"{HEAD[0]:<20}" + "".join(f"{word:>12}" for word in HEAD[1:]),
    ]
    for name, route in result["routes"].items():
        if "skipped" in route:
            lines.append(f"{name:<20}  skipped: {route['skipped']}")
            continue
        cells = [f"{route['cpu_s'][phase]:.4f}" for phase in PHASES]
        cells.append(f"{route['peak_mb']['end']:.0f}")
        cells += [f"{route['build_over_solve']:.3f}", f"{route['whole']:.3f}"]
        lines.append(f"{name:<20}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def verdicts(checks: Iterable[Mapping[str, Any]]) -> str:
    """Lay out checks with pass or miss beside each."""
    lines = []
    for found in checks:
        word = "pass" if found["holds"] else "MISS"
        side = "most" if found["holds"] == (found["measured"] <= found["goal"]) else "least"
        measured = f"{found['measured']:.4g} (goal: at {side} {found['goal']:g})"
        lines.append(f"{word}  {found['name']}: {measured}")
    return "\n".join(lines)


def figure(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw every route's phases as multiples of the limit's whole time, a panel a size."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    shown = [r for r in results if "failed" not in r and "cpu_s" in r["routes"].get("raw", {})]
    if not shown:
        return
    across = min(3, len(shown))
    down = -(-len(shown) // across)
    sheet, axes = plt.subplots(
        down, across, figsize=(4.6 * across, 3.1 * down), squeeze=False, layout="constrained"
    )
    colors = dict(zip(PHASES, ("#3b6ea5", "#e08a2e", "#b8bec6", "#5a9e6f"), strict=True))
    for ax in axes.flat[len(shown) :]:
        ax.set_visible(False)
    for ax, result in zip(axes.flat, shown, strict=False):
        routes = {k: v for k, v in result["routes"].items() if "cpu_s" in v}
        base = sum(routes["raw"]["cpu_s"].values())
        names = list(routes)[::-1]
        left = [0.0] * len(names)
        for phase in PHASES:
            part = [routes[name]["cpu_s"][phase] / base for name in names]
            ax.barh(names, part, left=left, color=colors[phase], label=phase.replace("_", "-"))
            left = [a + b for a, b in zip(left, part, strict=True)]
        for y, total in enumerate(left):
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            ax.text(total, y, f" {total:.2f}", va="center", fontsize=8, bbox=box)
        ax.set_xlim(0, max(left) * 1.18)
        ax.axvline(1.0, color="black", linewidth=0.8, linestyle=":")
        ax.set_title(f"{result['model']}, {result['size']}: {result['columns']:,} columns", size=10)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    sheet.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=9, frameon=False)
    sheet.supxlabel("CPU time, raw HiGHS on the same arrays = 1", size=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path, dpi=110, metadata={"Software": ""})
    plt.close(sheet)
