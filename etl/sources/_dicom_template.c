/* What an image tells of those that are alike: the compiled twin of etl/sources/dicom_template.py.
 *
 * A template holds the octets that must be the same, and a step for each value that need not be: its length stands there
 * and is read again, so that it is stepped over whatever it is. No octet outside the buffers is read.
 */
#include "_dicom.h"

#include <string.h>

#define TEMPLATE "etl.sources._dicom.template"
#define MAGIC 128
#define FIRST 132
#define META_END 0x00030000u
#define PIXELS 0x7FE00008u

/* Octets that must be the same, then a length of so many octets, then as many octets as it says. */
typedef struct {
    uint32_t n_fixed;
    unsigned char n_octets, is_big;
    int value; /* its number, if the value is read; -1 */
} Step;

typedef struct {
    unsigned char *fixed; /* of all steps, then those behind the last */
    int is_explicit, is_big;
    uint64_t n_last;
    Step *steps;
    Py_ssize_t n, most;
    PyObject *again; /* the plan of the values that are read of each */
    const Level *read;
    PyObject *rows; /* (making, row, envelope, hours), or None where the twin makes the rows */
    const Making *making;
} Template;

static void template_free(Template *made)
{
    Py_XDECREF(made->again);
    Py_XDECREF(made->rows);
    PyMem_Free(made->steps);
    PyMem_Free(made->fixed);
    PyMem_Free(made);
}

static void template_destroy(PyObject *capsule)
{
    template_free(PyCapsule_GetPointer(capsule, TEMPLATE));
}

/* The header that a template is made of, and where in it the octets begin that are not in the template yet. */
typedef struct {
    Py_buffer data;
    Template *made;
    uint64_t from, n_fixed;
} Maker;

/* Keep the octets from `from` on up to `to`. */
static uint64_t keep_fixed(Maker *maker, uint64_t to)
{
    uint64_t n = to - maker->from;
    memcpy(maker->made->fixed + maker->n_fixed, (const unsigned char *)maker->data.buf + maker->from, n);
    maker->n_fixed += n;
    return n;
}

/* A step over the value at `place`; -1 with a Python error. */
static int add_step(Maker *maker, const Place *place, int is_explicit, int is_big, int value)
{
    Template *made = maker->made;
    if (made->n == made->most) {
        Py_ssize_t most = made->most ? 2 * made->most : 128;
        Step *steps = PyMem_Realloc(made->steps, (size_t)most * sizeof(Step));
        if (!steps) {
            PyErr_NoMemory();
            return -1;
        }
        made->steps = steps;
        made->most = most;
    }
    unsigned char n_octets = is_explicit && place->value - place->at == 8 ? 2 : 4;
    uint64_t n_fixed = keep_fixed(maker, place->value - n_octets);
    made->steps[made->n++] = (Step){(uint32_t)n_fixed, n_octets, (unsigned char)is_big, value};
    maker->from = place->after;
    return 0;
}

/* Steps over the elements of one encoding from `*at` to the first tag >= `stop`, where `*at` ends; 0, or -1 where there is
 * no such end or with a Python error. The first is `is_fixed` where it tells the encoding. */
static int add_stretch(Maker *maker, uint64_t *at, int is_explicit, int is_big, uint32_t stop, const Level *wanted,
                       const Level *again, int is_fixed)
{
    Py_ssize_t cursor = 0, its_cursor = 0;
    Place place = {.at = *at};
    for (; place.at < (uint64_t)maker->data.len; place.at = place.after, is_fixed = 0) {
        int found = dicom_place(&maker->data, is_explicit, is_big, stop, &place);
        if (found)
            break;
        const Entry *read = again ? dicom_entry(again, place.tag, &its_cursor) : NULL;
        int is_needed = !read && dicom_entry(wanted, place.tag, &cursor);
        if (is_needed || is_fixed || place.value == place.at) {
            if (read)
                maker->made->making = NULL; /* one that is the same in each is no value of its row */
            continue;
        }
        if (add_step(maker, &place, is_explicit, is_big, read ? (int)(read - again->entries) : -1) < 0)
            return -1;
    }
    *at = place.at;
    return PyErr_Occurred() ? -1 : 0;
}

