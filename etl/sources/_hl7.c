/* How the fields of an HL7 v2 message are cut up: the same as `Plain` in hl7_dialect.py, which says what each function
 * means. Tests hold both to the same answers. Nothing here allocates by itself or keeps what it was given, but for the
 * few objects of its constructor; all text is read through the interpreter's own strings. */
#include "_hl7.h"

static PyObject *s_msh;

/* --- segments --------------------------------------------------------------------------------------------------- */

/* A new segment of one line, which begins with a name and a separator. */
static PyObject *segment_new(const Kernel *self, Span line, int is_header)
{
    Py_UCS4 starts[MAX_FIELDS + 3];
    Py_ssize_t n = 0, most = MAX_FIELDS + 1 + is_header;
    starts[n++] = (Py_UCS4)line.start;
    if (is_header)
        starts[n++] = (Py_UCS4)line.start + 4;
    for (Span rest = line; n < most; starts[n++] = (Py_UCS4)rest.start) {
        rest.start = find(rest, self->field) + 1;
        if (rest.start > rest.end)
            break;
    }
    Segment *made = PyObject_NewVar(Segment, hl7_segment_type, n + 1);
    if (!made)
        return NULL;
    starts[n] = (Py_UCS4)line.end + 1;
    memcpy(made->starts, starts, (size_t)(n + 1) * sizeof(Py_UCS4));
    made->str = Py_NewRef(line.str);
    made->is_header = is_header;
    made->width = n > self->width ? n : self->width;
    return (PyObject *)made;
}

static void segment_dealloc(Segment *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(self->str);
    PyObject_Free(self);
    Py_DECREF(type);
}

static Py_ssize_t segment_length(Segment *self)
{
    return self->width;
}

static PyObject *segment_item(Segment *self, Py_ssize_t number)
{
    Span span = {0};
    if (number < 0 || number >= self->width) {
        PyErr_SetString(PyExc_IndexError, "no such field");
        return NULL;
    }
    segment_span(self, number, &span);
    return substring(span);
}

/* --- cutting ---------------------------------------------------------------------------------------------------- */

static int number_at(PyObject *const *args, Py_ssize_t n_args, Py_ssize_t at, Py_ssize_t *number)
{
    *number = at < n_args ? PyLong_AsSsize_t(args[at]) : 1;
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *kernel_text(Kernel *self, PyObject *const *args, Py_ssize_t n_args)
{
    Span span;
    Py_ssize_t subcomponent;
    if (n_args < 1 || span_of(args[0], &span) < 0 || number_at(args, n_args, 1, &subcomponent) < 0)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "text(component, subcomponent=1)");
    return hl7_text(self, span, subcomponent);
}

static PyObject *kernel_part(Kernel *self, PyObject *const *args, Py_ssize_t n_args)
{
    Span span;
    Py_ssize_t number, subcomponent;
    if (n_args < 2 || span_of(args[0], &span) < 0 || number_at(args, n_args, 1, &number) < 0 ||
        number_at(args, n_args, 2, &subcomponent) < 0)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "part(field, component, subcomponent=1)");
    return hl7_component(self, span, number, subcomponent);
}

