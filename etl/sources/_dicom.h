/* What the files of etl.sources._dicom share. */
#ifndef RADOPS_DICOM_H
#define RADOPS_DICOM_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/sources/dicom_kernel.py). */
#define DICOM_VERSION 7

/* Wanted tags: levels of sorted entries; an entry is a value, or a sequence whose items have a level. */
typedef struct {
    uint32_t tag;
    int child; /* number of the level wanted of its items, -1 for a value */
    PyObject *key;
} Entry;

typedef struct {
    Entry *entries;
    Py_ssize_t n;
} Level;

typedef struct {
    Level *levels;
    Py_ssize_t n;
    uint32_t frames, content, started, duration; /* tags of frames that are folded; 0 where none are */
} Plan;

/* The plan of a capsule, which owns it; it has at least one level. NULL with a Python error. */
const Plan *dicom_plan_of(PyObject *capsule);

/* The entry of `tag`, NULL where it is not wanted. `cursor` follows tags that ascend. */
static inline const Entry *dicom_entry(const Level *level, uint32_t tag, Py_ssize_t *cursor)
{
    Py_ssize_t i = *cursor;
    if (i && level->entries[i - 1].tag >= tag)
        i = 0;
    while (i < level->n && level->entries[i].tag < tag)
        i++;
    *cursor = i;
    return i < level->n && level->entries[i].tag == tag ? &level->entries[i] : NULL;
}

typedef struct {
    const unsigned char *text; /* NULL: there are none */
    uint32_t n;
} Octets;

/* Those of a bytes object; none of anything else, or of more than fit. */
static inline Octets dicom_octets(PyObject *raw)
{
    if (!raw || !PyBytes_Check(raw) || PyBytes_GET_SIZE(raw) > (Py_ssize_t)UINT32_MAX)
        return (Octets){NULL, 0};
    return (Octets){(const unsigned char *)PyBytes_AS_STRING(raw), (uint32_t)PyBytes_GET_SIZE(raw)};
}

/* Octets without outer blanks and padding. */
static inline Octets dicom_stripped(Octets raw)
{
    while (raw.n && (raw.text[raw.n - 1] == ' ' || !raw.text[raw.n - 1]))
        raw.n--;
    while (raw.n && (*raw.text == ' ' || !*raw.text))
        raw.text++, raw.n--;
    return raw;
}

typedef struct {
    Octets lasting, start;
} LastStart;

enum { MOST_DURATIONS = 8 };

/* Frames that are folded as they are walked, by etl/sources/_dicom_frames.c; all octets lie in the data of the walk. */
typedef struct {
    const Level *frames, *contents;
    uint32_t content, started, duration;
    int n_items; /* of the content of the frame at hand, whose values are */
    Octets start, lasting;
    int is_odd, has_digit, n_last;
    Octets first;
    LastStart last[MOST_DURATIONS];
} Fold;

/* A frame begins, or its content does. */
void dicom_frame_begins(Fold *fold);
void dicom_frame_value(Fold *fold, uint32_t tag, const unsigned char *text, uint32_t n);
void dicom_frame_ends(Fold *fold);

/* (first start, last start by duration) of frames that are not odd and have a digit. */
PyObject *dicom_frames_told(const Fold *fold);

/* An element: where it begins, where its value begins (again its begin, if its length is undefined), where it ends. */
typedef struct {
    uint32_t tag;
    uint64_t at, value, after;
} Place;

/* Find the element that begins at `place->at`, of octets that were walked before: 0, 1 where its tag is `stop` or later,
 * -1 where there is none. */
int dicom_place(const Py_buffer *data, int is_explicit, int is_big, uint32_t stop, Place *place);

/* Prove that the element at `at` is whole, as `Walker.rest`, and tell its tag; `fetch` is None or gives what lies behind
 * the first `have` octets. The reason where it is not; NULL with a Python error where `fetch` failed. */
const char *dicom_prove(const unsigned char *data, uint64_t have, uint64_t size, uint64_t at, int is_explicit,
                        int is_big, PyObject *fetch, uint32_t *tag);

/* A number in digits, None where nothing is stated; NULL, without an error, where the twin has to look. */
PyObject *dicom_decimal(Octets raw);

/* The local time of a day and a time of day, what its zone knows of that hour, both new references, and its precision:
 * 1, or 0 without an error where the twin has to look. */
int dicom_local(Octets day, Octets clock, PyObject *hours, PyObject **known, PyObject **local, PyObject **precision);

/* The instant of a day and a time of day; `...` where the twin has to look. */
PyObject *dicom_instant(Octets day, Octets clock, PyObject *hours);

/* Values that are read of each image of a series, at most. */
enum { MOST_AGAIN = 96 };

/* What of a capsule makes a row of so many values, like `row` and `envelope`, which must be tuples; NULL with a Python
 * error. */
typedef struct Making Making;
const Making *dicom_making_of(PyObject *capsule, Py_ssize_t n_values, PyObject *row, PyObject *envelope);

/* (row, envelope) with these values, else like those before, in a zone that knows its `hours`; None where the twin has to
 * look, NULL with a Python error. */
PyObject *dicom_made(const Making *making, PyObject *row, PyObject *envelope, PyObject *hours, const Octets *values);

int dicom_values_start(void);
int dicom_times_start(void);
PyObject *dicom_plan(PyObject *self, PyObject *args);
PyObject *dicom_table(PyObject *self, PyObject *rows);
PyObject *dicom_fields(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_texts(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_template(PyObject *self, PyObject *args);
PyObject *dicom_match(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_making(PyObject *self, PyObject *args);
PyObject *dicom_moment(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_instants(PyObject *self, PyObject *const *args, Py_ssize_t n);
#endif
