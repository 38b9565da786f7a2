/* What headers have in common: the compiled twin of `_follow` and `_differing` in etl/sources/dicom_template.py. */
#include "_dicom.h"

#include <string.h>

/* Whether `fixed` stands at `*at`, which is moved behind it. */
static int is_at(PyObject *data, PyObject *fixed, uint64_t *at)
{
    uint64_t have = (uint64_t)PyBytes_GET_SIZE(data), n = (uint64_t)PyBytes_GET_SIZE(fixed);
    if (*at > have || n > have - *at || memcmp(PyBytes_AS_STRING(data) + *at, PyBytes_AS_STRING(fixed), n) != 0)
        return 0;
    *at += n;
    return 1;
}

/* One step: 1 where the octets are the same, 0 where they are not, -1 with a Python error. */
static int follow_step(PyObject *data, PyObject *step, uint64_t *at, PyObject *found)
{
    if (!PyTuple_Check(step) || PyTuple_GET_SIZE(step) != 4 || !PyBytes_Check(PyTuple_GET_ITEM(step, 0))) {
        PyErr_SetString(PyExc_TypeError, "a step is (octets, octets of the length, is_big, tag)");
        return -1;
    }
    PyObject *tag = PyTuple_GET_ITEM(step, 3);
    long n_octets = PyLong_AsLong(PyTuple_GET_ITEM(step, 1));
    int is_big = PyTuple_GET_ITEM(step, 2) == Py_True;
    if (n_octets != 2 && n_octets != 4) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "a length has 2 or 4 octets");
        return -1;
    }
    uint64_t have = (uint64_t)PyBytes_GET_SIZE(data), length = 0;
    if (!is_at(data, PyTuple_GET_ITEM(step, 0), at) || have - *at < (uint64_t)n_octets)
        return 0;
    const unsigned char *p = (const unsigned char *)PyBytes_AS_STRING(data) + *at;
    for (long i = 0; i < n_octets; i++)
        length |= (uint64_t)p[i] << 8 * (is_big ? n_octets - 1 - i : i);
    *at += (uint64_t)n_octets;
    if (length > have - *at)
        return 0;
    if (tag != Py_None) {
        PyObject *value = PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + *at, (Py_ssize_t)length);
        int done = value ? PyDict_SetItem(found, tag, value) : -1;
        Py_XDECREF(value);
        if (done < 0)
            return -1;
    }
    *at += length;
    return 1;
}

/* follow(data, steps, last, at) -> (values by tag, position behind), or None where the octets are others. */
PyObject *dicom_follow(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 4 || !PyBytes_Check(args[0]) || !PyTuple_Check(args[1]) || !PyBytes_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "follow(data, steps, last, at)");
    uint64_t at = PyLong_AsUnsignedLongLong(args[3]);
    if (PyErr_Occurred())
        return NULL;
    PyObject *found = PyDict_New(), *made = NULL;
    int is_same = found ? 1 : -1;
    for (Py_ssize_t i = 0; is_same > 0 && i < PyTuple_GET_SIZE(args[1]); i++)
        is_same = follow_step(args[0], PyTuple_GET_ITEM(args[1], i), &at, found);
    if (is_same > 0)
        is_same = is_at(args[0], args[2], &at);
    if (is_same > 0)
        made = Py_BuildValue("OK", found, (unsigned long long)at);
    else if (is_same == 0)
        made = Py_NewRef(Py_None);
    Py_XDECREF(found);
    return made;
}

/* An element in other octets, where it begins at `there`: 1 the same, 0 another value, whose end is `*end`, -1 not even of
 * that tag. */
static int compare_at(const Py_buffer *data, const Py_buffer *other, int is_explicit, int is_big, const Place *place,
                      uint64_t there, uint64_t *end)
{
    const unsigned char *own = (const unsigned char *)data->buf + place->at;
    const unsigned char *its = (const unsigned char *)other->buf + there;
    uint64_t left = (uint64_t)other->len - there, n = place->after - place->at, n_head = place->value - place->at;
    uint64_t n_octets = is_explicit && n_head == 8 ? 2 : 4, length = 0;
    *end = there + n;
    if (n <= left && memcmp(own, its, n) == 0)
        return 1;
    if (!n_head || n_head > left || memcmp(own, its, n_head - n_octets) != 0)
        return -1;
    for (uint64_t i = 0; i < n_octets; i++)
        length |= (uint64_t)its[n_head - n_octets + i] << 8 * (is_big ? n_octets - 1 - i : i);
    *end = there + n_head + length;
    return length > left - n_head ? -1 : 0;
}

