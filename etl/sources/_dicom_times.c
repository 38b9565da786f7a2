/* Times: a date with a time of day, as `parse_da_tm` of etl/timestamps.py reads it where it is plain. */
#include "_dicom.h"

#include <datetime.h>
#include <string.h>

static PyObject *second, *fraction;

int dicom_times_start(void)
{
    PyDateTime_IMPORT;
    if (!second)
        second = PyUnicode_InternFromString("second");
    if (!fraction)
        fraction = PyUnicode_InternFromString("fraction");
    return PyDateTimeAPI && second && fraction ? 0 : -1;
}

/* The number in `n` digits from `at` on; -1 if they are not all digits. */
static int number_at(Octets digits, uint32_t at, uint32_t n)
{
    int number = 0;
    for (uint32_t i = at; i < at + n; i++) {
        if (digits.text[i] < '0' || digits.text[i] > '9')
            return -1;
        number = number * 10 + (digits.text[i] - '0');
    }
    return number;
}

/* Microseconds of `.F` with one to six digits, 0 where nothing is left of the time; -1 if it is neither. */
static int microseconds_of(Octets clock)
{
    if (clock.n == 6)
        return 0;
    if (clock.n < 8 || clock.n > 13 || clock.text[6] != '.')
        return -1;
    uint32_t n = clock.n - 7;
    int number = number_at(clock, 7, n);
    for (; number > 0 && n < 6; n++)
        number *= 10;
    return number;
}

/* (at, precision, zone_source, local) of a local time whose zone remembers its hour: (how far it is ahead, why). */
static PyObject *stamp_of(PyObject *type, PyObject *known, PyObject *precision, PyObject *local)
{
    PyObject *at = PyNumber_Subtract(local, PyTuple_GET_ITEM(known, 0));
    PyObject *made = at ? ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 4) : NULL;
    if (made) {
        PyTuple_SET_ITEM(made, 0, Py_NewRef(at));
        PyTuple_SET_ITEM(made, 1, Py_NewRef(precision));
        PyTuple_SET_ITEM(made, 2, Py_NewRef(PyTuple_GET_ITEM(known, 1)));
        PyTuple_SET_ITEM(made, 3, Py_NewRef(local));
    }
    Py_XDECREF(at);
    return made;
}

int dicom_local(Octets day, Octets clock, PyObject *hours, PyObject **known, PyObject **local, PyObject **precision)
{
    day = dicom_stripped(day), clock = dicom_stripped(clock);
    if (day.n != 8 || clock.n < 6)
        return 0;
    int date = number_at(day, 0, 8), time = number_at(clock, 0, 6), us = microseconds_of(clock);
    if (date < 0 || time < 0 || us < 0 || time % 100 > 59)
        return 0;
    char text[10];
    memcpy(text, day.text, 8);
    memcpy(text + 8, clock.text, 2);
    PyObject *hour = PyUnicode_DecodeASCII(text, sizeof text, NULL);
    *precision = clock.n == 6 ? second : fraction;
    *local = NULL;
    *known = hour ? Py_XNewRef(PyDict_GetItemWithError(hours, hour)) : NULL;
    if (*known && PyTuple_Check(*known) && PyTuple_GET_SIZE(*known) == 2)
        *local = PyDateTime_FromDateAndTime(date / 10000, date / 100 % 100, date % 100, time / 10000,
                                            time / 100 % 100, time % 100, us);
    Py_XDECREF(hour);
    if (!*local)
        Py_CLEAR(*known);
    PyErr_Clear(); /* not a date: the twin says so */
    return *local != NULL;
}

/* moment(day, clock, hours, stamp_type) -> stamp, or None where the twin has to look. */
PyObject *dicom_moment(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    PyObject *known, *local, *precision, *made;
    if (n != 4 || !PyDict_Check(args[2]) || !PyType_Check(args[3]) ||
        !PyType_IsSubtype((PyTypeObject *)args[3], &PyTuple_Type))
        return PyErr_Format(PyExc_TypeError, "moment(day, clock, hours, stamp_type)");
    if (!dicom_local(dicom_octets(args[0]), dicom_octets(args[1]), args[2], &known, &local, &precision))
        Py_RETURN_NONE;
    made = stamp_of(args[3], known, precision, local);
    Py_DECREF(known);
    Py_DECREF(local);
    PyErr_Clear(); /* beyond the calendar: the twin says so */
    return made ? made : Py_NewRef(Py_None);
}

PyObject *dicom_instant(Octets day, Octets clock, PyObject *hours)
{
    PyObject *known, *local, *precision;
    if (!dicom_local(day, clock, hours, &known, &local, &precision))
        return Py_NewRef(Py_Ellipsis);
    PyObject *made = PyNumber_Subtract(local, PyTuple_GET_ITEM(known, 0));
    Py_DECREF(known);
    Py_DECREF(local);
    PyErr_Clear();
    return made ? made : Py_NewRef(Py_Ellipsis);
}

/* The instant of a pair of tags; None without a date. */
static PyObject *instant_in(PyObject *dataset, PyObject *pair, PyObject *hours)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
        return PyErr_Format(PyExc_TypeError, "a pair of tags");
    PyObject *day = PyDict_GetItemWithError(dataset, PyTuple_GET_ITEM(pair, 0));
    if (!day || (PyBytes_Check(day) && !PyBytes_GET_SIZE(day)))
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    PyObject *clock = PyDict_GetItemWithError(dataset, PyTuple_GET_ITEM(pair, 1));
    if (!clock && PyErr_Occurred())
        return NULL;
    return dicom_instant(dicom_octets(day), dicom_octets(clock), hours);
}

/* instants(dataset, pairs, hours) -> the instant of each pair of tags of a date and a time; None where the twin has to
 * look. */
PyObject *dicom_instants(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 3 || !PyDict_Check(args[0]) || !PyTuple_Check(args[1]) || !PyDict_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "instants(dataset, pairs, hours)");
    PyObject *found = PyList_New(PyTuple_GET_SIZE(args[1]));
    for (Py_ssize_t i = 0; found && i < PyTuple_GET_SIZE(args[1]); i++) {
        PyObject *at = instant_in(args[0], PyTuple_GET_ITEM(args[1], i), args[2]);
        if (at && at != Py_Ellipsis)
            PyList_SET_ITEM(found, i, at);
        else {
            Py_SETREF(found, at ? Py_NewRef(Py_None) : NULL);
            Py_XDECREF(at);
            break;
        }
    }
    return found;
}
