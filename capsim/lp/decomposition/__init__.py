"""Programs that fall apart into blocks once a few coupling rows are priced or shared out."""

__all__ = ["block_search", "blocks", "dantzig_wolfe", "fixing"]
