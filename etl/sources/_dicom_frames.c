/* The starts of frames, without an object a frame: the compiled twin of `outer` in etl/sources/dicom_frames.py.
 *
 * The walk tells each frame, the beginning of its content, each item of that, and the values in it, in their order; of
 * a frame the first item of its last content counts, and the last value of its kind. */
#include "_dicom.h"

#include <string.h>

void dicom_frame_begins(Fold *fold)
{
    fold->n_items = 0;
    fold->start.text = fold->lasting.text = NULL;
}

void dicom_frame_value(Fold *fold, uint32_t tag, const unsigned char *text, uint32_t n)
{
    if (fold->n_items != 1)
        return;
    if (tag == fold->started)
        fold->start = (Octets){text, n};
    else if (tag == fold->duration)
        fold->lasting = (Octets){text, n};
}

/* Octets without padding if all of them are digits and points; none otherwise. */
static uint32_t plain_length(Octets raw, int *has_digit)
{
    while (raw.n && (raw.text[raw.n - 1] == ' ' || !raw.text[raw.n - 1]))
        raw.n--;
    for (uint32_t i = 0; i < raw.n; i++) {
        if ((raw.text[i] < '0' || raw.text[i] > '9') && raw.text[i] != '.')
            return 0;
        *has_digit |= raw.text[i] != '.';
    }
    return raw.n;
}

static int is_same(Octets one, Octets other)
{
    if (!one.text || !other.text)
        return !one.text && !other.text;
    return one.n == other.n && memcmp(one.text, other.text, one.n) == 0;
}

void dicom_frame_ends(Fold *fold)
{
    Octets start = fold->start;
    if (fold->is_odd || !start.text || !start.n)
        return;
    start.n = plain_length(start, &fold->has_digit);
    if (!start.n || (fold->first.text && fold->first.n != start.n)) {
        fold->is_odd = 1;
        return;
    }
    if (!fold->first.text || memcmp(start.text, fold->first.text, start.n) < 0)
        fold->first = start;
    int i = 0;
    while (i < fold->n_last && !is_same(fold->last[i].lasting, fold->lasting))
        i++;
    if (i == MOST_DURATIONS)
        fold->is_odd = 1;
    else if (i == fold->n_last)
        fold->last[fold->n_last++] = (LastStart){fold->lasting, start};
    else if (memcmp(start.text, fold->last[i].start.text, start.n) > 0)
        fold->last[i].start = start;
}

static PyObject *bytes_of(Octets octets)
{
    return octets.text ? PyBytes_FromStringAndSize((const char *)octets.text, octets.n) : Py_NewRef(Py_None);
}

PyObject *dicom_frames_told(const Fold *fold)
{
    PyObject *last = PyDict_New(), *first = last ? bytes_of(fold->first) : NULL, *made = NULL;
    int failed = !first;
    for (int i = 0; !failed && i < fold->n_last; i++) {
        PyObject *lasting = bytes_of(fold->last[i].lasting), *start = lasting ? bytes_of(fold->last[i].start) : NULL;
        failed = !start || PyDict_SetItem(last, lasting, start) < 0;
        Py_XDECREF(lasting);
        Py_XDECREF(start);
    }
    if (!failed)
        made = PyTuple_Pack(2, first, last);
    Py_XDECREF(first);
    Py_XDECREF(last);
    return made;
}
