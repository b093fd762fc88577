"""What a reader gets: the answer, tables, figures."""
