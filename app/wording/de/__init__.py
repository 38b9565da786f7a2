"""The same texts in German, a module beside each English one; a key that is missing here fails a test."""
