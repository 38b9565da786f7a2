/* The walk over DICOM elements: the compiled twin of etl/sources/dicom_walk.py, which says what is right.
 *
 * Both give the same elements, the same end and the same reason of refusal: tests compare them on every fixture, on
 * every cut and on random damage.
 *
 * No byte outside the buffer is ever read: `have` bytes are there, of an object of `size` bytes; positions are 64 bits
 * wide and lengths 32, so no sum overflows, and each read is preceded by a comparison with `have`.
 */
#include "_dicom.h"

#include <stdint.h>
#include <string.h>

static const Level NOTHING = {NULL, 0};
enum { MAX_DEPTH = 32, MAX_ELEMENTS = 50000, MAX_VALUE = 8 << 20, MAX_FRAGMENTS = 1000000 };
#define UNDEFINED 0xFFFFFFFFu
#define ITEM 0xFFFEE000u
#define ITEM_END 0xFFFEE00Du
#define SEQUENCE_END 0xFFFEE0DDu
#define VR(a, b) ((a) << 8 | (b))

typedef struct {
    const unsigned char *data;
    uint64_t have, size;
    const Plan *plan;
    Fold *fold;         /* of the frames at hand, of which no objects are made; NULL */
    int64_t n;          /* elements over all levels */
    const char *reason; /* of refusal; NULL with a failure is a Python error */
    int is_explicit, is_big;
} Walk;

static int refuse(Walk *walk, const char *reason)
{
    walk->reason = reason;
    return -1;
}

