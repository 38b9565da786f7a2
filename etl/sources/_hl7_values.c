/* Values of fields: the readers of hl7_fields.py whose types are text, codes, people and plain times. */
#include "_hl7.h"

#include <datetime.h>

PyObject *hl7_empty;
PyTypeObject *hl7_segment_type;
static PyObject *caret, *minute, *second, *s_stamps, *s_stamp, *s_zone, *s_hours, *s_sending, *s_address, *s_strip;

/* The first repetition that is not empty. */
Span hl7_repetition(const Kernel *self, Span span)
{
    if (has(span, self->repetition)) {
        while (span.start < span.end && CHAR(span, span.start) == self->repetition)
            span.start++;
        span.end = find(span, self->repetition);
    }
    return span;
}

/* Part `number` (from 1) of a span cut at `mark`; 0 if it has none. The last of the parts looked at holds the rest. */
static int part(Span *span, Py_UCS4 mark, Py_ssize_t number)
{
    if (number < 1 || number > MAX_PARTS + 1)
        return 0;
    for (Py_ssize_t n = 1; n < number; n++) {
        Py_ssize_t at = find(*span, mark);
        if (at >= span->end)
            return 0;
        span->start = at + 1;
    }
    if (number <= MAX_PARTS)
        span->end = find(*span, mark);
    return 1;
}

/* HL7 `""`: the sender deletes the value. */
static int is_deleted(Span span)
{
    return span.end - span.start == 2 && CHAR(span, span.start) == '"' && CHAR(span, span.start + 1) == '"';
}

/* Text of one sub-component of a component. */
PyObject *hl7_text(const Kernel *self, Span span, Py_ssize_t subcomponent)
{
    if (has(span, self->subcomponent)) {
        if (!part(&span, self->subcomponent, subcomponent))
            return Py_NewRef(hl7_empty);
    } else if (subcomponent > 1)
        return Py_NewRef(hl7_empty);
    if (is_deleted(span))
        return Py_NewRef(hl7_empty);
    if (has(span, self->escape)) {
        PyObject *raw = substring(span);
        if (!raw)
            return NULL;
        PyObject *read = PyObject_CallOneArg(self->unescape, raw);
        Py_DECREF(raw);
        if (!read)
            return NULL;
        PyObject *found = PyObject_CallMethodNoArgs(read, s_strip);
        Py_DECREF(read);
        return found;
    }
    while (span.start < span.end && Py_UNICODE_ISSPACE(CHAR(span, span.start)))
        span.start++;
    while (span.start < span.end && Py_UNICODE_ISSPACE(CHAR(span, span.end - 1)))
        span.end--;
    return substring(span);
}

/* Text of one component of the first repetition. */
PyObject *hl7_component(const Kernel *self, Span span, Py_ssize_t number, Py_ssize_t subcomponent)
{
    span = hl7_repetition(self, span);
    if (!part(&span, self->component, number))
        return Py_NewRef(hl7_empty);
    return hl7_text(self, span, subcomponent);
}

/* Components of the first repetition, as text or as sent; how many, or -1. */
Py_ssize_t hl7_cut(const Kernel *self, Span span, int is_text, PyObject **found, Py_ssize_t most)
{
    Py_ssize_t n = 0;
    span = hl7_repetition(self, span);
    while (n < most) {
        Span one = span;
        if (n < MAX_PARTS)
            one.end = find(span, self->component);
        found[n] = is_text ? hl7_text(self, one, 1) : substring(one);
        if (!found[n]) {
            while (n--)
                Py_DECREF(found[n]);
            return -1;
        }
        n++;
        if (one.end >= span.end)
            break;
        span.start = one.end + 1;
    }
    return n;
}

void hl7_release(PyObject **found, Py_ssize_t n)
{
    while (n--)
        Py_DECREF(found[n]);
}

/* --- values of the types that are text ------------------------------------------------------------------------- */

static int is_empty(PyObject *str)
{
    return PyUnicode_GET_LENGTH(str) == 0;
}

/* New reference to the text, or to None where it is empty. */
static PyObject *or_none(PyObject *str)
{
    return Py_NewRef(is_empty(str) ? Py_None : str);
}

