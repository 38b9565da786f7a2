/* Rows as columns in Arrow's layout, handed over by its C data interface (arrow.apache.org/docs/format): the compiled twin
 * of `_frame` in etl/parsing.py. A value that is not plainly of its column's kind is an error: the twin says what it is. */
#include "_rows.h"

#include <datetime.h>
#include <stdint.h>
#include <string.h>

typedef struct Schema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct Schema **children, *dictionary;
    void (*release)(struct Schema *);
    void *private_data;
} Schema;

typedef struct Array {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct Array **children, *dictionary;
    void (*release)(struct Array *);
    void *private_data;
} Array;

/* A text of a column: 12 octets or less within, else the first four and where all of them are (Arrow's view layout). */
typedef struct {
    int32_t length;
    union {
        char within[12];
        struct {
            char first[4];
            int32_t buffer, offset;
        } apart;
    };
} View;

/* Text that is longer than a view holds. */
typedef struct {
    char *data;
    size_t n, most;
} Texts;

enum { VALIDITY, VALUES, TEXTS, SIZES, N_BUFFERS };
enum { NULLABLE = 2 };

static void *zeroed(size_t n, size_t size)
{
    void *made = PyMem_RawCalloc(n ? n : 1, size);
    if (!made)
        PyErr_NoMemory();
    return made;
}

/* ---- what is handed over; whoever takes it calls `release`, with the interpreter's lock or without ---- */

static void schema_release(Schema *self)
{
    for (int64_t i = 0; self->children && i < self->n_children; i++) {
        if (self->children[i] && self->children[i]->release)
            self->children[i]->release(self->children[i]);
        PyMem_RawFree(self->children[i]);
    }
    PyMem_RawFree(self->children);
    PyMem_RawFree(self->private_data);
    self->release = NULL;
}

static void array_release(Array *self)
{
    for (int64_t i = 0; self->children && i < self->n_children; i++) {
        if (self->children[i] && self->children[i]->release)
            self->children[i]->release(self->children[i]);
        PyMem_RawFree(self->children[i]);
    }
    for (int64_t i = 0; self->buffers && i < N_BUFFERS; i++)
        PyMem_RawFree((void *)self->buffers[i]);
    PyMem_RawFree(self->children);
    PyMem_RawFree(self->buffers);
    self->release = NULL;
}

static void schema_destroy(PyObject *capsule)
{
    Schema *self = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (self->release)
        self->release(self);
    PyMem_RawFree(self);
}

static void array_destroy(PyObject *capsule)
{
    Array *self = PyCapsule_GetPointer(capsule, "arrow_array");
    if (self->release)
        self->release(self);
    PyMem_RawFree(self);
}

/* ---- values; each sets one place of a column, -1 with a Python error ---- */

static int wrong(void)
{
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a value of another kind than its column");
    return -1;
}

static int text_put(Texts *texts, View *view, PyObject *value)
{
    Py_ssize_t n;
    const char *data = PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &n) : NULL;
    if (!data)
        return wrong();
    if (n <= (Py_ssize_t)sizeof view->within) {
        memcpy(view->within, data, (size_t)n);
        view->length = (int32_t)n;
        return 0;
    }
    if (texts->n + (size_t)n > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "more text than a column takes");
        return -1;
    }
    if (texts->n + (size_t)n > texts->most) {
        size_t most = 2 * texts->most + (size_t)n + 1024;
        char *grown = PyMem_RawRealloc(texts->data, most);
        if (!grown) {
            PyErr_NoMemory();
            return -1;
        }
        texts->data = grown;
        texts->most = most;
    }
    memcpy(texts->data + texts->n, data, (size_t)n);
    memcpy(view->apart.first, data, sizeof view->apart.first);
    view->length = (int32_t)n;
    view->apart.offset = (int32_t)texts->n;
    texts->n += (size_t)n;
    return 0;
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int date_put(int32_t *at, PyObject *value)
{
    if (!PyDate_Check(value) || PyDateTime_Check(value))
        return wrong();
    *at = (int32_t)days_of(PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value));
    return 0;
}