/* Keep the plan of what is read again, and what makes rows of it; -1 with a Python error. */
static int keep_rows(Template *made, PyObject *again, PyObject *rows)
{
    PyObject *making, *row, *envelope, *hours;
    made->again = Py_NewRef(again);
    made->read = dicom_plan_of(again)->levels;
    made->rows = Py_NewRef(rows);
    if (made->read->n > MOST_AGAIN) {
        PyErr_SetString(PyExc_ValueError, "too many values");
        return -1;
    }
    if (rows == Py_None)
        return 0;
    if (!PyTuple_Check(rows) || !PyArg_ParseTuple(rows, "OOOO!", &making, &row, &envelope, &PyDict_Type, &hours)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "(making, row, envelope, hours)");
        return -1;
    }
    made->making = dicom_making_of(making, made->read->n, row, envelope);
    return made->making ? 0 : -1;
}

/* template(head, at, is_explicit, is_big, meta, wanted, again, rows) -> template.
 *
 * `head` is a header that was walked, all of it, its data set from `at` on; `meta`, `wanted` and `again` are plans, and
 * `rows` is None or (making, row, envelope, hours): what makes the next rows of the values of `again`, and its own. */
PyObject *dicom_template(PyObject *self, PyObject *args)
{
    Maker maker = {.from = MAGIC};
    unsigned long long body;
    int is_explicit, is_big;
    PyObject *meta, *wanted, *again, *rows, *capsule = NULL;
    if (!PyArg_ParseTuple(args, "y*KppOOOO", &maker.data, &body, &is_explicit, &is_big, &meta, &wanted, &again, &rows))
        return NULL;
    const Plan *in_meta = dicom_plan_of(meta), *in_body = in_meta ? dicom_plan_of(wanted) : NULL;
    int is_plan = in_body && dicom_plan_of(again);
    Template *made = is_plan ? PyMem_Calloc(1, sizeof(Template)) : NULL;
    uint64_t at = FIRST, have = (uint64_t)maker.data.len;
    int done = made && (made->fixed = PyMem_Malloc((size_t)have + 1)) ? keep_rows(made, again, rows) : -1;
    if (is_plan && !(made && made->fixed))
        PyErr_NoMemory();
    maker.made = made;
    if (done == 0 && (have < FIRST || have > UINT32_MAX))
        done = -1;
    if (done == 0 && body > FIRST)
        done = add_stretch(&maker, &at, 1, 0, META_END, in_meta->levels, NULL, 0);
    if (done == 0)
        done = at == body ? add_stretch(&maker, &at, is_explicit, is_big, PIXELS, in_body->levels, made->read, 1) : -1;
    if (done == 0 && at == have) {
        made->n_last = keep_fixed(&maker, have);
        made->is_explicit = is_explicit;
        made->is_big = is_big;
        capsule = PyCapsule_New(made, TEMPLATE, template_destroy);
    } else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "not a header that was walked");
    if (made && !capsule)
        template_free(made);
    PyBuffer_Release(&maker.data);
    return capsule;
}

/* Whether the next `n` octets of `fixed` stand at `*at`; both are moved behind them. */
static int is_at(const unsigned char *data, uint64_t have, uint64_t *at, const unsigned char **fixed, uint64_t n)
{
    if (n > have - *at || memcmp(data + *at, *fixed, n) != 0)
        return 0;
    *fixed += n;
    *at += n;
    return 1;
}

/* The length in `n` octets at `p`. */
static uint64_t length_at(const unsigned char *p, int n, int is_big)
{
    uint64_t length = 0;
    for (int i = 0; i < n; i++)
        length |= (uint64_t)p[i] << 8 * (is_big ? n - 1 - i : i);
    return length;
}