/* Id, authority, name from the texts of a person's parts, or None. */
static PyObject *who(PyObject **parts, Py_ssize_t n)
{
    PyObject *name = NULL, *found = NULL;
    Py_ssize_t n_names = n < 4 ? n - 1 : 3;
    if (n_names < 1)
        name = Py_NewRef(hl7_empty);
    else {
        PyObject *list = PyTuple_New(n_names);
        if (!list)
            return NULL;
        for (Py_ssize_t i = 0; i < n_names; i++)
            PyTuple_SET_ITEM(list, i, Py_NewRef(parts[i + 1]));
        PyObject *joined = PyUnicode_Join(caret, list);
        Py_DECREF(list);
        if (!joined)
            return NULL;
        Span span;
        if (span_of(joined, &span) < 0) {
            Py_DECREF(joined);
            return NULL;
        }
        while (span.end > 0 && CHAR(span, span.end - 1) == '^')
            span.end--;
        name = substring(span);
        Py_DECREF(joined);
    }
    if (!name)
        return NULL;
    if (is_empty(parts[0]) && is_empty(name))
        found = Py_NewRef(Py_None);
    else {
        PyObject *id = or_none(parts[0]), *authority = n > 8 ? or_none(parts[8]) : Py_NewRef(Py_None);
        PyObject *called = or_none(name);
        found = PyTuple_Pack(3, id, authority, called);
        Py_DECREF(id);
        Py_DECREF(authority);
        Py_DECREF(called);
    }
    Py_DECREF(name);
    return found;
}

static PyObject *person(const Kernel *self, Span span)
{
    PyObject *parts[9];
    Py_ssize_t n = hl7_cut(self, span, 1, parts, 9);
    if (n < 0)
        return NULL;
    PyObject *found = who(parts, n);
    hl7_release(parts, n);
    return found;
}

static PyObject *performer(const Kernel *self, Span whole)
{
    Span span = hl7_repetition(self, whole), first = span;
    first.end = find(span, self->component);
    int is_split = has(first, self->subcomponent);
    if (!is_split && first.end + 1 < span.end && Py_UNICODE_ISALPHA(CHAR(span, first.end + 1)))
        return person(self, whole);
    PyObject *names[9];
    Py_ssize_t n = 0;
    while (n < 9) {
        Span one = first;
        one.end = find(first, self->subcomponent);
        names[n] = hl7_text(self, one, 1);
        if (!names[n]) {
            hl7_release(names, n);
            return NULL;
        }
        n++;
        if (one.end >= first.end)
            break;
        first.start = one.end + 1;
    }
    PyObject *found = who(names, n);
    hl7_release(names, n);
    return found;
}

static PyObject *coded(const Kernel *self, Span span, Py_ssize_t wanted)
{
    PyObject *parts[6];
    Py_ssize_t n = hl7_cut(self, span, 1, parts, 6);
    if (n < 0)
        return NULL;
    PyObject *found;
    if (is_empty(parts[0]) && (n < 2 || is_empty(parts[1])))
        found = Py_NewRef(Py_None);
    else if ((found = PyTuple_New(wanted)))
        for (Py_ssize_t i = 0; i < wanted; i++)
            PyTuple_SET_ITEM(found, i, i < n ? or_none(parts[i]) : Py_NewRef(Py_None));
    hl7_release(parts, n);
    return found;
}

/* value^authority, the authority from the given components or the sending application. Takes `value`. */
static PyObject *named(const Kernel *self, Span span, PyObject *value, PyObject *message, const int (*places)[2])
{
    PyObject *authority = Py_NewRef(hl7_empty);
    for (int i = 0; i < 2 && is_empty(authority); i++) {
        Py_DECREF(authority);
        if (!(authority = hl7_component(self, span, places[i][0], places[i][1]))) {
            Py_DECREF(value);
            return NULL;
        }
    }
    if (is_empty(authority)) {
        Py_DECREF(authority);
        if (!(authority = PyObject_GetAttr(message, s_sending))) {
            Py_DECREF(value);
            return NULL;
        }
    }
    PyObject *found = PyUnicode_FromFormat("%U^%U", value, authority);
    Py_DECREF(value);
    Py_DECREF(authority);
    return found;
}

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

static PyObject *moment(const Kernel *self, Span span, PyObject *message, PyObject *row, Py_ssize_t number, int is_when)
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

enum { OTHER, TEXT, ENTITY, EXTENDED, PERSON, PERFORMER, CODED, CODED_PAIR, INSTANT, WHEN };
static const int ENTITY_PLACES[2][2] = {{2, 1}, {3, 1}}, EXTENDED_PLACES[2][2] = {{4, 1}, {4, 2}};

