/* What the files of etl.sources._dicom share. */
#ifndef RADOPS_DICOM_H
#define RADOPS_DICOM_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/sources/dicom_kernel.py). */
#define DICOM_VERSION 3

/* An element: where it begins, where its value begins (again its begin, if its length is undefined), where it ends. */
typedef struct {
    uint32_t tag;
    uint64_t at, value, after;
} Place;

/* Find the element that begins at `place->at`, of octets that were walked before: 0, 1 where its tag is `stop` or later,
 * -1 where there is none. */
int dicom_place(const Py_buffer *data, int is_explicit, int is_big, uint32_t stop, Place *place);

int dicom_values_start(void);
int dicom_times_start(void);
PyObject *dicom_table(PyObject *self, PyObject *rows);
PyObject *dicom_fields(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_differing(PyObject *self, PyObject *args);
PyObject *dicom_follow(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_moment(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_instants(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_outer(PyObject *self, PyObject *const *args, Py_ssize_t n);
#endif
