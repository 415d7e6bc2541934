"""All that anyone can do here: one function per verb, a module per noun.

Pages, the API, the terminal and Django admin call these and nothing below them.
"""
