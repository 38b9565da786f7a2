/* The plain values of the field tables: the compiled twin of `read` in etl/sources/dicom_fields.py.
 *
 * A value is read here only where it is plain: text without control characters in ASCII, Latin-1 or UTF-8, a number in
 * digits, a date of eight digits. Whatever is not plain goes back to the twin, one value at a time, so that every defect
 * is found there.
 */
#include "_dicom.h"

#include <datetime.h>
#include <string.h>

#define TABLE "etl.sources._dicom.table"

typedef enum { SLOW, TEXT, FIRST, PERSON, DATE, DECIMAL, COUNT, SHORT, CODE, SECOND, MEANING, N_KINDS } Kind;

enum { MOST_COLUMNS = 256, MOST_OF_ROW = 3 };

/* One row: columns it fills, the tag at the top, the tags below, what the twin needs, and the numbers of its columns. */
typedef struct {
    PyObject *columns, *first, *rest, *field;
    Kind kind;
    unsigned char numbers[MOST_OF_ROW];
} Row;

typedef struct {
    Row *rows;
    Py_ssize_t n;
} Table;

static PyObject *CHARSET, *CODE_VALUE, *CODE_SCHEME, *CODE_MEANING, *LONG_CODE, *URN_CODE;

int dicom_values_start(void)
{
    static const struct {
        PyObject **name;
        unsigned long tag;
    } TAGS[] = {
        {&CHARSET, 0x00080005}, {&CODE_VALUE, 0x00080100}, {&CODE_SCHEME, 0x00080102}, {&CODE_MEANING, 0x00080104},
        {&LONG_CODE, 0x00080119}, {&URN_CODE, 0x00080120},
    };
    for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
        if (!*TAGS[i].name && !(*TAGS[i].name = PyLong_FromUnsignedLong(TAGS[i].tag)))
            return -1;
    PyDateTime_IMPORT;
    return PyDateTimeAPI ? 0 : -1;
}

static void table_destroy(PyObject *capsule)
{
    Table *table = PyCapsule_GetPointer(capsule, TABLE);
    for (Py_ssize_t i = 0; i < table->n; i++)
        Py_DECREF(table->rows[i].columns), Py_DECREF(table->rows[i].first), Py_DECREF(table->rows[i].rest),
            Py_DECREF(table->rows[i].field);
    PyMem_Free(table->rows);
    PyMem_Free(table);
}

/* The numbers of a row's columns, of which rows of the same columns have the same; 0 with a Python error. */
static int keep_numbers(Row *row, PyObject *numbers)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers) && i < MOST_OF_ROW; i++) {
        long number = PyLong_AsLong(PyTuple_GET_ITEM(numbers, i));
        if (number < 0 || number >= MOST_COLUMNS) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "too many columns");
            return 0;
        }
        row->numbers[i] = (unsigned char)number;
    }
    return 1;
}

/* Rows (columns, first, rest, kind, field, numbers of the columns) -> table. */
PyObject *dicom_table(PyObject *self, PyObject *rows)
{
    if (!PyList_Check(rows))
        return PyErr_Format(PyExc_TypeError, "rows are a list");
    Table *table = PyMem_Calloc(1, sizeof(Table));
    Row *made = PyMem_Calloc(PyList_GET_SIZE(rows) + 1, sizeof(Row));
    PyObject *capsule = table && made ? PyCapsule_New(table, TABLE, table_destroy) : PyErr_NoMemory();
    if (!capsule) {
        PyMem_Free(made);
        PyMem_Free(table);
        return NULL;
    }
    table->rows = made;
    for (; table->n < PyList_GET_SIZE(rows); table->n++) {
        Row row;
        PyObject *numbers;
        int kind;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(rows, table->n), "O!O!O!iOO!", &PyTuple_Type, &row.columns, &PyLong_Type,
                              &row.first, &PyTuple_Type, &row.rest, &kind, &row.field, &PyTuple_Type, &numbers))
            goto bad;
        Py_ssize_t n = PyTuple_GET_SIZE(row.columns);
        if (kind < 0 || kind >= N_KINDS || n != (kind == CODE || kind == SECOND ? MOST_OF_ROW : 1) ||
            n != PyTuple_GET_SIZE(numbers)) {
            PyErr_SetString(PyExc_ValueError, "no such kind of value");
            goto bad;
        }
        if (!keep_numbers(&row, numbers))
            goto bad;
        row.kind = (Kind)kind;
        Py_INCREF(row.columns), Py_INCREF(row.first), Py_INCREF(row.rest), Py_INCREF(row.field);
        table->rows[table->n] = row;
    }
    return capsule;
