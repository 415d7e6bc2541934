"""What a hostile reader of this house would try."""
