"""What pages read, and the words for it."""
