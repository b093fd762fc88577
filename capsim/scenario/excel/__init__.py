"""A scenario as one workbook and back: what a bureau fills in and sends on."""

__all__ = ["reader", "workbook", "writer"]
