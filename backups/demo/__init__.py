"""A house that is made up: a believable fleet in a data folder of its own."""
