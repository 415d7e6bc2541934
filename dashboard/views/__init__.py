"""Pages, a module per noun."""
