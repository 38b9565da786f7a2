/* What the files of etl._rows share. */
#ifndef RADOPS_ROWS_H
#define RADOPS_ROWS_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/rows_twin.py). */
#define ROWS_VERSION 3

int rows_columns_start(void);
PyObject *rows_columns(PyObject *self, PyObject *const *args, Py_ssize_t n);
#endif
