"""Over all ideas of a project, or of several: what moved and what waits, what is worth doing next, how well it all went.

Everything is read from records and logs; no project's code is imported, so that a server may ask. What needs that code, the
ledger's figures, is handed in.
"""
