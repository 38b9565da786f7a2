/* The row of an image like one before: the compiled twin of `_told` in etl/sources/dicom_series.py, where all that is read
 * again is plain. */
#include "_dicom.h"

#define MAKING "etl.sources._dicom.making"
enum { MOST_EXPOSED = 16 };

/* A column of the exposure: the number of its value, its place in the row, and whether it is a number in digits. */
typedef struct {
    int value, is_decimal;
    Py_ssize_t place;
} Exposed;

/* Of what is read again the number of its value, and its place in the row or the envelope. */
struct Making {
    PyObject *rung, *hashed;
    int uid, stated, created_day, created_clock, day, clock;
    Py_ssize_t at, at_clock, precision, zone, message_id, sop_hash, message_at, told_at;
    Exposed exposed[MOST_EXPOSED];
    Py_ssize_t n_exposed;
    int n_values;
    Py_ssize_t n_places; /* of the row at least */
};

static void making_destroy(PyObject *capsule)
{
    Making *making = PyCapsule_GetPointer(capsule, MAKING);
    Py_DECREF(making->rung);
    Py_DECREF(making->hashed);
    PyMem_Free(making);
}

const Making *dicom_making_of(PyObject *capsule, Py_ssize_t n_values, PyObject *row, PyObject *envelope)
{
    const Making *making = PyCapsule_GetPointer(capsule, MAKING);
    if (!making)
        return NULL;
    if (making->n_values <= n_values && PyTuple_Check(row) && PyTuple_Check(envelope) &&
        making->n_places <= PyTuple_GET_SIZE(row) && making->told_at < PyTuple_GET_SIZE(envelope))
        return making;
    PyErr_SetString(PyExc_ValueError, "too few values or places");
    return NULL;
}

/* Whether these are a number of a value and a place of the row; how many there must be is kept. */
static int is_there(Making *making, int value, Py_ssize_t place)
{
    if (value < 0 || value >= MOST_AGAIN || place < 0 || place > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "no such value or place");
        return 0;
    }
    if (value >= making->n_values)
        making->n_values = value + 1;
    if (place >= making->n_places)
        making->n_places = place + 1;
    return 1;
}

/* Keep tuples (number of the value, place, is it a number in digits); 0 with a Python error. */
static int keep_exposed(Making *making, PyObject *listed)
{
    Py_ssize_t n = PyTuple_GET_SIZE(listed);
    if (n > MOST_EXPOSED)
        return PyErr_Format(PyExc_ValueError, "too many columns") != NULL;
    for (; making->n_exposed < n; making->n_exposed++) {
        Exposed *one = &making->exposed[making->n_exposed];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(listed, making->n_exposed), "inp", &one->value, &one->place,
                              &one->is_decimal) ||
            !is_there(making, one->value, one->place))
            return 0;
    }
    return 1;
}

/* making(rung, hashed, numbers, places, told_at, exposed) -> making, as `template` takes it.
 *
 * `rung` is the name of the clock and `hashed` gives the name of a UID; `numbers` are those of the values UID, stated instant,
 * day and time of creation, day and time of acquisition; `places` those of instant, clock, precision, zone, message, object
 * and its time in the row, `told_at` of that in the envelope; `exposed` are tuples as `keep_exposed` says. */
PyObject *dicom_making(PyObject *self, PyObject *args)
{
    Making told = {0};
    PyObject *exposed;
    if (!PyArg_ParseTuple(args, "OO(iiiiii)(nnnnnnn)nO!", &told.rung, &told.hashed, &told.uid, &told.stated,
                          &told.created_day, &told.created_clock, &told.day, &told.clock, &told.at, &told.at_clock,
                          &told.precision, &told.zone, &told.message_id, &told.sop_hash, &told.message_at, &told.told_at,
                          &PyTuple_Type, &exposed))
        return NULL;
    if (!is_there(&told, told.uid, told.at) || !is_there(&told, told.stated, told.at_clock) ||
        !is_there(&told, told.created_day, told.precision) || !is_there(&told, told.created_clock, told.zone) ||
        !is_there(&told, told.day, told.message_id) || !is_there(&told, told.clock, told.sop_hash) ||
        !is_there(&told, told.uid, told.message_at) || !keep_exposed(&told, exposed))
        return NULL;
    if (told.told_at < 0)
        return PyErr_Format(PyExc_ValueError, "no such place");
    Making *making = PyMem_Malloc(sizeof(Making));
    PyObject *capsule = making ? PyCapsule_New(making, MAKING, making_destroy) : PyErr_NoMemory();
    if (!capsule) {
        PyMem_Free(making);
        return NULL;
    }
    *making = told;
    Py_INCREF(making->rung);
    Py_INCREF(making->hashed);
    return capsule;
}

