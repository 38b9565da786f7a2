"""Spark as the second engine: the same models, run by many machines. pyspark is imported here only, and when called."""
