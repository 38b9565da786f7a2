/* Rows of typed records: the compiled twin of `Rows` in etl/records.py, which says what a row is. */
#include "_rows.h"

/* The number of the next row: one more than that of the last, if this is of the same position. -1 with an error. */
static Py_ssize_t number_of(PyObject *rows, PyObject *position)
{
    Py_ssize_t n = PyList_GET_SIZE(rows);
    PyObject *last = n ? PyList_GET_ITEM(rows, n - 1) : NULL;
    if (!last)
        return 0;
    if (!PyTuple_Check(last) || PyTuple_GET_SIZE(last) < 2) {
        PyErr_SetString(PyExc_TypeError, "a row is a tuple that ends with position and row number");
        return -1;
    }
    Py_ssize_t width = PyTuple_GET_SIZE(last);
    int is_same = PyObject_RichCompareBool(PyTuple_GET_ITEM(last, width - 2), position, Py_EQ);
    if (is_same <= 0)
        return is_same;
    Py_ssize_t number = PyLong_AsSsize_t(PyTuple_GET_ITEM(last, width - 1));
    return number == -1 && PyErr_Occurred() ? -1 : number + 1;
}

/* Append a row of `width` values, which is consumed, behind which position and row number come. */
static int append(PyObject *rows, PyObject *row, Py_ssize_t width, PyObject *position)
{
    Py_ssize_t number = row ? number_of(rows, position) : -1;
    PyObject *made = number < 0 ? NULL : PyLong_FromSsize_t(number);
    if (made) {
        PyTuple_SET_ITEM(row, width, Py_NewRef(position));
        PyTuple_SET_ITEM(row, width + 1, made);
    }
    int failed = made ? PyList_Append(rows, row) : -1;
    Py_XDECREF(row);
    return failed;
}

/* The values of `columns` in the dict `values`, with room for position and row number behind them; NULL with a Python
 * error. Whether each name of `values` is a column is kept. */
static PyObject *row_of(PyObject *columns, PyObject *values, int *is_known)
{
    Py_ssize_t width = PyTuple_GET_SIZE(columns), n_found = 0, at = 0;
    PyObject *row = PyTuple_New(width + 2), *name, *value;
    int is_alike = PyDict_GET_SIZE(values) == width; /* its names are the columns in their order */
    for (Py_ssize_t place = 0; row && place < width; place++) {
        PyObject *column = PyTuple_GET_ITEM(columns, place);
        is_alike = is_alike && PyDict_Next(values, &at, &name, &value) && name == column;
        if (!is_alike && !(value = PyDict_GetItemWithError(values, column)) && PyErr_Occurred()) {
            Py_CLEAR(row);
            break;
        }
        n_found += value != NULL;
        PyTuple_SET_ITEM(row, place, Py_NewRef(value ? value : Py_None));
    }
    *is_known = n_found == PyDict_GET_SIZE(values);
    return row;
}

/* add(rows, columns, position, row) -> whether each name of `row` is a column; if not, nothing was added. */
static PyObject *rows_add(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    int is_known;
    if (n != 4 || !PyList_Check(args[0]) || !PyTuple_Check(args[1]) || !PyDict_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "add(list of rows, tuple of columns, position, dict of values)");
    PyObject *row = row_of(args[1], args[3], &is_known);
    if (!row || !is_known) {
        Py_XDECREF(row);
        return row ? Py_NewRef(Py_False) : NULL;
    }
    return append(args[0], row, PyTuple_GET_SIZE(args[1]), args[2]) < 0 ? NULL : Py_NewRef(Py_True);
}

/* put(rows, position, values): append a row of a list of values. */
static PyObject *rows_put(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 3 || !PyList_Check(args[0]) || !PyList_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "put(list of rows, position, list of values)");
    Py_ssize_t width = PyList_GET_SIZE(args[2]);
    PyObject *row = PyTuple_New(width + 2);
    for (Py_ssize_t place = 0; row && place < width; place++)
        PyTuple_SET_ITEM(row, place, Py_NewRef(PyList_GET_ITEM(args[2], place)));
    return append(args[0], row, width, args[1]) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef METHODS[] = {
    {"add", (PyCFunction)(void (*)(void))rows_add, METH_FASTCALL, NULL},
    {"put", (PyCFunction)(void (*)(void))rows_put, METH_FASTCALL, NULL},
    {"columns", (PyCFunction)(void (*)(void))rows_columns, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_start(PyObject *module)
{
    return PyModule_AddIntConstant(module, "VERSION", ROWS_VERSION) < 0 ? -1 : rows_columns_start();
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, module_start}, {0, NULL}};
static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, .m_name = "etl._rows", .m_methods = METHODS, .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__rows(void)
{
    return PyModuleDef_Init(&MODULE);
}
