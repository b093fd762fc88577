"""Pages of a report: self-contained HTML files that need no network and no folder beside them."""

from capsim.report.page.plan import html_page
from capsim.report.page.tables import Advice, milestones

__all__ = ["Advice", "html_page", "milestones"]
