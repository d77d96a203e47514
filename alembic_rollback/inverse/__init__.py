"""The down script of an up script, read from its syntax trees: one rule per parse node.

Whatever has no rule, and whatever the text does not tell, is refused by name, with the missing
fact. See `generate.invert`.
"""