/* One row of a plan: column, columns, segment, field, component, sub-component, type, reader, row. */
static PyObject *value_of(const Kernel *self, PyObject *message, Span span, PyObject *entry)
{
    PyObject *reader = PyTuple_GET_ITEM(entry, 7), *row = PyTuple_GET_ITEM(entry, 8);
    long type = PyLong_AsLong(PyTuple_GET_ITEM(entry, 6)), number = PyLong_AsLong(PyTuple_GET_ITEM(entry, 4));
    switch (type) {
    case PERSON:
        return person(self, span);
    case PERFORMER:
        return performer(self, span);
    case CODED:
        return coded(self, span, 6);
    case CODED_PAIR:
        return coded(self, span, 3);
    case INSTANT:
    case WHEN:
        return moment(self, span, message, row, number, type == WHEN);
    case TEXT:
    case ENTITY:
    case EXTENDED:
        if (!has(span, self->truncation)) {
            PyObject *value = hl7_component(self, span, number, PyLong_AsLong(PyTuple_GET_ITEM(entry, 5)));
            if (!value)
                return NULL;
            if (is_empty(value)) {
                Py_DECREF(value);
                return Py_NewRef(is_deleted(span) ? hl7_empty : Py_None);
            }
            if (type == TEXT)
                return value;
            return named(self, span, value, message, type == ENTITY ? ENTITY_PLACES : EXTENDED_PLACES);
        }
    }
    PyObject *raw = substring(span);
    PyObject *value = raw ? PyObject_CallFunctionObjArgs(reader, message, raw, row, NULL) : NULL;
    Py_XDECREF(raw);
    return value;
}

static int keep(PyObject *found, PyObject *columns, PyObject *value)
{
    Py_ssize_t n = PyTuple_GET_SIZE(columns);
    if (n == 1)
        return PyDict_SetItem(found, PyTuple_GET_ITEM(columns, 0), value);
    if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != n) {
        PyErr_SetString(PyExc_ValueError, "as many values as columns");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (PyDict_SetItem(found, PyTuple_GET_ITEM(columns, i), PyTuple_GET_ITEM(value, i)) < 0)
            return -1;
    return 0;
}

/* `segments` is a dict and `plan` a tuple. */
PyObject *hl7_read(const Kernel *self, PyObject *message, PyObject *segments, PyObject *plan)
{
    PyObject *found = PyDict_New();
    if (!found)
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan); i++) {
        PyObject *entry = PyTuple_GET_ITEM(plan, i);
        if (!PyTuple_Check(entry) || PyTuple_GET_SIZE(entry) != 9 || !PyTuple_Check(PyTuple_GET_ITEM(entry, 1))) {
            PyErr_SetString(PyExc_TypeError, "a row of a plan has nine parts");
            goto failed;
        }
        PyObject *fields = PyDict_GetItemWithError(segments, PyTuple_GET_ITEM(entry, 2));
        if (!fields) {
            if (PyErr_Occurred())
                goto failed;
            continue;
        }
        Py_ssize_t number = PyLong_AsSsize_t(PyTuple_GET_ITEM(entry, 3));
        Span span;
        if (Py_IS_TYPE(fields, hl7_segment_type) && number >= 0 && number < ((Segment *)fields)->width)
            segment_span((Segment *)fields, number, &span);
        else if (!PyList_Check(fields) || number < 0 || number >= PyList_GET_SIZE(fields)) {
            PyErr_SetString(PyExc_IndexError, "no such field");
            goto failed;
        } else if (span_of(PyList_GET_ITEM(fields, number), &span) < 0)
            goto failed;
        if (span.start >= span.end)
            continue;
        int is_known = PyDict_Contains(found, PyTuple_GET_ITEM(entry, 0));
        if (is_known < 0)
            goto failed;
        if (is_known)
            continue;
        Py_INCREF(span.str);
        PyObject *value = value_of(self, message, span, entry);
        Py_DECREF(span.str);
        if (!value)
            goto failed;
        int failed = value == Py_None ? 0 : keep(found, PyTuple_GET_ITEM(entry, 1), value);
        Py_DECREF(value);
        if (failed < 0)
            goto failed;
    }
    return found;
failed:
    Py_DECREF(found);
    return NULL;
}

/* What this file needs once; -1 with an error. */
int hl7_values_ready(void)
{
    PyDateTime_IMPORT;
    if (!PyDateTimeAPI || !(minute = PyUnicode_InternFromString("minute")) ||
        !(second = PyUnicode_InternFromString("second")) || !(s_zone = PyUnicode_InternFromString("zone")) ||
        !(s_hours = PyUnicode_InternFromString("hours")) || !(hl7_empty = PyUnicode_FromString("")) ||
        !(caret = PyUnicode_FromString("^")) || !(s_stamps = PyUnicode_InternFromString("stamps")) ||
        !(s_stamp = PyUnicode_InternFromString("stamp")) || !(s_sending = PyUnicode_InternFromString("sending")) ||
        !(s_address = PyUnicode_InternFromString("address")) || !(s_strip = PyUnicode_InternFromString("strip")))
        return -1;
    return 0;
}
