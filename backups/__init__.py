"""The domain: what would still make sense in a terminal."""
