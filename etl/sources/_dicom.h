/* What the files of etl.sources._dicom share. */
#ifndef RADOPS_DICOM_H
#define RADOPS_DICOM_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/sources/dicom_kernel.py). */
#define DICOM_VERSION 1

int dicom_values_start(void);
PyObject *dicom_table(PyObject *self, PyObject *rows);
PyObject *dicom_fields(PyObject *self, PyObject *const *args, Py_ssize_t n);
#endif
