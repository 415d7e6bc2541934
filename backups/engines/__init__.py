"""The outside world: each engine knows one thing well and nothing of Django."""
