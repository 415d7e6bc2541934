"""Engines, on recorded output and on the real thing."""
