"""A scenario as one workbook and back: what a bureau fills in and sends on."""

__all__ = ["scenario_workbook", "sheet_reader", "sheet_writer"]
