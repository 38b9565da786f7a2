/* Values of fields: the readers of hl7_fields.py whose types are text, codes and people. */
#include "_hl7.h"

PyObject *hl7_empty;
PyTypeObject *hl7_segment_type;
static PyObject *caret, *s_sending, *s_strip;

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

enum {
    OTHER, TEXT, ENTITY, EXTENDED, PERSON, PERFORMER, CODED, CODED_PAIR, INSTANT, WHEN, PERFORMED, PERFORMED_WHEN, DAY
};
static const int ENTITY_PLACES[2][2] = {{2, 1}, {3, 1}}, EXTENDED_PLACES[2][2] = {{4, 1}, {4, 2}};

/* One row of a plan: column, columns, segment, field, component, sub-component, type, reader, row. */
static PyObject *value_of(const Kernel *self, PyObject *message, Span span, PyObject *entry)
{
    PyObject *reader = PyTuple_GET_ITEM(entry, 7), *row = PyTuple_GET_ITEM(entry, 8), *value = NULL;
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
        return hl7_moment(self, span, message, row, number, type == WHEN);
    case PERFORMED:
    case PERFORMED_WHEN:
        value = hl7_performed(self, span, message, row, number, type == PERFORMED_WHEN);
        break;
    case DAY:
        value = hl7_day(self, span);
        break;
    case TEXT:
    case ENTITY:
    case EXTENDED:
        if (!has(span, self->truncation)) {
            value = hl7_component(self, span, number, PyLong_AsLong(PyTuple_GET_ITEM(entry, 5)));
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
    if (value || PyErr_Occurred())
        return value;
    PyObject *raw = substring(span);
    value = raw ? PyObject_CallFunctionObjArgs(reader, message, raw, row, NULL) : NULL;
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

static int is_text_type(Span span)
{
    while (span.start < span.end && Py_UNICODE_ISSPACE(CHAR(span, span.start)))
        span.start++;
    while (span.start < span.end && Py_UNICODE_ISSPACE(CHAR(span, span.end - 1)))
        span.end--;
    if (span.end - span.start != 2)
        return 0;
    Py_UCS4 first = CHAR(span, span.start), second = CHAR(span, span.start + 1);
    return (first == 'T' && second == 'X') || (first == 'F' && second == 'T') || (first == 'S' && second == 'T');
}

/* Values (OBX-5) of the observations that are text, no longer than `most` and not deleted; None where one of them has
 * repetitions or escapes, or is no segment of the kernel's. */
PyObject *hl7_lines(const Kernel *self, PyObject *observations, Py_ssize_t most)
{
    PyObject *found = PyList_New(0);
    for (Py_ssize_t i = 0; found && i < PyList_GET_SIZE(observations); i++) {
        Segment *segment = (Segment *)PyList_GET_ITEM(observations, i);
        Span kind = {0}, value = {0};
        if (!Py_IS_TYPE(segment, hl7_segment_type)) {
            Py_SETREF(found, Py_NewRef(Py_None));
            break;
        }
        segment_span(segment, 2, &kind);
        segment_span(segment, 5, &value);
        if (value.start >= value.end || value.end - value.start > most || is_deleted(value) || !is_text_type(kind))
            continue;
        if (has(value, self->repetition) || has(value, self->escape)) {
            Py_SETREF(found, Py_NewRef(Py_None));
            break;
        }
        PyObject *line = substring(value);
        if (!line || PyList_Append(found, line) < 0)
            Py_CLEAR(found);
        Py_XDECREF(line);
    }
    return found;
}

/* What this file needs once; -1 with an error. */
int hl7_values_ready(void)
{
    if (!(hl7_empty = PyUnicode_FromString("")) || !(caret = PyUnicode_FromString("^")) ||
        !(s_sending = PyUnicode_InternFromString("sending")) || !(s_strip = PyUnicode_InternFromString("strip")))
        return -1;
    return hl7_times_ready();
}