/* Follow `made` from `*at`, at most `have`: whether the octets are the same; then with the values that are read. */
static int follow(const Template *made, const unsigned char *data, uint64_t have, uint64_t *at, Octets *values)
{
    const unsigned char *fixed = made->fixed;
    memset(values, 0, (size_t)made->read->n * sizeof(Octets));
    for (const Step *step = made->steps; step < made->steps + made->n; step++) {
        if (!is_at(data, have, at, &fixed, step->n_fixed) || have - *at < step->n_octets)
            return 0;
        uint64_t length = length_at(data + *at, step->n_octets, step->is_big);
        *at += step->n_octets;
        if (length > have - *at)
            return 0;
        if (step->value >= 0)
            values[step->value] = (Octets){data + *at, (uint32_t)length};
        *at += length;
    }
    return is_at(data, have, at, &fixed, made->n_last);
}

/* Whether what stands behind the header at `at` proves that it is whole; -1 with a Python error. */
static int is_whole(const Template *made, const unsigned char *data, uint64_t have, uint64_t size, uint64_t at,
                    PyObject *fetch)
{
    uint32_t last = 0;
    if (at >= size)
        return 0;
    const char *reason = dicom_prove(data, have, size, at, made->is_explicit, made->is_big, fetch, &last);
    return PyErr_Occurred() ? -1 : !reason && last >= PIXELS;
}

/* (number, position behind, [row], [envelope]), or (number, position behind, values by tag) where the twin has to look. */
static PyObject *answer(const Template *made, Py_ssize_t number, uint64_t at, const Octets *values)
{
    PyObject *both = made->making ? dicom_made(made->making, PyTuple_GET_ITEM(made->rows, 1),
                                               PyTuple_GET_ITEM(made->rows, 2), PyTuple_GET_ITEM(made->rows, 3), values)
                                  : Py_NewRef(Py_None);
    if (!both)
        return NULL;
    if (both != Py_None) {
        PyObject *told = Py_BuildValue("nK[O][O]", number, (unsigned long long)at, PyTuple_GET_ITEM(both, 0),
                                       PyTuple_GET_ITEM(both, 1));
        Py_DECREF(both);
        return told;
    }
    Py_DECREF(both);
    PyObject *found = PyDict_New();
    for (Py_ssize_t i = 0; found && i < made->read->n; i++) {
        if (!values[i].text)
            continue;
        PyObject *value = PyBytes_FromStringAndSize((const char *)values[i].text, values[i].n);
        if (!value || PyDict_SetItem(found, made->read->entries[i].key, value) < 0)
            Py_CLEAR(found);
        Py_XDECREF(value);
    }
    return found ? Py_BuildValue("nKN", number, (unsigned long long)at, found) : NULL;
}

/* match(data, size, templates, fetch) -> what is told by the first of the templates that the file is like, as `answer` says;
 * None where the octets are others or nothing proves that the file of `size` octets is whole: as `Templates.match`. */
PyObject *dicom_match(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 4 || !PyBytes_Check(args[0]) || !PyList_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "match(data, size, templates, fetch)");
    uint64_t size = PyLong_AsUnsignedLongLong(args[1]), have = (uint64_t)PyBytes_GET_SIZE(args[0]);
    if (PyErr_Occurred())
        return NULL;
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(args[0]);
    for (Py_ssize_t number = 0; number < PyList_GET_SIZE(args[2]); number++) {
        PyObject *capsule = PyList_GET_ITEM(args[2], number), *made = NULL;
        if (capsule == Py_None) /* made by the twin */
            continue;
        const Template *template = PyCapsule_GetPointer(capsule, TEMPLATE);
        Octets values[MOST_AGAIN];
        uint64_t at = MAGIC;
        if (!template)
            return NULL;
        if (have < MAGIC || !follow(template, data, have, &at, values))
            continue;
        Py_INCREF(capsule); /* `fetch` may change the list */
        int is_same = is_whole(template, data, have, size, at, args[3]);
        if (is_same > 0)
            made = answer(template, number, at, values);
        Py_DECREF(capsule);
        if (is_same)
            return made;
    }
    Py_RETURN_NONE;
}