bad:
    Py_DECREF(capsule);
    return NULL;
}

/* ---- values; each gives a new reference (None for nothing), or NULL without an error where the twin must look ---- */

enum { NO_CODEC, ASCII, LATIN_1, UTF_8 };

typedef struct {
    const char *text;
    Py_ssize_t n;
    int is_ascii;
} Span;

/* The value without outer blanks and padding; 0 where it has a control character, or is no octets. */
static int span_of(Octets raw, Span *span)
{
    if (!raw.text)
        return 0;
    raw = dicom_stripped(raw);
    unsigned char all = 0;
    for (uint32_t i = 0; i < raw.n; i++) {
        if (raw.text[i] < 0x20)
            return 0;
        all |= raw.text[i];
    }
    *span = (Span){(const char *)raw.text, raw.n, all < 0x80};
    return 1;
}

/* Up to the first `mark`, without outer blanks. */
static Span before(Span span, char mark)
{
    const char *end = span.n ? memchr(span.text, mark, span.n) : NULL;
    if (end)
        span.n = end - span.text;
    while (span.n && span.text[span.n - 1] == ' ')
        span.n--;
    while (span.n && *span.text == ' ')
        span.text++, span.n--;
    return span;
}

static PyObject *text_of(Span span, int codec)
{
    if (!span.n)
        Py_RETURN_NONE;
    if (!span.is_ascii) {
        PyObject *decoded = codec == LATIN_1 ? PyUnicode_DecodeLatin1(span.text, span.n, NULL)
                            : codec == UTF_8 ? PyUnicode_DecodeUTF8(span.text, span.n, NULL)
                                             : NULL;
        if (!decoded && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
            PyErr_Clear();
        return decoded;
    }
    PyObject *made = PyUnicode_New(span.n, 127);
    if (made)
        memcpy(PyUnicode_1BYTE_DATA(made), span.text, span.n);
    return made;
}

/* A part of a value, which is stripped of blanks of any kind: the twin looks where one could be outside ASCII, and
 * where what is left out might be outside the character set. */
static PyObject *part_of(Span part, Span whole, int codec)
{
    if (!whole.is_ascii && codec != LATIN_1 && part.n != whole.n)
        return NULL;
    if (part.n && ((unsigned char)part.text[0] > 0x7F || (unsigned char)part.text[part.n - 1] > 0x7F))
        return NULL;
    return text_of(part, codec);
}

static PyObject *date_of(Span span)
{
    int digits[8];
    if (!span.n)
        Py_RETURN_NONE;
    if (span.n != 8)
        return NULL;
    for (int i = 0; i < 8; i++) {
        digits[i] = span.text[i] - '0';
        if (digits[i] < 0 || digits[i] > 9)
            return NULL;
    }
    int year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3];
    PyObject *made = PyDate_FromDate(year, digits[4] * 10 + digits[5], digits[6] * 10 + digits[7]);
    if (!made)
        PyErr_Clear();
    return made;
}

