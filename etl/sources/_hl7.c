/* How the fields of an HL7 v2 message are cut up: the same as `Plain` in hl7_dialect.py, which says what each function
 * means. Tests hold both to the same answers. Nothing here allocates by itself or keeps what it was given, but for the
 * few objects of its constructor; all text is read through the interpreter's own strings. */
#include "_hl7.h"

/* --- segments --------------------------------------------------------------------------------------------------- */

/* A new segment of one line, which begins with a name and a separator. */
static PyObject *segment_new(const Kernel *self, Span line)
{
    Py_UCS4 starts[MAX_FIELDS + 2];
    Py_ssize_t n = 0;
    starts[n++] = (Py_UCS4)line.start;
    for (Span rest = line; n < MAX_FIELDS + 1; starts[n++] = (Py_UCS4)rest.start) {
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
            fields = segment_new(self, line);
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
    while (rest.start < rest.end) {
        Span line = rest;
        line.end = find(rest, '\r');
        rest.start = line.end + 1;
        if (line.start == line.end)
            continue;
        Py_UCS4 code = code_of(self, line);
        if (!code) {
            Py_DECREF(segments);
            return PyObject_CallFunctionObjArgs(self->split, args[0], args[1], NULL);
        }
        PyObject *segment = segment_of(self, line, code);
        int failed = segment ? PyList_Append(segments, segment) : -1;
        Py_XDECREF(segment);
        if (failed < 0) {
            Py_DECREF(segments);
            return NULL;
        }
    }
    return Py_BuildValue("(Ni)", segments, 0);
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
    QUICK(text), QUICK(part), QUICK(split), QUICK(read),
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

static const char *search(const char *from, const char *end, const char *word)
{
    /* All words are of three letters; the last one is rare enough in text to look for it first. */
    for (const char *at = from + 2; at < end; at++) {
        at = memchr(at, word[2], (size_t)(end - at));
        if (!at)
            break;
        if (at[-1] == word[1] && at[-2] == word[0])
            return at - 2;
    }
    return NULL;
}

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

/* Where messages start, and whether there may be batch lines: `_openings` of hl7_text.py. */
static PyObject *openings(PyObject *self, PyObject *bytes)
{
    if (!PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "a file is bytes");
        return NULL;
    }
    const char *data = PyBytes_AS_STRING(bytes), *end = data + PyBytes_GET_SIZE(bytes);
    PyObject *starts = PyList_New(0);
    if (!starts)
        return NULL;
    for (const char *at = data; (at = search(at, end, "MSH")); at += 3) {
        char next = at + 3 < end ? at[3] : ' ';
        int is_plain = next == ' ' || next == '\t' || next == '\r' || next == '\n' || (next >= '0' && next <= '9') ||
                       (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z');
        if (is_plain || !opens_line(data, at - data))
            continue;
        PyObject *start = PyLong_FromSsize_t(at - data);
        int failed = start ? PyList_Append(starts, start) : -1;
        Py_XDECREF(start);
        if (failed < 0) {
            Py_DECREF(starts);
            return NULL;
        }
    }
    int has_batch = search(data, end, "FHS") || search(data, end, "BHS") || search(data, end, "BTS") ||
                    search(data, end, "FTS");
    return Py_BuildValue("(NN)", starts, PyBool_FromLong(has_batch));
}

static PyMethodDef functions[] = {{"openings", openings, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_hl7", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hl7(void)
{
    if (hl7_values_ready() < 0)
        return NULL;
    PyObject *made = PyModule_Create(&module), *type = PyType_FromSpec(&spec);
    hl7_segment_type = (PyTypeObject *)PyType_FromSpec(&segment_spec);
    if (!made || !type || !hl7_segment_type || PyModule_AddObjectRef(made, "Kernel", type) < 0 ||
        PyModule_AddIntConstant(made, "MAX_PARTS", MAX_PARTS) < 0 ||
        PyModule_AddIntConstant(made, "MAX_REPETITIONS", MAX_REPETITIONS) < 0 ||
        PyModule_AddIntConstant(made, "MAX_FIELDS", MAX_FIELDS) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(made);
        return NULL;
    }
    Py_DECREF(type);
    return made;
}
