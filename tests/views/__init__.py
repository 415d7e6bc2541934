"""Pages, as a person meets them."""