static PyObject *number_of(Span span, int is_count)
{
    char buffer[32];
    if (!span.is_ascii)
        return NULL;
    span = before(span, '\\');
    if (!span.n)
        Py_RETURN_NONE;
    if (span.n >= (Py_ssize_t)sizeof buffer)
        return NULL;
    memcpy(buffer, span.text, span.n);
    buffer[span.n] = 0;
    if (strspn(buffer, "0123456789+-.eE") != (size_t)span.n)
        return NULL;
    double value = PyOS_string_to_double(buffer, NULL, NULL);
    if (value == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    if (!(value < 1e12 && value > -1e12))
        return NULL;
    return is_count ? PyLong_FromDouble(value) : PyFloat_FromDouble(value);
}

PyObject *dicom_decimal(Octets raw)
{
    Span span;
    return span_of(raw, &span) ? number_of(span, 0) : NULL;
}

static PyObject *short_of(PyObject *raw, int is_big)
{
    if (!PyBytes_Check(raw) || PyBytes_GET_SIZE(raw) < 2)
        return NULL;
    const unsigned char *p = (const unsigned char *)PyBytes_AS_STRING(raw);
    return PyLong_FromLong(is_big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

/* An element of an item, borrowed; NULL where it is absent or empty. */
static PyObject *value_in(PyObject *dataset, PyObject *tag)
{
    PyObject *raw = PyDict_GetItemWithError(dataset, tag);
    if (!raw || (PyBytes_Check(raw) && !PyBytes_GET_SIZE(raw)) || (PyList_Check(raw) && !PyList_GET_SIZE(raw)))
        return NULL;
    return raw;
}

/* An item of a sequence, borrowed; NULL where there is none, or where it has a character set of its own. */
static PyObject *item_of(PyObject *raw, Py_ssize_t number)
{
    PyObject *item = PyList_Check(raw) && number < PyList_GET_SIZE(raw) ? PyList_GET_ITEM(raw, number) : NULL;
    return item && PyDict_Check(item) && !PyDict_GetItemWithError(item, CHARSET) ? item : NULL;
}

static PyObject *text_in(PyObject *item, PyObject *tag, int codec)
{
    Span span = {NULL, 0, 1};
    PyObject *raw = value_in(item, tag);
    return !raw || span_of(dicom_octets(raw), &span) ? text_of(span, codec) : NULL;
}

/* (value, meaning, scheme) of a code item (PS3.3 8). */
static PyObject *code_of(PyObject *item, int only_meaning, int codec)
{
    if (only_meaning && value_in(item, CODE_MEANING) == NULL)
        return NULL;
    PyObject *tag = value_in(item, CODE_VALUE) ? CODE_VALUE : value_in(item, LONG_CODE) ? LONG_CODE : URN_CODE;
    PyObject *value = text_in(item, tag, codec), *meaning = value ? text_in(item, CODE_MEANING, codec) : NULL;
    PyObject *scheme = meaning ? text_in(item, CODE_SCHEME, codec) : NULL;
    PyObject *made = NULL;
    if (scheme) {
        if (only_meaning)
            made = Py_NewRef(meaning);
        else if (value == Py_None && meaning == Py_None)
            made = Py_NewRef(Py_None);
        else
            made = PyTuple_Pack(3, value, meaning, scheme);
    }
    Py_XDECREF(value);
    Py_XDECREF(meaning);
    Py_XDECREF(scheme);
    return made;
}

/* The value of a row; `raw` is not empty. */
static PyObject *plain(const Row *row, PyObject *raw, int codec, int is_big)
{
    Span span, part;
    PyObject *item;
    if (row->kind == SHORT)
        return short_of(raw, is_big);
    if (row->kind == CODE || row->kind == MEANING)
        return (item = item_of(raw, 0)) ? code_of(item, row->kind == MEANING, codec) : NULL;
    if (row->kind == SECOND) {
        if (PyList_Check(raw) && PyList_GET_SIZE(raw) == 1)
            Py_RETURN_NONE;
        return (item = item_of(raw, 1)) ? code_of(item, 0, codec) : NULL;
    }
    if (row->kind == SLOW || !span_of(dicom_octets(raw), &span))
        return NULL;
    switch (row->kind) {
    case TEXT:
        return text_of(span, codec);
    case FIRST:
        return part_of(before(span, '\\'), span, codec);
    case PERSON:
        part = before(before(span, '\\'), '=');
        while (part.n && part.text[part.n - 1] == '^')
            part.n--;
        return part_of(part, span, codec);
    case DATE:
        return date_of(span);
    default:
        return number_of(span, row->kind == COUNT);
    }
}

/* The value of a row below the items on its path; None where the path ends. */
static PyObject *descend(const Row *row, PyObject *raw, int codec, int is_big)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(row->rest); i++) {
        PyObject *item = item_of(raw, 0);
        if (!item)
            return NULL;
        raw = value_in(item, PyTuple_GET_ITEM(row->rest, i));
        if (!raw)
            Py_RETURN_NONE;
    }
    return plain(row, raw, codec, is_big);
}

/* Put what a row gives, which is not None, and note that its columns are filled; -1 with a Python error. */
static int put(PyObject *found, const Row *row, PyObject *value, unsigned char *is_filled)
{
    Py_ssize_t n = PyTuple_GET_SIZE(row->columns);
    if (n > 1 && (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != n)) {
        PyErr_SetString(PyExc_TypeError, "a value for each column");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        is_filled[row->numbers[i]] = 1;
        if (PyDict_SetItem(found, PyTuple_GET_ITEM(row->columns, i), n > 1 ? PyTuple_GET_ITEM(value, i) : value) < 0)
            return -1;
    }
    return 0;
}

/* fields(table, header, dataset, codec, is_big, slow, found): put what is found into the dict `found`;
 * slow(header, raw, field) is the twin for one value. */
PyObject *dicom_fields(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 7 || !PyDict_Check(args[2]) || !PyDict_Check(args[6]))
        return PyErr_Format(PyExc_TypeError, "fields(table, header, dataset, codec, is_big, slow, found)");
    const Table *table = PyCapsule_GetPointer(args[0], TABLE);
    int codec = (int)PyLong_AsLong(args[3]), is_big = args[4] == Py_True;
    if (!table || (codec == -1 && PyErr_Occurred()))
        return NULL;
    unsigned char is_filled[MOST_COLUMNS] = {0};
    for (const Row *row = table->rows; row < table->rows + table->n; row++) {
        PyObject *raw = is_filled[row->numbers[0]] ? NULL : value_in(args[2], row->first), *value = NULL;
        if (!raw)
            continue;
        Py_INCREF(raw);
        if (codec != NO_CODEC || row->kind == SHORT)
            value = descend(row, raw, codec, is_big);
        if (!value && !PyErr_Occurred()) {
            PyObject *told[] = {args[1], raw, row->field};
            value = PyObject_Vectorcall(args[5], told, 3, NULL);
        }
        Py_DECREF(raw);
        int failed = !value || (value != Py_None && put(args[6], row, value, is_filled) < 0);
        Py_XDECREF(value);
        if (failed)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* texts(dataset, tags, codec) -> the text of each tag's element, '' where it is absent; None where the twin has to look. */
PyObject *dicom_texts(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    int codec = n == 3 ? (int)PyLong_AsLong(args[2]) : NO_CODEC;
    if (n != 3 || !PyDict_Check(args[0]) || !PyTuple_Check(args[1]) || (codec == -1 && PyErr_Occurred()))
        return PyErr_Format(PyExc_TypeError, "texts(dataset, tags, codec)");
    PyObject *found = codec == NO_CODEC ? Py_NewRef(Py_None) : PyList_New(PyTuple_GET_SIZE(args[1]));
    for (Py_ssize_t i = 0; found && found != Py_None && i < PyTuple_GET_SIZE(args[1]); i++) {
        PyObject *text = text_in(args[0], PyTuple_GET_ITEM(args[1], i), codec);
        if (text == Py_None)
            Py_SETREF(text, PyUnicode_FromStringAndSize(NULL, 0));
        if (text)
            PyList_SET_ITEM(found, i, text);
        else
            Py_SETREF(found, PyErr_Occurred() ? NULL : Py_NewRef(Py_None));
    }
    return found;
}
