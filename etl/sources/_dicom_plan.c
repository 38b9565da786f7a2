/* Wanted tags, as `levels_of` of etl/sources/dicom_kernel.py tells them: the walk finds them without a dict. */
#include "_dicom.h"

#define PLAN "etl.sources._dicom.plan"

static void plan_free(Plan *plan)
{
    for (Py_ssize_t i = 0; plan->levels && i < plan->n; i++) {
        for (Py_ssize_t k = 0; k < plan->levels[i].n; k++)
            Py_XDECREF(plan->levels[i].entries[k].key);
        PyMem_Free(plan->levels[i].entries);
    }
    PyMem_Free(plan->levels);
    PyMem_Free(plan);
}

static void plan_destroy(PyObject *capsule)
{
    plan_free(PyCapsule_GetPointer(capsule, PLAN));
}

/* One level from a list of (tag, child); tags must ascend and children exist. */
static int level_fill(Level *level, PyObject *listed, Py_ssize_t n_levels)
{
    Py_ssize_t n = PyList_Check(listed) ? PyList_GET_SIZE(listed) : -1;
    if (n < 0) {
        PyErr_SetString(PyExc_TypeError, "a level is a list");
        return -1;
    }
    level->entries = PyMem_Calloc(n ? n : 1, sizeof(Entry));
    if (!level->entries) {
        PyErr_NoMemory();
        return -1;
    }
    for (; level->n < n; level->n++) {
        Entry *entry = &level->entries[level->n];
        unsigned int tag;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(listed, level->n), "Ii", &tag, &entry->child))
            return -1;
        if (entry->child >= n_levels || (level->n && tag <= entry[-1].tag)) {
            PyErr_SetString(PyExc_ValueError, "tags of a level ascend and its children exist");
            return -1;
        }
        entry->tag = tag;
        entry->key = PyLong_FromUnsignedLong(tag);
        if (!entry->key)
            return -1;
    }
    return 0;
}

/* plan(levels, frames) -> plan; `frames` are the tags of frames to fold, of their content, start and duration, if given. */
PyObject *dicom_plan(PyObject *self, PyObject *args)
{
    PyObject *levels;
    unsigned int frames = 0, content = 0, started = 0, duration = 0;
    if (!PyArg_ParseTuple(args, "O!|(IIII)", &PyList_Type, &levels, &frames, &content, &started, &duration))
        return NULL;
    Plan *plan = PyMem_Calloc(1, sizeof(Plan));
    if (!plan)
        return PyErr_NoMemory();
    plan->n = PyList_GET_SIZE(levels);
    plan->frames = frames, plan->content = content, plan->started = started, plan->duration = duration;
    plan->levels = PyMem_Calloc(plan->n ? plan->n : 1, sizeof(Level));
    int is_bad = !plan->levels || !plan->n;
    if (is_bad)
        PyErr_SetString(PyExc_ValueError, "no level");
    for (Py_ssize_t i = 0; !is_bad && i < plan->n; i++)
        is_bad = level_fill(&plan->levels[i], PyList_GET_ITEM(levels, i), plan->n) < 0;
    PyObject *capsule = is_bad ? NULL : PyCapsule_New(plan, PLAN, plan_destroy);
    if (!capsule)
        plan_free(plan);
    return capsule;
}

const Plan *dicom_plan_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, PLAN);
}