static int time_put(int64_t *at, PyObject *value)
{
    if (!PyDateTime_Check(value) || PyDateTime_DATE_GET_TZINFO(value) != Py_None)
        return wrong();
    int64_t day = days_of(PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value));
    int64_t second = (day * 24 + PyDateTime_DATE_GET_HOUR(value)) * 3600 + PyDateTime_DATE_GET_MINUTE(value) * 60 +
                     PyDateTime_DATE_GET_SECOND(value);
    *at = second * 1000000 + PyDateTime_DATE_GET_MICROSECOND(value);
    return 0;
}

static int integer_put(int64_t *at, PyObject *value)
{
    if (!PyLong_Check(value) || PyBool_Check(value))
        return wrong();
    *at = PyLong_AsLongLong(value);
    return *at == -1 && PyErr_Occurred() ? -1 : 0;
}

static int real_put(double *at, PyObject *value)
{
    if (!PyFloat_Check(value))
        return wrong();
    *at = PyFloat_AS_DOUBLE(value);
    return 0;
}

static int bit_put(uint8_t *bits, Py_ssize_t n, PyObject *value)
{
    if (!PyBool_Check(value))
        return wrong();
    bits[n / 8] |= (uint8_t)((value == Py_True) << n % 8);
    return 0;
}

static int put(char kind, void *values, Texts *texts, Py_ssize_t n, PyObject *value)
{
    switch (kind) {
    case 's':
        return text_put(texts, (View *)values + n, value);
    case 't':
        return time_put((int64_t *)values + n, value);
    case 'i':
        return integer_put((int64_t *)values + n, value);
    case 'r':
        return real_put((double *)values + n, value);
    case 'b':
        return bit_put(values, n, value);
    default:
        return date_put((int32_t *)values + n, value);
    }
}

/* ---- columns ---- */

/* Kind, format of the interface, octets of a value (0: a bit). */
static const struct {
    char kind;
    const char *format;
    size_t size;
} KINDS[] = {{'s', "vu", sizeof(View)}, {'t', "tsu:", 8}, {'i', "l", 8}, {'r', "g", 8}, {'b', "b", 0}, {'d', "tdD", 4}};
enum { N_KINDS = sizeof KINDS / sizeof *KINDS };

/* Fill a column from part `place` of each row, or from the name of each chunk where `place` is -1. */
static int column_fill(Array *self, char kind, size_t size, PyObject *chunks, Py_ssize_t place)
{
    Py_ssize_t n = (Py_ssize_t)self->length, at = 0, last = 0;
    PyObject *before = NULL;
    Texts texts = {0};
    uint8_t *valid = zeroed((size_t)n / 8 + 1, 1);
    void *values = zeroed(size ? (size_t)n : (size_t)n / 8 + 1, size ? size : 1);
    int failed = !valid || !values;
    for (Py_ssize_t c = 0; !failed && c < PyList_GET_SIZE(chunks); c++) {
        PyObject *chunk = PyList_GET_ITEM(chunks, c), *rows = PyTuple_GET_ITEM(chunk, 1);
        for (Py_ssize_t r = 0; !failed && r < PyList_GET_SIZE(rows); r++, at++) {
            PyObject *value = PyTuple_GET_ITEM(place < 0 ? chunk : PyList_GET_ITEM(rows, r), place < 0 ? 0 : place);
            if (value == Py_None) {
                self->null_count++;
                continue;
            }
            valid[at / 8] |= (uint8_t)(1 << at % 8);
            if (kind == 's' && value == before) { /* the same text once more */
                ((View *)values)[at] = ((View *)values)[last];
                continue;
            }
            failed = put(kind, values, &texts, at, value) < 0;
            before = value;
            last = at;
        }
    }
    self->buffers[VALIDITY] = valid;
    self->buffers[VALUES] = values;
    self->n_buffers = 2;
    if (kind == 's') {
        int64_t *sizes = failed ? NULL : zeroed(1, sizeof *sizes);
        self->buffers[TEXTS] = texts.data ? texts.data : failed ? NULL : zeroed(1, 1);
        self->buffers[SIZES] = sizes;
        self->n_buffers = N_BUFFERS;
        if (sizes)
            *sizes = (int64_t)texts.n;
        failed |= !sizes || !self->buffers[TEXTS];
    }
    return failed ? -1 : 0;
}

