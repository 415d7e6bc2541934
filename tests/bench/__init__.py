"""How fast and how heavy the house is: `make bench`. Nothing here is asserted by a test."""
