"""Every input of a person, validated here, by noun."""
