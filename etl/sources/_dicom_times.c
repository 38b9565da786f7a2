/* Times: a date with a time of day, as `parse_da_tm` of etl/timestamps.py reads it where it is plain; and the starts of
 * frames, the compiled twin of `_outer` in etl/sources/dicom_image.py. */
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

typedef struct {
    const char *text;
    Py_ssize_t n;
} Span;

/* Octets without outer blanks and padding. */
static Span span_of(PyObject *raw)
{
    Span span = {PyBytes_AS_STRING(raw), PyBytes_GET_SIZE(raw)};
    while (span.n && (span.text[span.n - 1] == ' ' || !span.text[span.n - 1]))
        span.n--;
    while (span.n && (*span.text == ' ' || !*span.text))
        span.text++, span.n--;
    return span;
}

/* The number in `n` digits from `at` on; -1 if they are not all digits. */
static int number_at(Span span, Py_ssize_t at, Py_ssize_t n)
{
    int number = 0;
    for (Py_ssize_t i = at; i < at + n; i++) {
        if (span.text[i] < '0' || span.text[i] > '9')
            return -1;
        number = number * 10 + (span.text[i] - '0');
    }
    return number;
}

/* Microseconds of `.F` with one to six digits, 0 where nothing is left of the time; -1 if it is neither. */
static int microseconds_of(Span clock)
{
    if (clock.n == 6)
        return 0;
    Py_ssize_t n = clock.n - 7;
    if (n < 1 || n > 6 || clock.text[6] != '.')
        return -1;
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

/* moment(day, clock, hours, stamp_type) -> stamp, or None where the twin has to look. */
PyObject *dicom_moment(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 4 || !PyDict_Check(args[2]) || !PyType_Check(args[3]) ||
        !PyType_IsSubtype((PyTypeObject *)args[3], &PyTuple_Type))
        return PyErr_Format(PyExc_TypeError, "moment(day, clock, hours, stamp_type)");
    if (!PyBytes_Check(args[0]) || !PyBytes_Check(args[1]))
        Py_RETURN_NONE;
    Span day = span_of(args[0]), clock = span_of(args[1]);
    if (day.n != 8 || clock.n < 6)
        Py_RETURN_NONE;
    int date = number_at(day, 0, 8), time = number_at(clock, 0, 6), us = microseconds_of(clock);
    if (date < 0 || time < 0 || us < 0 || time % 100 > 59)
        Py_RETURN_NONE;
    char text[10];
    memcpy(text, day.text, 8);
    memcpy(text + 8, clock.text, 2);
    PyObject *hour = PyUnicode_DecodeASCII(text, sizeof text, NULL), *local = NULL, *made = NULL;
    PyObject *known = hour ? Py_XNewRef(PyDict_GetItemWithError(args[2], hour)) : NULL;
    if (known && PyTuple_Check(known) && PyTuple_GET_SIZE(known) == 2)
        local = PyDateTime_FromDateAndTime(date / 10000, date / 100 % 100, date % 100, time / 10000, time / 100 % 100,
                                           time % 100, us);
    if (local)
        made = stamp_of(args[3], known, clock.n == 6 ? second : fraction, local);
    Py_XDECREF(hour);
    Py_XDECREF(known);
    Py_XDECREF(local);
    PyErr_Clear(); /* not a date: the twin says so */
    return made ? made : Py_NewRef(Py_None);
}

/* Octets of `raw` without its padding, if all of them are digits and points; else 0. */
static Py_ssize_t plain_length(PyObject *raw, int *has_digit)
{
    const char *text = PyBytes_AS_STRING(raw);
    Py_ssize_t n = PyBytes_GET_SIZE(raw);
    while (n && (text[n - 1] == ' ' || !text[n - 1]))
        n--;
    for (Py_ssize_t i = 0; i < n; i++) {
        if ((text[i] < '0' || text[i] > '9') && text[i] != '.')
            return 0;
        *has_digit |= text[i] != '.';
    }
    return n;
}

static int is_less(PyObject *one, PyObject *other, Py_ssize_t n)
{
    return memcmp(PyBytes_AS_STRING(one), PyBytes_AS_STRING(other), (size_t)n) < 0;
}

static PyObject *trimmed(PyObject *raw, Py_ssize_t n)
{
    return n == PyBytes_GET_SIZE(raw) ? Py_NewRef(raw) : PyBytes_FromStringAndSize(PyBytes_AS_STRING(raw), n);
}

/* Keep `raw` as the last start of its duration if it is. */
static int keep_last(PyObject *last, PyObject *lasting, PyObject *raw, Py_ssize_t n)
{
    PyObject *before = PyDict_GetItemWithError(last, lasting);
    if (before && !is_less(before, raw, n))
        return 0;
    PyObject *kept = PyErr_Occurred() ? NULL : trimmed(raw, n);
    int done = kept ? PyDict_SetItem(last, lasting, kept) : -1;
    Py_XDECREF(kept);
    return done;
}

/* The first item of a frame's content, borrowed: NULL where it has none, or with `*is_odd` where it is no sequence. */
static PyObject *content_of(PyObject *frame, PyObject *tag, int *is_odd)
{
    PyObject *content = PyDict_Check(frame) ? PyDict_GetItemWithError(frame, tag) : NULL;
    if (content && PyBytes_Check(content) && !PyBytes_GET_SIZE(content))
        return NULL;
    *is_odd |= content && !PyList_Check(content);
    PyObject *item = content && PyList_Check(content) && PyList_GET_SIZE(content) ? PyList_GET_ITEM(content, 0) : NULL;
    return item && PyDict_Check(item) ? item : NULL;
}

/* outer(frames, content, started, duration) -> (first start, last start by duration), or None where they are odd. */
PyObject *dicom_outer(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 4 || !PyList_Check(args[0]))
        return PyErr_Format(PyExc_TypeError, "outer(frames, content, started, duration)");
    PyObject *last = PyDict_New(), *first = NULL, *made = NULL;
    Py_ssize_t length = 0;
    int is_odd = 0, has_digit = 0, failed = !last;
    for (Py_ssize_t i = 0; !is_odd && !failed && i < PyList_GET_SIZE(args[0]); i++) {
        PyObject *item = content_of(PyList_GET_ITEM(args[0], i), args[1], &is_odd);
        PyObject *raw = item ? PyDict_GetItemWithError(item, args[2]) : NULL;
        if (!raw || (PyBytes_Check(raw) && !PyBytes_GET_SIZE(raw)))
            continue;
        PyObject *lasting = PyDict_GetItemWithError(item, args[3]);
        lasting = lasting ? lasting : Py_None;
        Py_ssize_t n = PyBytes_Check(raw) ? plain_length(raw, &has_digit) : 0;
        is_odd = !n || (first && n != length) || (!PyBytes_Check(lasting) && lasting != Py_None);
        if (is_odd)
            break;
        if (!first || is_less(raw, first, n))
            first = raw;
        length = n;
        failed = keep_last(last, lasting, raw, n) < 0;
    }
    if (!failed && (is_odd || !has_digit))
        made = Py_NewRef(Py_None);
    else if (!failed) {
        PyObject *start = trimmed(first, length);
        made = start ? PyTuple_Pack(2, start, last) : NULL;
        Py_XDECREF(start);
    }
    Py_XDECREF(last);
    return made;
}
