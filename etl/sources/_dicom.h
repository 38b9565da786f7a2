/* What the files of etl.sources._dicom share. */
#ifndef RADOPS_DICOM_H
#define RADOPS_DICOM_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/sources/dicom_kernel.py). */
#define DICOM_VERSION 5

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

/* What the table `table` tells of `dataset` by column, if all of it is plain; else NULL, without an error. */
PyObject *dicom_plain_fields(PyObject *table, PyObject *dataset, int codec, int is_big);

/* The instant of a pair of tags: None without a date, `...` where the twin has to look; NULL with a Python error. */
PyObject *dicom_instant(PyObject *dataset, PyObject *pair, PyObject *hours);

/* The local time of a pair of tags, what its zone knows of that hour, both new references, and its precision: 1, 0 where
 * the twin has to look, -1 with a Python error. */
int dicom_clock(PyObject *dataset, PyObject *pair, PyObject *hours, PyObject **known, PyObject **local,
                PyObject **precision);

int dicom_values_start(void);
int dicom_times_start(void);
PyObject *dicom_plan(PyObject *self, PyObject *args);
PyObject *dicom_table(PyObject *self, PyObject *rows);
PyObject *dicom_fields(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_template(PyObject *self, PyObject *args);
PyObject *dicom_match(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_slice(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_moment(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *dicom_instants(PyObject *self, PyObject *const *args, Py_ssize_t n);
#endif
