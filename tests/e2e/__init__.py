"""The house in a browser, end to end."""