static int by_tag(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

/* Tags of the set `kept` in order, to be freed; NULL with a Python error. */
static uint32_t *tags_of(PyObject *kept, Py_ssize_t *n)
{
    Py_ssize_t most = PyObject_Size(kept);
    uint32_t *tags = most < 0 ? NULL : PyMem_Calloc((size_t)most + 1, sizeof(uint32_t));
    PyObject *tag, *each = tags ? PyObject_GetIter(kept) : NULL;
    *n = 0;
    while (each && *n < most && (tag = PyIter_Next(each))) {
        tags[(*n)++] = (uint32_t)PyLong_AsUnsignedLong(tag);
        Py_DECREF(tag);
    }
    Py_XDECREF(each);
    if (PyErr_Occurred() || !tags) {
        PyMem_Free(tags);
        return PyErr_Occurred() ? NULL : (uint32_t *)PyErr_NoMemory();
    }
    qsort(tags, (size_t)*n, sizeof(uint32_t), by_tag);
    return tags;
}

static int is_among(const uint32_t *tags, Py_ssize_t n, uint32_t tag)
{
    Py_ssize_t low = 0;
    while (n > 0) {
        Py_ssize_t half = n / 2;
        if (tags[low + half] < tag)
            low += half + 1, n -= half + 1;
        else if (tags[low + half] > tag)
            n = half;
        else
            return 1;
    }
    return 0;
}

/* Append a place; -1 with a Python error. */
static int add_place(PyObject *found, const Place *place)
{
    PyObject *made = Py_BuildValue("IKKK", (unsigned int)place->tag, (unsigned long long)place->at,
                                   (unsigned long long)place->value, (unsigned long long)place->after);
    int failed = made ? PyList_Append(found, made) : -1;
    Py_XDECREF(made);
    return failed;
}

/* differing(data, at, other, there, is_explicit, is_big, stop, kept) -> (places, position, position there), or None.
 *
 * Places (tag, at, value, after) of the elements of `data` that have another value in `other` or are in `kept`. */
PyObject *dicom_differing(PyObject *self, PyObject *args)
{
    Py_buffer data, other;
    unsigned long long at, there;
    unsigned int stop;
    int is_explicit, is_big, is_same = 1, found_at = 0;
    PyObject *kept, *made = NULL;
    if (!PyArg_ParseTuple(args, "y*Ky*KppIO", &data, &at, &other, &there, &is_explicit, &is_big, &stop, &kept))
        return NULL;
    Py_ssize_t n_kept;
    uint32_t *tags = tags_of(kept, &n_kept);
    PyObject *found = tags ? PyList_New(0) : NULL;
    Place place = {.at = at};
    int failed = !found;
    while (!failed && is_same >= 0 && place.at < (uint64_t)data.len) {
        uint64_t end;
        found_at = dicom_place(&data, is_explicit, is_big, stop, &place);
        if (found_at > 0)
            break;
        is_same = found_at < 0 || there > (uint64_t)other.len
                      ? -1
                      : compare_at(&data, &other, is_explicit, is_big, &place, there, &end);
        if (is_same < 0)
            break;
        if (!is_same || (place.value != place.at && is_among(tags, n_kept, place.tag)))
            failed = add_place(found, &place) < 0;
        place.at = place.after;
        there = end;
    }
    if (!failed && !PyErr_Occurred())
        made = is_same < 0 ? Py_NewRef(Py_None) : Py_BuildValue("OKK", found, (unsigned long long)place.at, there);
    Py_XDECREF(found);
    PyMem_Free(tags);
    PyBuffer_Release(&data);
    PyBuffer_Release(&other);
    return made;
}
