/* What the files of the kernel share; see _hl7.c. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/sources/hl7_twin.py). */
#define HL7_VERSION 3

#define MAX_PARTS 32
#define MAX_REPETITIONS 1000
#define MAX_FIELDS 256
#define MAX_SEGMENTS 20000
#define MAX_WANTED 64

typedef struct {
    PyObject_HEAD
    Py_UCS4 field, component, repetition, escape, subcomponent, truncation;
    PyObject *unescape, *split, *no_segment, *stamp_type;
    Py_ssize_t n_wanted, width;
    Py_UCS4 codes[MAX_WANTED];
    PyObject *names[MAX_WANTED];
} Kernel;

/* One segment: its message's text and where each field starts. A field is cut out when it is asked for. MSH has its
 * separator as field 1. */
typedef struct {
    PyObject_VAR_HEAD
    PyObject *str;
    Py_ssize_t width;
    int is_header;
    Py_UCS4 starts[];
} Segment;

/* Text and a stretch of it. */
typedef struct {
    PyObject *str;
    int kind;
    const void *data;
    Py_ssize_t start, end;
} Span;

extern PyObject *hl7_empty;
extern PyTypeObject *hl7_segment_type;

#define CHAR(span, at) PyUnicode_READ((span).kind, (span).data, (at))

static inline int span_of(PyObject *str, Span *span)
{
    if (!PyUnicode_Check(str)) {
        PyErr_SetString(PyExc_TypeError, "a field is text");
        return -1;
    }
    span->str = str;
    span->kind = PyUnicode_KIND(str);
    span->data = PyUnicode_DATA(str);
    span->start = 0;
    span->end = PyUnicode_GET_LENGTH(str);
    return 0;
}

static inline int is_empty(PyObject *str)
{
    return PyUnicode_GET_LENGTH(str) == 0;
}

/* Where `mark` is within a span, or its end; a mark of 0 is none. */
static inline Py_ssize_t find(Span span, Py_UCS4 mark)
{
    if (!mark)
        return span.end;
    if (span.kind == PyUnicode_1BYTE_KIND) {
        if (mark > 0xff || span.start >= span.end)
            return span.end;
        const char *data = (const char *)span.data;
        const char *at = memchr(data + span.start, (int)mark, (size_t)(span.end - span.start));
        return at ? at - data : span.end;
    }
    for (Py_ssize_t at = span.start; at < span.end; at++)
        if (CHAR(span, at) == mark)
            return at;
    return span.end;
}

static inline int has(Span span, Py_UCS4 mark)
{
    return find(span, mark) < span.end;
}

static inline PyObject *substring(Span span)
{
    if (span.start >= span.end)
        return Py_NewRef(hl7_empty);
    return PyUnicode_Substring(span.str, span.start, span.end);
}

/* The stretch of a field; an empty one beyond the last. */
static inline void segment_span(Segment *self, Py_ssize_t number, Span *span)
{
    span_of(self->str, span);
    span->start = span->end = 0;
    if (number < Py_SIZE(self) - 1) {
        span->start = self->starts[number];
        span->end = (Py_ssize_t)self->starts[number + 1] - 1;
        if (number == 1 && self->is_header) {
            span->start--;
            span->end = span->start + 1;
        }
    }
}

Span hl7_repetition(const Kernel *self, Span span);
PyObject *hl7_text(const Kernel *self, Span span, Py_ssize_t subcomponent);
PyObject *hl7_component(const Kernel *self, Span span, Py_ssize_t number, Py_ssize_t subcomponent);
Py_ssize_t hl7_cut(const Kernel *self, Span span, int is_text, PyObject **found, Py_ssize_t most);
void hl7_release(PyObject **found, Py_ssize_t n);
PyObject *hl7_read(const Kernel *self, PyObject *message, PyObject *segments, PyObject *plan);
PyObject *hl7_lines(const Kernel *self, PyObject *observations, Py_ssize_t most);
PyObject *hl7_moment(const Kernel *self, Span span, PyObject *message, PyObject *row, Py_ssize_t number, int is_when);
PyObject *hl7_performed(const Kernel *self, Span span, PyObject *message, PyObject *row, Py_ssize_t number, int is_when);
PyObject *hl7_day(const Kernel *self, Span span);
int hl7_values_ready(void);
int hl7_times_ready(void);