/* A copy that nobody else has. */
static PyObject *copied(PyObject *row)
{
    Py_ssize_t n = PyTuple_GET_SIZE(row);
    PyObject *made = PyTuple_New(n);
    for (Py_ssize_t i = 0; made && i < n; i++)
        PyTuple_SET_ITEM(made, i, Py_NewRef(PyTuple_GET_ITEM(row, i)));
    return made;
}

/* Put `value`, a new reference, at `place` of a row that nobody else has. */
static void put(PyObject *row, Py_ssize_t place, PyObject *value)
{
    PyObject *before = PyTuple_GET_ITEM(row, place);
    PyTuple_SET_ITEM(row, place, value);
    Py_DECREF(before);
}

/* The name of the object: 1, 0 where the twin has to look, -1 with a Python error. */
static int put_name(const Making *making, Octets uid, PyObject *made)
{
    uid = dicom_stripped(uid);
    for (uint32_t i = 0; i < uid.n; i++)
        if (uid.text[i] > 0x7F)
            return 0;
    if (!uid.n)
        return 0;
    PyObject *text = PyUnicode_DecodeASCII((const char *)uid.text, uid.n, NULL);
    PyObject *named = text ? PyObject_CallOneArg(making->hashed, text) : NULL;
    Py_XDECREF(text);
    if (!named)
        return -1;
    put(made, making->message_id, Py_NewRef(named));
    put(made, making->sop_hash, named);
    return 1;
}

/* When it was made and when it was taken: 1, or 0 where the twin has to look. */
static int put_times(const Making *making, const Octets *values, PyObject *hours, PyObject *made,
                     PyObject *told)
{
    PyObject *known, *local, *precision, *created = Py_NewRef(Py_None);
    if (values[making->stated].text) {
        Py_DECREF(created);
        return 0;
    }
    if (values[making->created_day].n)
        Py_SETREF(created, dicom_instant(values[making->created_day], values[making->created_clock], hours));
    put(made, making->message_at, Py_NewRef(created));
    put(told, making->told_at, Py_NewRef(created));
    Py_DECREF(created); /* the row holds it */
    if (created == Py_Ellipsis ||
        !dicom_local(values[making->day], values[making->clock], hours, &known, &local, &precision))
        return 0;
    PyObject *at = PyNumber_Subtract(local, PyTuple_GET_ITEM(known, 0));
    if (at) {
        put(made, making->at, at);
        put(made, making->at_clock, Py_NewRef(making->rung));
        put(made, making->precision, Py_NewRef(precision));
        put(made, making->zone, Py_NewRef(PyTuple_GET_ITEM(known, 1)));
    } else
        PyErr_Clear(); /* beyond the calendar: the twin says so */
    Py_DECREF(known);
    Py_DECREF(local);
    return at != NULL;
}

/* The exposure: as `put_name`. Of values of one column the first that says something counts. */
static int put_exposure(const Making *making, const Octets *values, PyObject *made)
{
    for (const Exposed *one = making->exposed; one < making->exposed + making->n_exposed; one++)
        put(made, one->place, Py_NewRef(Py_None));
    for (const Exposed *one = making->exposed; one < making->exposed + making->n_exposed; one++) {
        if (!values[one->value].n || PyTuple_GET_ITEM(made, one->place) != Py_None)
            continue;
        PyObject *value = one->is_decimal ? dicom_decimal(values[one->value]) : NULL;
        if (!value)
            return PyErr_Occurred() ? -1 : 0;
        put(made, one->place, value);
    }
    return 1;
}

PyObject *dicom_made(const Making *making, PyObject *row, PyObject *envelope, PyObject *hours, const Octets *values)
{
    PyObject *made = copied(row), *told = made ? copied(envelope) : NULL, *both = NULL;
    int is_plain = told ? put_times(making, values, hours, made, told) : -1;
    if (is_plain > 0)
        is_plain = put_exposure(making, values, made);
    if (is_plain > 0)
        is_plain = put_name(making, values[making->uid], made);
    if (is_plain >= 0)
        both = is_plain ? PyTuple_Pack(2, made, told) : Py_NewRef(Py_None);
    Py_XDECREF(made);
    Py_XDECREF(told);
    return both;
}
