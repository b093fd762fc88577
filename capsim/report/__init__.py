"""Reports of a run: the answer on one screen, tables, figures, a page, a summary."""

from capsim.report import figures
from capsim.report.files import comparison_files, csv, files
from capsim.report.page.plan import html_page
from capsim.report.page.tables import Advice, milestones
from capsim.report.screen import answer, comparison_text
from capsim.report.summary import holds, summarize, to_json
from capsim.report.workbook import plan_workbook

__all__ = [
    "Advice",
    "answer",
    "comparison_files",
    "comparison_text",
    "csv",
    "figures",
    "files",
    "holds",
    "html_page",
    "milestones",
    "plan_workbook",
    "summarize",
    "to_json",
]
