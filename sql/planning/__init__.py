"""What would happen if: the queues for scanners and for reading, replayed from a snapshot with one thing changed.

The only part of this room that simulates, and the only one that imports simpy.
"""
