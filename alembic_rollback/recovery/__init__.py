"""What a run outside a transaction has left behind, and how it goes on from there.

Such a run writes an intent before each statement and the outcome after it (`ledger`). `probes`
notes what is there before a statement, and tells afterwards from the catalog whether it was
executed. `remains` makes of that what is still to be run: the rest of the script, or what undoes
its beginning.
"""
