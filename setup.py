"""The compiled twins, built where there is a compiler; without one the Python code does the same, slower.

They are named here and not in pyproject.toml, because setuptools calls its table of extension modules experimental.
"""

from setuptools import Extension, setup

SOURCES = "etl/sources"
FILES = {
    "_dicom": ("_dicom.c", "_dicom_template.c", "_dicom_times.c", "_dicom_values.c", "_dicom.h"),
    "_hl7": ("_hl7.c", "_hl7_values.c", "_hl7.h"),
}

setup(
    ext_modules=[
        Extension(
            f"etl.sources.{name}",
            [f"{SOURCES}/{file}" for file in files if file.endswith(".c")],
            depends=[f"{SOURCES}/{file}" for file in files if file.endswith(".h")],
            optional=True,
        )
        for name, files in FILES.items()
    ]
)
