"""The compiled twins, built where there is a compiler; without one the Python code does the same, slower.

They are named here and not in pyproject.toml, because setuptools calls its table of extension modules experimental.
"""

from setuptools import Extension, setup

FILES = {
    "etl/_files": ("_files.c",),
    "etl/_rows": ("_columns.c", "_rows.c", "_rows.h"),
    "etl/sources/_dicom": (
        "_dicom.c",
        "_dicom_frames.c",
        "_dicom_plan.c",
        "_dicom_series.c",
        "_dicom_template.c",
        "_dicom_times.c",
        "_dicom_values.c",
        "_dicom.h",
    ),
    "etl/sources/_hl7": ("_hl7.c", "_hl7_times.c", "_hl7_values.c", "_hl7.h"),
}

setup(
    ext_modules=[
        Extension(
            name.replace("/", "."),
            [f"{name.rpartition('/')[0]}/{file}" for file in files if file.endswith(".c")],
            depends=[f"{name.rpartition('/')[0]}/{file}" for file in files if file.endswith(".h")],
            optional=True,
        )
        for name, files in FILES.items()
    ]
)
