"""Do the tests find mistakes? Planted ones, each one line of SQL, Python or a mapping table, and what turned red."""
