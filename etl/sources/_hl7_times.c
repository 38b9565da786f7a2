/* Times and days: the readers of hl7_fields.py for them, where they are plain. */
#include "_hl7.h"

#include <datetime.h>

static PyObject *minute, *second, *s_stamps, *s_stamp, *s_zone, *s_hours, *s_address;

static int digits(Span span, Py_ssize_t from, Py_ssize_t n)
{
    int number = 0;
    for (Py_ssize_t at = span.start + from; n > 0; n--, at++)
        number = number * 10 + (int)(CHAR(span, at) - '0');
    return number;
}

/* A time of 14 or 12 digits in an hour that the zone remembers, as `_plain` of etl/timestamps.py. New reference, or NULL
 * without an error where the message has to look. */
static PyObject *plain_time(const Kernel *self, PyObject *value, PyObject *message)
{
    Span span;
    if (span_of(value, &span) < 0 || (span.end != 14 && span.end != 12))
        return NULL;
    for (Py_ssize_t at = 0; at < span.end; at++)
        if (CHAR(span, at) < '0' || CHAR(span, at) > '9')
            return NULL;
    PyObject *zone = PyObject_GetAttr(message, s_zone), *hours = zone ? PyObject_GetAttr(zone, s_hours) : NULL;
    PyObject *hour = PyUnicode_Substring(value, 0, 10), *known = NULL, *local = NULL, *at = NULL, *made = NULL;
    if (hours && hour && PyDict_Check(hours))
        known = PyDict_GetItemWithError(hours, hour);
    if (known && PyTuple_Check(known) && PyTuple_GET_SIZE(known) == 2) {
        Py_INCREF(known);
        local = PyDateTime_FromDateAndTime(
            digits(span, 0, 4), digits(span, 4, 2), digits(span, 6, 2), digits(span, 8, 2), digits(span, 10, 2),
            span.end == 14 ? digits(span, 12, 2) : 0, 0);
        at = local ? PyNumber_Subtract(local, PyTuple_GET_ITEM(known, 0)) : NULL;
        made = at ? ((PyTypeObject *)self->stamp_type)->tp_alloc((PyTypeObject *)self->stamp_type, 4) : NULL;
        if (made) {
            PyTuple_SET_ITEM(made, 0, Py_NewRef(at));
            PyTuple_SET_ITEM(made, 1, Py_NewRef(span.end == 14 ? second : minute));
            PyTuple_SET_ITEM(made, 2, Py_NewRef(PyTuple_GET_ITEM(known, 1)));
            PyTuple_SET_ITEM(made, 3, Py_NewRef(local));
        }
        Py_DECREF(known);
    }
    Py_XDECREF(zone);
    Py_XDECREF(hours);
    Py_XDECREF(hour);
    Py_XDECREF(local);
    Py_XDECREF(at);
    PyErr_Clear(); /* second 60, or not a date: the message tells which */
    return made;
}

PyObject *hl7_moment(const Kernel *self, Span span, PyObject *message, PyObject *row, Py_ssize_t number, int is_when)
{
    PyObject *value = number > 1 ? hl7_component(self, span, number, 1) : substring(span);
    if (!value)
        return NULL;
    if (is_empty(value)) {
        Py_DECREF(value);
        Py_RETURN_NONE;
    }
    PyObject *stamps = PyObject_GetAttr(message, s_stamps), *stamp = NULL, *found = NULL;
    if (stamps && PyDict_Check(stamps)) {
        stamp = Py_XNewRef(PyDict_GetItemWithError(stamps, value));
        if (!stamp && !PyErr_Occurred() && (stamp = plain_time(self, value, message)) &&
            PyDict_SetItem(stamps, value, stamp) < 0)
            Py_CLEAR(stamp);
        if (!stamp && !PyErr_Occurred()) {
            PyObject *address = PyObject_GetAttr(row, s_address);
            if (address)
                stamp = PyObject_CallMethodObjArgs(message, s_stamp, value, address, NULL);
            Py_XDECREF(address);
        }
    }
    Py_XDECREF(stamps);
    Py_DECREF(value);
    if (!stamp)
        return NULL;
    if (stamp == Py_None)
        found = Py_NewRef(Py_None);
    else if (!PyTuple_Check(stamp) || PyTuple_GET_SIZE(stamp) < 3)
        PyErr_SetString(PyExc_TypeError, "a stamp is a tuple");
    else
        found = is_when ? PyTuple_GetSlice(stamp, 0, 3) : Py_NewRef(PyTuple_GET_ITEM(stamp, 0));
    Py_DECREF(stamp);
    return found;
}

/* The time in a component of a performer; a name there is no time. NULL without an error where the twin has to look. */
PyObject *hl7_performed(const Kernel *self, Span span, PyObject *message, PyObject *row, Py_ssize_t number, int is_when)
{
    PyObject *value = hl7_component(self, span, number, 1);
    if (!value)
        return NULL;
    Py_UCS4 first = is_empty(value) ? 0 : PyUnicode_READ_CHAR(value, 0);
    Py_DECREF(value);
    if (first >= '0' && first <= '9' && number > 1)
        return hl7_moment(self, span, message, row, number, is_when);
    return first > 127 || number < 2 ? NULL : Py_NewRef(Py_None);
}

/* The day that a field begins with. NULL without an error where the twin has to look. */
PyObject *hl7_day(const Kernel *self, Span span)
{
    PyObject *value = hl7_component(self, span, 1, 1), *made = NULL;
    Span text;
    if (!value)
        return NULL;
    int is_day = span_of(value, &text) == 0 && text.end >= 8;
    for (Py_ssize_t at = 0; is_day && at < 8; at++)
        is_day = CHAR(text, at) >= '0' && CHAR(text, at) <= '9';
    if (is_day)
        made = PyDate_FromDate(digits(text, 0, 4), digits(text, 4, 2), digits(text, 6, 2));
    Py_DECREF(value);
    if (is_day && !made)
        PyErr_Clear(); /* not a date: the twin says so */
    return made;
}

/* What this file needs once; -1 with an error. */
int hl7_times_ready(void)
{
    PyDateTime_IMPORT;
    if (!PyDateTimeAPI || !(minute = PyUnicode_InternFromString("minute")) ||
        !(second = PyUnicode_InternFromString("second")) || !(s_zone = PyUnicode_InternFromString("zone")) ||
        !(s_hours = PyUnicode_InternFromString("hours")) || !(s_stamps = PyUnicode_InternFromString("stamps")) ||
        !(s_stamp = PyUnicode_InternFromString("stamp")) || !(s_address = PyUnicode_InternFromString("address")))
        return -1;
    return 0;
}
