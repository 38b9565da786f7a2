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
    PyObject *key; /* the tag, if the value is read; NULL */
} Step;

typedef struct {
    unsigned char *fixed; /* of all steps, then those behind the last */
    int is_explicit, is_big;
    uint64_t n_last;
    Step *steps;
    Py_ssize_t n, most;
} Template;

static void template_free(Template *made)
{
    for (Py_ssize_t i = 0; i < made->n; i++)
        Py_XDECREF(made->steps[i].key);
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
static int add_step(Maker *maker, const Place *place, int is_explicit, int is_big, PyObject *key)
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
    made->steps[made->n++] = (Step){(uint32_t)n_fixed, n_octets, (unsigned char)is_big, Py_XNewRef(key)};
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
        if (is_needed || is_fixed || place.value == place.at)
            continue;
        if (add_step(maker, &place, is_explicit, is_big, read ? read->key : NULL) < 0)
            return -1;
    }
    *at = place.at;
    return PyErr_Occurred() ? -1 : 0;
}

/* template(head, at, is_explicit, is_big, meta, wanted, again) -> template.
 *
 * `head` is a header that was walked, all of it, its data set from `at` on; `meta`, `wanted` and `again` are plans. */
PyObject *dicom_template(PyObject *self, PyObject *args)
{
    Maker maker = {.from = MAGIC};
    unsigned long long body;
    int is_explicit, is_big;
    PyObject *meta, *wanted, *again, *capsule = NULL;
    if (!PyArg_ParseTuple(args, "y*KppOOO", &maker.data, &body, &is_explicit, &is_big, &meta, &wanted, &again))
        return NULL;
    const Plan *in_meta = dicom_plan_of(meta), *in_body = in_meta ? dicom_plan_of(wanted) : NULL;
    const Plan *read = in_body ? dicom_plan_of(again) : NULL;
    Template *made = read ? PyMem_Calloc(1, sizeof(Template)) : NULL;
    uint64_t at = FIRST, have = (uint64_t)maker.data.len;
    int done = made && (made->fixed = PyMem_Malloc((size_t)have + 1)) ? 0 : -1;
    if (read && done < 0)
        PyErr_NoMemory();
    maker.made = made;
    if (done == 0 && (have < FIRST || have > UINT32_MAX))
        done = -1;
    if (done == 0 && body > FIRST)
        done = add_stretch(&maker, &at, 1, 0, META_END, in_meta->levels, NULL, 0);
    if (done == 0)
        done = at == body ? add_stretch(&maker, &at, is_explicit, is_big, PIXELS, in_body->levels, read->levels, 1) : -1;
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

/* Follow `made` from `*at`, at most `have`: 1 with the values that are read in `found`, 0 where the octets are others,
 * -1 with a Python error. */
static int follow(const Template *made, const unsigned char *data, uint64_t have, uint64_t *at, PyObject *found)
{
    const unsigned char *fixed = made->fixed;
    for (const Step *step = made->steps; step < made->steps + made->n; step++) {
        if (!is_at(data, have, at, &fixed, step->n_fixed) || have - *at < step->n_octets)
            return 0;
        uint64_t length = length_at(data + *at, step->n_octets, step->is_big);
        *at += step->n_octets;
        if (length > have - *at)
            return 0;
        if (step->key) {
            PyObject *value = PyBytes_FromStringAndSize((const char *)data + *at, (Py_ssize_t)length);
            int done = value ? PyDict_SetItem(found, step->key, value) : -1;
            Py_XDECREF(value);
            if (done < 0)
                return -1;
        }
        *at += length;
    }
    return is_at(data, have, at, &fixed, made->n_last);
}

/* match(data, size, template, fetch) -> (values by tag, position behind), or None where the octets are others or nothing
 * proves that the file of `size` octets is whole: as `Template.match`. */
PyObject *dicom_match(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 4 || !PyBytes_Check(args[0]))
        return PyErr_Format(PyExc_TypeError, "match(data, size, template, fetch)");
    const Template *template = PyCapsule_GetPointer(args[2], TEMPLATE);
    uint64_t size = template ? PyLong_AsUnsignedLongLong(args[1]) : 0, have = (uint64_t)PyBytes_GET_SIZE(args[0]);
    if (PyErr_Occurred())
        return NULL;
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(args[0]);
    uint64_t at = MAGIC;
    uint32_t last = 0;
    PyObject *found = PyDict_New(), *made = NULL;
    int is_same = !found ? -1 : have < MAGIC ? 0 : follow(template, data, have, &at, found);
    if (is_same > 0 && at >= size)
        is_same = 0;
    if (is_same > 0) {
        const char *reason = dicom_prove(data, have, size, at, template->is_explicit, template->is_big, args[3], &last);
        is_same = PyErr_Occurred() ? -1 : !reason && last >= PIXELS;
    }
    if (is_same > 0)
        made = Py_BuildValue("OK", found, (unsigned long long)at);
    else if (is_same == 0)
        made = Py_NewRef(Py_None);
    Py_XDECREF(found);
    return made;
}
