"""What a team keeps beside the numbers: notes on days, saved views and queries, who receives the digest.

Snapshots are immutable, so this has a small store of its own, in a folder of the home beside `published`. Nothing here
is a number of the department, and no number depends on it.
"""