static PyObject *kernel_texts(Kernel *self, PyObject *field)
{
    Span span;
    PyObject *parts[MAX_PARTS + 1];
    if (span_of(field, &span) < 0)
        return NULL;
    Py_ssize_t n = hl7_cut(self, span, 1, parts, MAX_PARTS + 1);
    if (n < 0)
        return NULL;
    PyObject *found = PyTuple_New(n);
    if (!found) {
        hl7_release(parts, n);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(found, i, parts[i]);
    return found;
}

static PyObject *kernel_components(Kernel *self, PyObject *field)
{
    Span span;
    PyObject *parts[MAX_PARTS + 1];
    if (span_of(field, &span) < 0)
        return NULL;
    Py_ssize_t n = hl7_cut(self, span, 0, parts, MAX_PARTS + 1);
    if (n < 0)
        return NULL;
    PyObject *found = PyList_New(n);
    if (!found) {
        hl7_release(parts, n);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        PyList_SET_ITEM(found, i, parts[i]);
    return found;
}

static PyObject *kernel_repetitions(Kernel *self, PyObject *field)
{
    Span span;
    PyObject *found = PyList_New(0);
    if (!found || span_of(field, &span) < 0)
        goto failed;
    for (int n = 0; n < MAX_REPETITIONS; n++) {
        Span one = span;
        one.end = find(span, self->repetition);
        if (one.start < one.end) {
            PyObject *part = substring(one);
            int failed = part ? PyList_Append(found, part) : -1;
            Py_XDECREF(part);
            if (failed < 0)
                goto failed;
        }
        if (one.end >= span.end)
            break;
        span.start = one.end + 1;
    }
    return found;
failed:
    Py_XDECREF(found);
    return NULL;
}

static PyObject *kernel_read(Kernel *self, PyObject *const *args, Py_ssize_t n_args)
{
    if (n_args != 3 || !PyDict_Check(args[1]) || !PyTuple_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "read(message, dict of segments, plan)");
        return NULL;
    }
    return hl7_read(self, args[0], args[1], args[2]);
}

static PyObject *kernel_lines(Kernel *self, PyObject *const *args, Py_ssize_t n_args)
{
    Py_ssize_t most;
    if (n_args != 2 || !PyList_Check(args[0]) || number_at(args, n_args, 1, &most) < 0)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "lines(list of segments, most)");
    return hl7_lines(self, args[0], most);
}

/* The code of a line that opens a segment by name and field separator; 0 if it needs a closer look. */
static Py_UCS4 code_of(const Kernel *self, Span line)
{
    Py_UCS4 code = 0;
    int has_upper = 0;
    if (line.end - line.start < 4 || CHAR(line, line.start + 3) != self->field)
        return 0;
    for (int i = 0; i < 3; i++) {
        Py_UCS4 c = CHAR(line, line.start + i);
        if (c > 127 || (c >= 'a' && c <= 'z'))
            return 0;
        has_upper |= c >= 'A' && c <= 'Z';
        code = code << 8 | c;
    }
    return has_upper ? code : 0;
}

static PyObject *segment_of(const Kernel *self, Span line, Py_UCS4 code)
{
    PyObject *name = NULL, *fields = NULL, *found = NULL;
    for (Py_ssize_t i = 0; i < self->n_wanted; i++)
        if (self->codes[i] == code) {
            name = Py_NewRef(self->names[i]);
            fields = segment_new(self, line, 0);
            break;
        }
    if (!name) {
        name = PyUnicode_Substring(line.str, line.start, line.start + 3);
        fields = Py_NewRef(self->no_segment);
    }
    if (name && fields)
        found = PyTuple_Pack(2, name, fields);
    Py_XDECREF(name);
    Py_XDECREF(fields);
    return found;
}

/* Append the segments of the lines after `rest.start`: 1, 0 where a line is no plain segment, -1 with an error. The number
 * of line ends is added to `n_ends`. */
static int split_lines(const Kernel *self, Span rest, PyObject *segments, Py_ssize_t *n_ends)
{
    while (rest.start < rest.end) {
        Span line = rest;
        line.end = find(rest, '\r');
        rest.start = line.end + 1;
        *n_ends += line.end < rest.end;
        if (line.start == line.end)
            continue;
        Py_UCS4 code = code_of(self, line);
        if (!code)
            return 0;
        PyObject *segment = segment_of(self, line, code);
        int failed = segment ? PyList_Append(segments, segment) : -1;
        Py_XDECREF(segment);
        if (failed < 0)
            return -1;
    }
    return 1;
}

/* Lines that are no plain segment are for the twin. */
static PyObject *kernel_split(Kernel *self, PyObject *const *args, Py_ssize_t n_args)
{
    Span rest;
    Py_ssize_t start;
    if (n_args != 2 || span_of(args[0], &rest) < 0 || number_at(args, n_args, 1, &start) < 0)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "split(text, start)");
    rest.start = start < 0 ? 0 : start;
    PyObject *segments = PyList_New(0);
    if (!segments)
        return NULL;
    Py_ssize_t n_ends = 0;
    int is_plain = split_lines(self, rest, segments, &n_ends);
    if (is_plain > 0)
        return Py_BuildValue("(Ni)", segments, 0);
    Py_DECREF(segments);
    return is_plain < 0 ? NULL : PyObject_CallFunctionObjArgs(self->split, args[0], args[1], NULL);
}