static uint32_t u16(const unsigned char *p, int is_big)
{
    return is_big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t u32(const unsigned char *p, int is_big)
{
    return is_big ? u16(p, 1) << 16 | u16(p + 2, 1) : u16(p + 2, 0) << 16 | u16(p, 0);
}

/* Octets of an element's head by its VR (PS3.5 tables 7.1-1 and 7.1-2); 0 for what is no VR. */
static int width_of(const unsigned char *vr)
{
    switch (VR(vr[0], vr[1])) {
    case VR('O', 'B'): case VR('O', 'D'): case VR('O', 'F'): case VR('O', 'L'): case VR('O', 'V'): case VR('O', 'W'):
    case VR('S', 'Q'): case VR('S', 'V'): case VR('U', 'C'): case VR('U', 'N'): case VR('U', 'R'): case VR('U', 'T'):
    case VR('U', 'V'):
        return 12;
    case VR('A', 'E'): case VR('A', 'S'): case VR('A', 'T'): case VR('C', 'S'): case VR('D', 'A'): case VR('D', 'S'):
    case VR('D', 'T'): case VR('F', 'L'): case VR('F', 'D'): case VR('I', 'S'): case VR('L', 'O'): case VR('L', 'T'):
    case VR('P', 'N'): case VR('S', 'H'): case VR('S', 'L'): case VR('S', 'S'): case VR('S', 'T'): case VR('T', 'M'):
    case VR('U', 'I'): case VR('U', 'L'): case VR('U', 'S'):
        return 8;
    default:
        return 0;
    }
}

/* Tag of the element or item at `at`; its 8 octets are there. */
static int tag_at(Walk *walk, uint64_t at, uint32_t *tag)
{
    if (at + 8 > walk->have)
        return refuse(walk, "truncated");
    const unsigned char *p = walk->data + at;
    *tag = u16(p, walk->is_big) << 16 | u16(p + 2, walk->is_big);
    return 0;
}

/* Behind `tag_at`: where the value of the element at `at` begins, and its stated length. */
static int value_at(Walk *walk, uint64_t at, uint64_t *value, uint32_t *length)
{
    const unsigned char *p = walk->data + at;
    if (!walk->is_explicit) {
        *value = at + 8;
        *length = u32(p + 4, walk->is_big);
        return 0;
    }
    int width = width_of(p + 4);
    if (!width)
        return refuse(walk, "bad_encoding");
    if (width == 12 && at + 12 > walk->have)
        return refuse(walk, "truncated");
    *length = width == 12 ? u32(p + 8, walk->is_big) : u16(p + 6, walk->is_big);
    *value = at + width;
    return 0;
}

static int is_unknown(const Walk *walk, uint64_t at)
{
    return walk->is_explicit && walk->data[at + 4] == 'U' && walk->data[at + 5] == 'N';
}

static PyObject *walk_items(Walk *walk, int is_un, uint64_t *at, uint64_t end, const Level *wanted, int depth,
                            int is_undefined);

/* Keep `made`, which is consumed; NULL is a failure. Nothing is kept of frames that are folded. */
static int keep(PyObject *found, const Entry *entry, PyObject *made)
{
    if (!made)
        return -1;
    int done = found ? PyDict_SetItem(found, entry->key, made) : 0;
    Py_DECREF(made);
    return done;
}

/* Items of an entry's sequence, as `walk_items`; frames are folded where they can be. */
static PyObject *walk_entry(Walk *walk, uint32_t tag, int is_un, uint64_t *at, uint64_t end, const Level *inner,
                            int depth, int is_undefined)
{
    Py_ssize_t cursor = 0;
    if (walk->fold && tag == walk->fold->content)
        dicom_frame_begins(walk->fold);
    const Entry *content = depth == 1 && tag == walk->plan->frames && !walk->fold
                               ? dicom_entry(inner, walk->plan->content, &cursor)
                               : NULL;
    if (!content || content->child < 0 || &walk->plan->levels[content->child] == inner)
        return walk_items(walk, is_un, at, end, inner, depth, is_undefined);
    Fold fold = {.frames = inner, .contents = &walk->plan->levels[content->child], .content = content->tag};
    uint64_t from = *at;
    int64_t n = walk->n;
    fold.started = walk->plan->started, fold.duration = walk->plan->duration;
    walk->fold = &fold;
    PyObject *made = walk_items(walk, is_un, at, end, inner, depth, is_undefined);
    walk->fold = NULL;
    if (!made)
        return NULL;
    Py_DECREF(made);
    if (!fold.is_odd && fold.has_digit)
        return dicom_frames_told(&fold);
    *at = from;
    walk->n = n;
    return walk_items(walk, is_un, at, end, inner, depth, is_undefined);
}

/* Wanted elements from `*at` into `found`, up to `end` or the first tag >= `stop`. `found` is NULL where `wanted` is
 * empty or frames are folded. Heads are read without looking at `end`: what begins before it and ends behind it is refused. */
static int walk_elements(Walk *walk, PyObject *found, uint64_t *position, uint64_t end, const Level *wanted, int depth,
                         uint32_t stop, int64_t *last)
{
    if (depth > MAX_DEPTH)
        return refuse(walk, "too_deep");
    uint64_t at = *position;
    Py_ssize_t cursor = 0;
    int64_t n = 0;
    *last = -1;
    for (; at < end; n++) {
        uint32_t tag, length;
        uint64_t value;
        if (n > MAX_ELEMENTS)
            return refuse(walk, "too_many_elements");
        if (tag_at(walk, at, &tag) < 0)
            return -1;
        if (tag >= stop)
            break;
        if ((int64_t)tag <= *last && !depth)
            return refuse(walk, "unordered_tags");
        *last = tag;
        if (value_at(walk, at, &value, &length) < 0)
            return -1;
        const Entry *entry = dicom_entry(wanted, tag, &cursor);
        uint64_t next = value + length;
        if (next > end) {
            if (length != UNDEFINED)
                return refuse(walk, "truncated");
            if (entry && entry->child < 0)
                return refuse(walk, "bad_encoding");
            const Level *inner = entry ? &walk->plan->levels[entry->child] : &NOTHING;
            next = value;
            PyObject *items = entry ? walk_entry(walk, tag, is_unknown(walk, at), &next, end, inner, depth + 1, 1)
                                    : walk_items(walk, is_unknown(walk, at), &next, end, inner, depth + 1, 1);
            if (!items)
                return -1;
            if (!inner->n)
                Py_DECREF(items);
            else if (keep(found, entry, items) < 0)
                return -1;
        } else if (entry && entry->child >= 0) {
            uint64_t from = value;
            const Level *inner = &walk->plan->levels[entry->child];
            PyObject *items = walk_entry(walk, tag, is_unknown(walk, at), &from, next, inner, depth + 1, 0);
            if (keep(found, entry, items) < 0)
                return -1;
        } else if (entry) {
            if (length > MAX_VALUE)
                return refuse(walk, "value_too_large");
            if (next > walk->have)
                return refuse(walk, "truncated");
            if (walk->fold)
                dicom_frame_value(walk->fold, tag, walk->data + value, length);
            else if (keep(found, entry, PyBytes_FromStringAndSize((const char *)walk->data + value, length)) < 0)
                return -1;
        }
        at = next;
    }
    if (n > MAX_ELEMENTS)
        return refuse(walk, "too_many_elements");
    walk->n += n;
    if (walk->n > MAX_ELEMENTS)
        return refuse(walk, "too_many_elements");
    *position = at;
    return 0;
}

/* One item at `*at`, which is moved behind it: 1, or 0 at the end of the sequence. `made` is NULL if nothing is wanted. */
static int walk_item(Walk *walk, PyObject *made, uint64_t *at, uint64_t end, const Level *wanted, int depth,
                     int is_undefined)
{
    uint32_t tag, length;
    int64_t last;
    if (tag_at(walk, *at, &tag) < 0)
        return -1;
    length = u32(walk->data + *at + 4, walk->is_big);
    *at += 8;
    if (++walk->n > MAX_ELEMENTS)
        return refuse(walk, "too_many_elements");
    if (tag == SEQUENCE_END && is_undefined)
        return 0;
    if (tag != ITEM)
        return refuse(walk, "bad_encoding");
    if (walk->fold && wanted == walk->fold->frames)
        dicom_frame_begins(walk->fold);
    else if (walk->fold && wanted == walk->fold->contents)
        walk->fold->n_items++;
    if (length == UNDEFINED) {
        if (walk_elements(walk, made, at, end, wanted, depth, ITEM_END, &last) < 0 || tag_at(walk, *at, &tag) < 0)
            return -1;
        if (tag != ITEM_END || u32(walk->data + *at + 4, walk->is_big))
            return refuse(walk, "bad_encoding");
        *at += 8;
        return 1;
    }
    uint64_t from = *at;
    *at += length;
    if (*at > end)
        return refuse(walk, "truncated");
    if (wanted->n) {
        if (walk_elements(walk, made, &from, *at, wanted, depth, ITEM_END, &last) < 0)
            return -1;
        if (from != *at)
            return refuse(walk, "bad_encoding");
    }
    return 1;
}

/* Items of a sequence up to its end; those with a length are stepped over where nothing in them is wanted. */
static PyObject *walk_items(Walk *walk, int is_un, uint64_t *at, uint64_t end, const Level *wanted, int depth,
                            int is_undefined)
{
    int was_explicit = walk->is_explicit, was_big = walk->is_big;
    PyObject *found = walk->fold ? Py_NewRef(Py_None) : PyList_New(0);
    int more = found ? 1 : -1;
    if (is_un) /* PS3.5 6.2.2 note 2: whatever it is, it is encoded in implicit VR little endian */
        walk->is_explicit = walk->is_big = 0;
    while (more > 0 && (is_undefined || *at < end)) {
        int is_made = wanted->n && !walk->fold;
        PyObject *made = is_made ? PyDict_New() : NULL;
        if (is_made && !made)
            more = -1;
        else
            more = walk_item(walk, made, at, end, wanted, depth, is_undefined);
        if (more > 0 && made && PyList_Append(found, made) < 0)
            more = -1;
        if (more > 0 && walk->fold && wanted == walk->fold->frames)
            dicom_frame_ends(walk->fold);
        Py_XDECREF(made);
    }
    walk->is_explicit = was_explicit;
    walk->is_big = was_big;
    if (more >= 0 && *at > end)
        more = refuse(walk, "truncated");
    if (more < 0)
        Py_CLEAR(found);
    return found;
}

/* What a call gives: `made`, the reason of refusal as text, or a Python error. */
static PyObject *answer(Walk *walk, PyObject *made)
{
    return made || PyErr_Occurred() ? made : PyUnicode_FromString(walk->reason ? walk->reason : "bad_encoding");
}

/* data and size -> walk; `size` is that of the whole object, of which `data` is the first part or all. */
static void walk_start(Walk *walk, const Py_buffer *data, unsigned long long size, int is_explicit, int is_big)
{
    *walk = (Walk){.data = data->buf, .have = (uint64_t)data->len, .size = size};
    walk->is_explicit = is_explicit;
    walk->is_big = is_big;
    if (walk->have > walk->size)
        walk->have = walk->size;
}

static PyObject *dicom_top(PyObject *self, PyObject *args)
{
    Py_buffer data;
    unsigned long long size, at;
    unsigned int stop;
    int is_explicit, is_big;
    PyObject *capsule, *found, *made = NULL;
    Walk walk;
    int64_t last;
    if (!PyArg_ParseTuple(args, "y*KKppOI", &data, &size, &at, &is_explicit, &is_big, &capsule, &stop))
        return NULL;
    const Plan *plan = dicom_plan_of(capsule);
    if (plan && at > size)
        PyErr_SetString(PyExc_ValueError, "a position behind the end");
    else if (plan && (found = PyDict_New())) {
        uint64_t position = at;
        walk_start(&walk, &data, size, is_explicit, is_big);
        walk.plan = plan;
        if (walk_elements(&walk, found, &position, walk.size, &plan->levels[0], 0, stop, &last) == 0)
            made = Py_BuildValue("OLK", found, (long long)last, (unsigned long long)position);
        made = answer(&walk, made);
        Py_DECREF(found);
    }
    PyBuffer_Release(&data);
    return made;
}

int dicom_place(const Py_buffer *data, int is_explicit, int is_big, uint32_t stop, Place *place)
{
    Walk walk;
    uint32_t length;
    walk_start(&walk, data, (unsigned long long)data->len, is_explicit, is_big);
    if (tag_at(&walk, place->at, &place->tag) < 0)
        return -1;
    if (place->tag >= stop)
        return 1;
    if (value_at(&walk, place->at, &place->value, &length) < 0)
        return -1;
    place->after = place->value + length;
    if (length != UNDEFINED)
        return place->after > walk.have ? -1 : 0;
    place->after = place->value;
    place->value = place->at;
    PyObject *items = walk_items(&walk, is_unknown(&walk, place->at), &place->after, walk.size, &NOTHING, 1, 1);
    Py_XDECREF(items);
    return items ? 0 : -1;
}

/* The 8 octets of a mark at `at`, from the data or, behind it, from `fetch`. */
static int mark_at(Walk *walk, uint64_t at, PyObject *fetch, unsigned char *mark)
{
    if (at + 8 <= walk->have) {
        memcpy(mark, walk->data + at, 8);
        return 0;
    }
    if (fetch == Py_None)
        return refuse(walk, "truncated");
    PyObject *told = PyObject_CallFunction(fetch, "Ki", (unsigned long long)at, 8);
    int is_there = told && PyBytes_Check(told) && PyBytes_GET_SIZE(told) == 8;
    if (is_there)
        memcpy(mark, PyBytes_AS_STRING(told), 8);
    Py_XDECREF(told);
    return is_there ? 0 : refuse(walk, "truncated");
}

static int walk_fragments(Walk *walk, uint64_t at, PyObject *fetch)
{
    unsigned char octets[8];
    for (int i = 0; i < MAX_FRAGMENTS; i++) {
        if (mark_at(walk, at, fetch, octets) < 0 || (i % 1024 == 1023 && PyErr_CheckSignals() < 0))
            return -1;
        uint32_t mark = u16(octets, walk->is_big) << 16 | u16(octets + 2, walk->is_big);
        uint32_t length = u32(octets + 4, walk->is_big);
        if (mark == SEQUENCE_END)
            return 0;
        if (mark != ITEM || length == UNDEFINED)
            return refuse(walk, "bad_encoding");
        at += 8 + (uint64_t)length;
    }
    return refuse(walk, "too_many_elements");
}

const char *dicom_prove(const unsigned char *data, uint64_t have, uint64_t size, uint64_t at, int is_explicit,
                        int is_big, PyObject *fetch, uint32_t *tag)
{
    Walk walk = {.data = data, .have = have < size ? have : size, .size = size};
    uint64_t value;
    uint32_t length;
    walk.is_explicit = is_explicit;
    walk.is_big = is_big;
    if (tag_at(&walk, at, tag) < 0 || value_at(&walk, at, &value, &length) < 0)
        return walk.reason;
    if (length == UNDEFINED)
        return walk_fragments(&walk, value, fetch) < 0 && !PyErr_Occurred() ? walk.reason : NULL;
    return value + length > size ? "truncated" : NULL;
}

static PyObject *dicom_rest(PyObject *self, PyObject *args)
{
    Py_buffer data;
    unsigned long long size, at;
    int is_explicit, is_big;
    uint32_t tag;
    PyObject *fetch = Py_None, *made = NULL;
    if (!PyArg_ParseTuple(args, "y*KKpp|O", &data, &size, &at, &is_explicit, &is_big, &fetch))
        return NULL;
    if (at > size)
        PyErr_SetString(PyExc_ValueError, "a position behind the end");
    else {
        const char *reason = dicom_prove(data.buf, (uint64_t)data.len, size, at, is_explicit, is_big, fetch, &tag);
        if (!PyErr_Occurred())
            made = reason ? PyUnicode_FromString(reason) : PyLong_FromUnsignedLong(tag);
    }
    PyBuffer_Release(&data);
    return made;
}

static PyMethodDef METHODS[] = {
    {"plan", dicom_plan, METH_VARARGS, NULL},
    {"top", dicom_top, METH_VARARGS, NULL},
    {"rest", dicom_rest, METH_VARARGS, NULL},
    {"template", dicom_template, METH_VARARGS, NULL},
    {"match", (PyCFunction)(void (*)(void))dicom_match, METH_FASTCALL, NULL},
    {"making", dicom_making, METH_VARARGS, NULL},
    {"moment", (PyCFunction)(void (*)(void))dicom_moment, METH_FASTCALL, NULL},
    {"instants", (PyCFunction)(void (*)(void))dicom_instants, METH_FASTCALL, NULL},
    {"table", dicom_table, METH_O, NULL},
    {"fields", (PyCFunction)(void (*)(void))dicom_fields, METH_FASTCALL, NULL},
    {"texts", (PyCFunction)(void (*)(void))dicom_texts, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_start(PyObject *module)
{
    PyObject *limits = Py_BuildValue("iiii", MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE, MAX_FRAGMENTS);
    int done = limits ? PyModule_AddObjectRef(module, "LIMITS", limits) : -1;
    Py_XDECREF(limits);
    return done < 0 || PyModule_AddIntConstant(module, "VERSION", DICOM_VERSION) < 0 || dicom_times_start() < 0
               ? -1
               : dicom_values_start();
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, module_start}, {0, NULL}};
static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, .m_name = "etl.sources._dicom", .m_methods = METHODS, .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__dicom(void)
{
    return PyModuleDef_Init(&MODULE);
}
