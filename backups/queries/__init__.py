"""What pages and commands read: rows taken together, nothing written."""
