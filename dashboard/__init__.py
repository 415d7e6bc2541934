"""The web: HTTP, HTML, and the person at the screen."""