/* The text of octets that are ASCII with CR line ends and without escape sequences of ISO 2022, or NULL. */
static PyObject *plain_text(const char *data, Py_ssize_t n)
{
    unsigned char all = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        all |= (unsigned char)data[i];
    if (all > 127 || memchr(data, 0x1b, (size_t)n) || memchr(data, '\n', (size_t)n))
        return NULL;
    PyObject *text = PyUnicode_New(n, 127);
    if (text)
        memcpy(PyUnicode_1BYTE_DATA(text), data, (size_t)n);
    return text;
}

/* Segments of a whole message in file order, MSH first, or None where `tokenize` of hl7_message.py has to look: the
 * octets are other than `plain_text` takes, a line is no plain segment, or the message is to be refused. */
static PyObject *kernel_message(Kernel *self, PyObject *bytes)
{
    if (!PyBytes_Check(bytes))
        return PyErr_Format(PyExc_TypeError, "a message is bytes");
    Span span, type = {0};
    Py_ssize_t n_ends = 0;
    int is_plain = 0;
    int is_message = PyBytes_GET_SIZE(bytes) > 3 && memcmp(PyBytes_AS_STRING(bytes), "MSH", 3) == 0;
    PyObject *text = is_message ? plain_text(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)) : NULL;
    PyObject *found = text ? PyList_New(0) : NULL;
    if (found && span_of(text, &span) == 0 && CHAR(span, 3) == self->field) {
        Span line = span;
        line.end = find(span, '\r');
        span.start = line.end + 1;
        n_ends = line.end < span.end;
        PyObject *header = segment_new(self, line, 1), *first = header ? PyTuple_Pack(2, s_msh, header) : NULL;
        is_plain = first && PyList_Append(found, first) == 0 ? 1 : -1;
        if (is_plain > 0 && Py_SIZE(header) > 10)
            segment_span((Segment *)header, 9, &type);
        Py_XDECREF(first);
        Py_XDECREF(header);
        if (is_plain > 0 && (is_plain = type.start < type.end))
            is_plain = split_lines(self, span, found, &n_ends);
        if (n_ends >= MAX_SEGMENTS || PyList_GET_SIZE(found) < 2)
            is_plain = is_plain < 0 ? -1 : 0;
    }
    Py_XDECREF(text);
    if (is_plain > 0)
        return found;
    Py_XDECREF(found);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* --- the type ---------------------------------------------------------------------------------------------------- */

static int mark_of(PyObject *marks, const char *name, Py_UCS4 *mark)
{
    PyObject *str = PyObject_GetAttrString(marks, name);
    if (!str)
        return -1;
    if (!PyUnicode_Check(str) || PyUnicode_GET_LENGTH(str) > 1) {
        Py_DECREF(str);
        PyErr_SetString(PyExc_ValueError, "a delimiter is one character");
        return -1;
    }
    *mark = PyUnicode_GET_LENGTH(str) ? PyUnicode_READ_CHAR(str, 0) : 0;
    Py_DECREF(str);
    return 0;
}

