/* The row of an image like one before: the compiled twin of `_told` in etl/sources/dicom_series.py, where all that is read
 * again is plain. */
#include "_dicom.h"

/* Where in a row stand what `slice` fills. */
typedef struct {
    long at, clock, precision, zone, message_id, sop_hash, message_at;
} Places;

/* A copy of the list `values` with two more places, which hold 0: position and row number. */
static PyObject *row_of(PyObject *values)
{
    Py_ssize_t n = PyList_GET_SIZE(values);
    PyObject *row = PyTuple_New(n + 2), *zero = row ? PyLong_FromLong(0) : NULL;
    if (!zero) {
        Py_XDECREF(row);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(row, i, Py_NewRef(PyList_GET_ITEM(values, i)));
    PyTuple_SET_ITEM(row, n, Py_NewRef(zero));
    PyTuple_SET_ITEM(row, n + 1, zero);
    return row;
}

/* Put `value`, a new reference or NULL, at `place` of a row that nobody else has; -1 with a Python error. */
static int fill(PyObject *row, long place, PyObject *value)
{
    if (!value)
        return -1;
    if (place < 0 || place >= PyTuple_GET_SIZE(row) - 2) {
        Py_DECREF(value);
        PyErr_SetString(PyExc_IndexError, "no such place of a row");
        return -1;
    }
    PyObject *before = PyTuple_GET_ITEM(row, place);
    PyTuple_SET_ITEM(row, place, value);
    Py_DECREF(before);
    return 0;
}

/* The columns of `table` at their places: 1, 0 where the twin has to look, -1 with a Python error. */
static int fill_fields(PyObject *row, PyObject *table, PyObject *places, PyObject *dataset, int codec, int is_big)
{
    PyObject *column, *place, *found = dicom_plain_fields(table, dataset, codec, is_big);
    Py_ssize_t at = 0;
    if (!found)
        return PyErr_Occurred() ? -1 : 0;
    while (!PyErr_Occurred() && PyDict_Next(places, &at, &column, &place)) {
        PyObject *value = PyDict_GetItemWithError(found, column);
        fill(row, PyLong_AsLong(place), Py_NewRef(value ? value : Py_None));
    }
    Py_DECREF(found);
    return PyErr_Occurred() ? -1 : 1;
}

/* The clock, or instants of the day of an image: as `fill_fields`. */
static int fill_times(PyObject *row, PyObject *told, PyObject *dataset, PyObject *pairs, PyObject *hours, PyObject *rung,
                      const Places *places, long told_at)
{
    PyObject *known, *local, *precision;
    PyObject *created = dicom_instant(dataset, PyTuple_GET_ITEM(pairs, 0), hours);
    if (!created || created == Py_Ellipsis) {
        Py_XDECREF(created);
        return created ? 0 : -1;
    }
    fill(row, places->message_at, Py_NewRef(created));
    fill(told, told_at, created);
    if (PyErr_Occurred())
        return -1;
    int is_plain = dicom_clock(dataset, PyTuple_GET_ITEM(pairs, 1), hours, &known, &local, &precision);
    if (is_plain <= 0)
        return is_plain;
    PyObject *at = PyNumber_Subtract(local, PyTuple_GET_ITEM(known, 0));
    if (at) {
        fill(row, places->at, at);
        fill(row, places->clock, Py_NewRef(rung));
        fill(row, places->precision, Py_NewRef(precision));
        fill(row, places->zone, Py_NewRef(PyTuple_GET_ITEM(known, 1)));
    } else
        PyErr_Clear(); /* beyond the calendar: the twin says so */
    Py_DECREF(known);
    Py_DECREF(local);
    return PyErr_Occurred() ? -1 : at != NULL;
}

/* slice(values, envelope, dataset, sop_hash, hours, codec, is_big, exposure, plan) -> (row, envelope), or None.
 *
 * `values` and `envelope` are those of the image before, `exposure` is a table or None, and `plan` is (pairs of tags of
 * creation and acquisition, name of the rung, places of the columns of `exposure`, places of `Places`, place of the
 * envelope's time). None where the twin has to look. */
PyObject *dicom_slice(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    PyObject *pairs, *rung, *exposed;
    Places at;
    long told_at;
    if (n != 9 || !PyList_Check(args[0]) || !PyList_Check(args[1]) || !PyDict_Check(args[2]) || !PyDict_Check(args[4]))
        return PyErr_Format(PyExc_TypeError, "slice(values, envelope, dataset, sop_hash, hours, codec, is_big, ...)");
    if (!PyArg_ParseTuple(args[8], "O!OO!(lllllll)l", &PyTuple_Type, &pairs, &rung, &PyDict_Type, &exposed, &at.at,
                          &at.clock, &at.precision, &at.zone, &at.message_id, &at.sop_hash, &at.message_at, &told_at))
        return NULL;
    int codec = (int)PyLong_AsLong(args[5]), is_big = args[6] == Py_True;
    if (PyTuple_GET_SIZE(pairs) != 2 && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "two pairs of tags");
    PyObject *row = PyErr_Occurred() ? NULL : row_of(args[0]), *told = row ? row_of(args[1]) : NULL, *made = NULL;
    int is_plain = told ? fill_times(row, told, args[2], pairs, args[4], rung, &at, told_at) : -1;
    if (is_plain > 0 && args[7] != Py_None)
        is_plain = fill_fields(row, args[7], exposed, args[2], codec, is_big);
    if (is_plain > 0) {
        fill(row, at.message_id, Py_NewRef(args[3]));
        fill(row, at.sop_hash, Py_NewRef(args[3]));
        made = PyErr_Occurred() ? NULL : PyTuple_Pack(2, row, told);
    } else if (is_plain == 0)
        made = Py_NewRef(Py_None);
    Py_XDECREF(row);
    Py_XDECREF(told);
    return made;
}
