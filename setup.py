"""The compiled twins, built where there is a compiler; without one the Python code does the same, slower.

They are named here and not in pyproject.toml, because setuptools calls its table of extension modules experimental.
"""

from setuptools import Extension, setup

SOURCES = "etl/sources"
setup(
    ext_modules=[
        Extension(
            "etl.sources._dicom",
            [f"{SOURCES}/_dicom.c", f"{SOURCES}/_dicom_values.c"],
            depends=[f"{SOURCES}/_dicom.h"],
            optional=True,
        ),
    ]
)