static int wanted_of(Kernel *self, PyObject *wanted)
{
    PyObject *name, *names = PyObject_GetIter(wanted);
    if (!names)
        return -1;
    while ((name = PyIter_Next(names))) {
        if (!PyUnicode_Check(name) || PyUnicode_GET_LENGTH(name) != 3 || !PyUnicode_IS_ASCII(name) ||
            self->n_wanted == MAX_WANTED) {
            Py_DECREF(name);
            PyErr_SetString(PyExc_ValueError, "a segment has a name of three letters");
            break;
        }
        const Py_UCS1 *data = PyUnicode_1BYTE_DATA(name);
        self->codes[self->n_wanted] = (Py_UCS4)data[0] << 16 | (Py_UCS4)data[1] << 8 | data[2];
        self->names[self->n_wanted++] = name;
    }
    Py_DECREF(names);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *kernel_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *marks, *unescape, *split, *wanted, *no_segment, *stamp_type;
    if (!PyArg_ParseTuple(args, "OOOOO!O!:Kernel", &marks, &unescape, &split, &wanted, &PyList_Type, &no_segment,
                          &PyType_Type, &stamp_type))
        return NULL;
    if (!PyType_FastSubclass((PyTypeObject *)stamp_type, Py_TPFLAGS_TUPLE_SUBCLASS)) {
        PyErr_SetString(PyExc_TypeError, "a stamp is a tuple");
        return NULL;
    }
    Kernel *self = (Kernel *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->unescape = Py_NewRef(unescape);
    self->split = Py_NewRef(split);
    self->no_segment = Py_NewRef(no_segment);
    self->stamp_type = Py_NewRef(stamp_type);
    self->width = PyList_GET_SIZE(no_segment);
    if (mark_of(marks, "field", &self->field) < 0 || mark_of(marks, "component", &self->component) < 0 ||
        mark_of(marks, "repetition", &self->repetition) < 0 || mark_of(marks, "escape", &self->escape) < 0 ||
        mark_of(marks, "subcomponent", &self->subcomponent) < 0 ||
        mark_of(marks, "truncation", &self->truncation) < 0 || wanted_of(self, wanted) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void kernel_dealloc(Kernel *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(self->unescape);
    Py_XDECREF(self->split);
    Py_XDECREF(self->no_segment);
    Py_XDECREF(self->stamp_type);
    for (Py_ssize_t i = 0; i < self->n_wanted; i++)
        Py_DECREF(self->names[i]);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

#define QUICK(name) {#name, (PyCFunction)(void (*)(void))kernel_##name, METH_FASTCALL, NULL}
static PyMethodDef methods[] = {
    QUICK(text), QUICK(part), QUICK(split), QUICK(read), QUICK(lines),
    {"message", (PyCFunction)kernel_message, METH_O, NULL},
    {"texts", (PyCFunction)kernel_texts, METH_O, NULL},
    {"components", (PyCFunction)kernel_components, METH_O, NULL},
    {"repetitions", (PyCFunction)kernel_repetitions, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, kernel_new}, {Py_tp_dealloc, kernel_dealloc}, {Py_tp_methods, methods}, {0, NULL},
};
static PyType_Spec spec = {"etl.sources._hl7.Kernel", sizeof(Kernel), 0, Py_TPFLAGS_DEFAULT, slots};

static PyType_Slot segment_slots[] = {
    {Py_tp_dealloc, segment_dealloc}, {Py_sq_length, segment_length}, {Py_sq_item, segment_item}, {0, NULL},
};
static PyType_Spec segment_spec = {
    "etl.sources._hl7.Segment", sizeof(Segment), sizeof(Py_UCS4),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, segment_slots,
};

/* --- framing ---------------------------------------------------------------------------------------------------- */

static int opens_line(const char *data, Py_ssize_t at)
{
    Py_ssize_t low = at > 16 ? at - 16 : 0, end = at;
    while (end > low && (data[end - 1] == ' ' || data[end - 1] == '\t'))
        end--;
    if (end - low >= 3 && memcmp(data + end - 3, "\xef\xbb\xbf", 3) == 0)
        end -= 3;
    while (end > low && (data[end - 1] == ' ' || data[end - 1] == '\t'))
        end--;
    if (end == low)
        return at <= 16;
    return data[end - 1] == '\r' || data[end - 1] == '\n' || data[end - 1] == 0x0b || data[end - 1] == 0x1c;
}

/* Where messages start, as a list, and whether there may be batch lines: all of their names hold an S. */
static PyObject *starts_of(const char *data, Py_ssize_t n, int *has_batch)
{
    const char *end = data + n;
    PyObject *starts = PyList_New(0);
    *has_batch = 0;
    for (const char *at = data; starts && at < end && (at = memchr(at, 'S', (size_t)(end - at))); at++) {
        if (at - data >= 2 && (at[-1] == 'H' || at[-1] == 'T'))
            *has_batch |= at[-2] == 'F' || (at[-2] == 'B');
        if (at == data || at[-1] != 'M' || at + 1 >= end || at[1] != 'H')
            continue;
        char next = at + 2 < end ? at[2] : ' ';
        int is_plain = next == ' ' || next == '\t' || next == '\r' || next == '\n' || (next >= '0' && next <= '9') ||
                       (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z');
        if (is_plain || !opens_line(data, at - 1 - data))
            continue;
        PyObject *start = PyLong_FromSsize_t(at - 1 - data);
        if (!start || PyList_Append(starts, start) < 0)
            Py_CLEAR(starts);
        Py_XDECREF(start);
    }
    return starts;
}

/* `_openings` of hl7_text.py. */
static PyObject *openings(PyObject *self, PyObject *bytes)
{
    int has_batch;
    if (!PyBytes_Check(bytes))
        return PyErr_Format(PyExc_TypeError, "a file is bytes");
    PyObject *starts = starts_of(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), &has_batch);
    return starts ? Py_BuildValue("(NN)", starts, PyBool_FromLong(has_batch)) : NULL;
}

/* `spans` of hl7_text.py where each message ends where the next one begins: without batch lines, ends of frames and byte
 * order marks, and with nothing before the first. None where that is not so. */
static PyObject *spans(PyObject *self, PyObject *bytes)
{
    int has_batch;
    if (!PyBytes_Check(bytes))
        return PyErr_Format(PyExc_TypeError, "a file is bytes");
    const char *data = PyBytes_AS_STRING(bytes);
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);
    if (n < 3 || memcmp(data, "MSH", 3) != 0 || memchr(data, 0x1c, (size_t)n) || memchr(data, 0xef, (size_t)n))
        Py_RETURN_NONE;
    PyObject *found = starts_of(data, n, &has_batch);
    Py_ssize_t n_found = found ? PyList_GET_SIZE(found) : 0;
    if (found && (has_batch || !n_found || PyLong_AsSsize_t(PyList_GET_ITEM(found, 0)) != 0))
        Py_SETREF(found, Py_NewRef(Py_None));
    else
        for (Py_ssize_t i = 0; i < n_found; i++) {
            PyObject *end = i + 1 < n_found ? Py_NewRef(PyList_GET_ITEM(found, i + 1)) : PyLong_FromSsize_t(n);
            PyObject *span = end ? PyTuple_Pack(2, PyList_GET_ITEM(found, i), end) : NULL;
            Py_XDECREF(end);
            if (!span || PyList_SetItem(found, i, span) < 0) {
                Py_DECREF(found);
                return NULL;
            }
        }
    return found;
}

static PyMethodDef functions[] = {
    {"openings", openings, METH_O, NULL}, {"spans", spans, METH_O, NULL}, {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_hl7", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hl7(void)
{
    if (hl7_values_ready() < 0 || !(s_msh = PyUnicode_InternFromString("MSH")))
        return NULL;
    PyObject *made = PyModule_Create(&module), *type = PyType_FromSpec(&spec);
    hl7_segment_type = (PyTypeObject *)PyType_FromSpec(&segment_spec);
    if (!made || !type || !hl7_segment_type || PyModule_AddObjectRef(made, "Kernel", type) < 0 ||
        PyModule_AddIntConstant(made, "MAX_PARTS", MAX_PARTS) < 0 ||
        PyModule_AddIntConstant(made, "MAX_REPETITIONS", MAX_REPETITIONS) < 0 ||
        PyModule_AddIntConstant(made, "MAX_FIELDS", MAX_FIELDS) < 0 ||
        PyModule_AddIntConstant(made, "MAX_SEGMENTS", MAX_SEGMENTS) < 0 ||
        PyModule_AddIntConstant(made, "VERSION", HL7_VERSION) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(made);
        return NULL;
    }
    Py_DECREF(type);
    return made;
}