/* Begin a struct or a column in its memory, which is zero: -1 with a Python error, and then nothing is to be released. */
static int begin(Schema *schema, Array *array, const char *format, const char *name, int64_t n_rows, Py_ssize_t n_children)
{
    size_t n = strlen(name) + 1;
    char *copied = zeroed(n, 1);
    array->buffers = zeroed(N_BUFFERS, sizeof(void *));
    schema->children = n_children ? zeroed((size_t)n_children, sizeof(Schema *)) : NULL;
    array->children = n_children ? zeroed((size_t)n_children, sizeof(Array *)) : NULL;
    schema->private_data = copied;
    schema->release = schema_release;
    array->release = array_release;
    if (!copied || !array->buffers || (n_children && (!schema->children || !array->children)))
        return -1;
    memcpy(copied, name, n);
    schema->name = copied;
    schema->format = format;
    schema->flags = n_children ? 0 : NULLABLE;
    array->length = n_rows;
    return 0;
}

/* Add the next column; -1 with a Python error. */
static int add_column(Schema *schema, Array *array, const char *name, char kind, PyObject *chunks, Py_ssize_t place)
{
    int64_t i = schema->n_children;
    int k = 0;
    while (k < N_KINDS && KINDS[k].kind != kind)
        k++;
    if (k == N_KINDS)
        PyErr_SetString(PyExc_ValueError, "no such kind of column");
    if (k == N_KINDS || !name)
        return -1;
    schema->children[i] = zeroed(1, sizeof(Schema));
    array->children[i] = zeroed(1, sizeof(Array));
    schema->n_children = array->n_children = i + 1;
    if (!schema->children[i] || !array->children[i] ||
        begin(schema->children[i], array->children[i], KINDS[k].format, name, array->length, 0) < 0)
        return -1;
    return column_fill(array->children[i], kind, KINDS[k].size, chunks, place);
}

/* Rows in all chunks, which are (name, list of rows of `width` values); -1 with a Python error. */
static Py_ssize_t count(PyObject *chunks, Py_ssize_t width)
{
    Py_ssize_t n = 0;
    for (Py_ssize_t c = 0; c < PyList_GET_SIZE(chunks); c++) {
        PyObject *chunk = PyList_GET_ITEM(chunks, c);
        if (!PyTuple_Check(chunk) || PyTuple_GET_SIZE(chunk) != 2 || !PyList_Check(PyTuple_GET_ITEM(chunk, 1)))
            return wrong();
        PyObject *rows = PyTuple_GET_ITEM(chunk, 1);
        for (Py_ssize_t r = 0; r < PyList_GET_SIZE(rows); r++, n++) {
            PyObject *row = PyList_GET_ITEM(rows, r);
            if (!PyTuple_Check(row) || PyTuple_GET_SIZE(row) != width)
                return wrong();
        }
    }
    return n;
}

/* columns(chunks, names, kinds) -> capsules of schema and array. The first column is the name of each chunk. */
PyObject *rows_columns(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 3 || !PyList_Check(args[0]) || !PyTuple_Check(args[1]) || !PyUnicode_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "columns(list of chunks, tuple of names, text of kinds)");
    Py_ssize_t width = PyTuple_GET_SIZE(args[1]), n_kinds;
    const char *kinds = PyUnicode_AsUTF8AndSize(args[2], &n_kinds);
    if (!kinds || n_kinds != width || !width)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "a kind for each column");
    Py_ssize_t n_rows = count(args[0], width - 1);
    Schema *schema = n_rows < 0 ? NULL : zeroed(1, sizeof *schema);
    Array *array = schema ? zeroed(1, sizeof *array) : NULL;
    if (!array) {
        PyMem_RawFree(schema);
        return NULL;
    }
    int failed = begin(schema, array, "+s", "", n_rows, width) < 0;
    array->n_buffers = 1;
    for (Py_ssize_t i = 0; !failed && i < width; i++)
        failed = add_column(schema, array, PyUnicode_AsUTF8(PyTuple_GET_ITEM(args[1], i)), kinds[i], args[0], i - 1) < 0;
    PyObject *first = PyCapsule_New(schema, "arrow_schema", schema_destroy);
    PyObject *second = PyCapsule_New(array, "arrow_array", array_destroy);
    PyObject *made = first && second && !failed ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return made;
}

int rows_columns_start(void)
{
    PyDateTime_IMPORT;
    return PyDateTimeAPI ? 0 : -1;
}
